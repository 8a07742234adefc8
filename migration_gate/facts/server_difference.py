"""What the same history made differently on two servers."""

from __future__ import annotations

from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ServerDifference:
    """One object that two servers have differently after the same history."""

    object: str
    noun: str
    """table, column, index..."""
    text: str | None
    """its definition on the first server; None if it is not there"""
    other_text: str | None
    """its definition on the other one; None if it is not there"""
    server: str
    """the version of PostgreSQL: `17.12`"""
    other_server: str
    revision: str | None = None
    """that made it so"""
    location: Location | None = None
