"""Looks in the repository's Python for the tables and columns that a fix would drop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from migration_gate.analysis.drift_messages import find_dropped_name, is_drop
from migration_gate.facts import Replay, Tree
from migration_gate.scan.name_uses import find_name_uses


def add_name_uses(tree: Tree, replay: Replay, project: Path, migration_files: list[str]) -> Tree:
    """The tree with the places that name what only the migrations make."""
    leftovers = (difference for difference in replay.differences if is_drop(difference))
    names = dict.fromkeys(map(find_dropped_name, leftovers))
    uses = find_name_uses(project, migration_files, list(names))
    return replace(tree, searched_names=tuple(names), name_uses=uses)
