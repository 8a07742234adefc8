"""The revisions whose downgrades are judged: those in files of the change, or all."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.facts import Replay, RevisionFile


def list_rolled_back_files(replay: Replay) -> Iterator[RevisionFile]:
    """Their files, as far as Alembic loads them; also if the history did not run to its end."""
    if replay.rollback_scope == "off":
        return
    changed = frozenset(replay.changed_files)
    for file in replay.history.files:
        is_wanted = replay.rollback_scope == "all" or file.path in changed
        if is_wanted and file.revision is not None and file.is_loaded and not file.error:
            yield file


def find_rolled_back_file(replay: Replay, revision: str) -> RevisionFile | None:
    """The file of a revision whose downgrade was wanted; None if its text was not read."""
    files = (file for file in replay.history.files if file.revision == revision and file.is_loaded)
    return next(files, None)
