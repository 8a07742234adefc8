"""Where in a revision's file a statement of its step was run."""

from __future__ import annotations

from migration_gate.facts import Location, Replay, Statement, Step


def find_statement_location(replay: Replay, step: Step, statement: Statement | None) -> Location | None:
    """The line of the statement; that of `upgrade()` where it is not known."""
    revision = replay.history.find_revision(step.revision)
    if revision is None:
        return None
    if statement is None or statement.line is None:
        return revision.location
    return Location(revision.location.file, statement.line)
