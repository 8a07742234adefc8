"""The runs of a project whose env.py migrates several databases: one for each that has models of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migration_gate.config.settings import Settings


def choose_databases(settings: Settings, addresses: Sequence[str], judged: Sequence[str]) -> list[Settings]:
    """The settings of each run; `settings` are those of the whole project.

    `addresses`: `host:port/database` of all; `judged`: those with models of their own.
    """
    names = [address.rpartition("/")[2] for address in judged]
    labels = names if len(set(names)) == len(names) else list(judged)
    return [
        replace(
            settings,
            name=f"{settings.name} ({label})",
            judged_database=address,
            other_databases=tuple(other for other in addresses if other != address),
        )
        for address, label in zip(judged, labels, strict=True)
    ]


def merge_addresses(*groups: Sequence[str]) -> tuple[str, ...]:
    """Every address once, in the order in which they were found."""
    return tuple(dict.fromkeys(address for group in groups for address in group))
