"""Counts what the checks had to look at: a check that looked at nothing proves nothing."""

from __future__ import annotations

from collections.abc import Mapping

from migration_gate.analysis.coverage_proof import RevisionCoverage, TableCoverage
from migration_gate.analysis.ownership import find_ownership_reason, list_ownable_tables, list_owner_columns
from migration_gate.analysis.rolled_back_files import list_rolled_back_files
from migration_gate.facts import Facts, Subject


def count_subjects(facts: Facts) -> Mapping[Subject, int]:
    """How many of each kind there were."""
    replay = facts.replay
    owned = (find_ownership_reason(facts, table) for table in list_ownable_tables(facts))
    return {
        Subject.TRACKED_FILE: facts.tree.file_count,
        Subject.REVISION: len(replay.history.revisions),
        Subject.RUN_REVISION: len(RevisionCoverage(replay).run),
        Subject.ROLLED_BACK: sum(1 for _ in list_rolled_back_files(replay)),
        Subject.OBSERVED: len(replay.observation.revisions),
        Subject.REHEARSED: len(replay.rehearsal.revisions),
        Subject.RUNNING_TABLE: len(facts.running_code.tried),
        Subject.METADATA: replay.models.metadatas,
        Subject.MODEL: len(replay.models.tables) + len(facts.tree.model_definitions),
        Subject.COMPARED_TABLE: len(TableCoverage(replay).compared),
        Subject.OWNER_COLUMN: sum(1 for _ in list_owner_columns(facts)),
        Subject.OWNED_TABLE: sum(1 for reason in owned if reason is not None),
        Subject.RUN: 1,
    }
