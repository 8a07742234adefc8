"""An error that the worker reports, as a `Failure`: with its place in the project's own code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from migration_gate.facts import Failure, Location
from migration_gate.replay.repository_paths import RepositoryPaths
from migration_gate.worker.protocol.reported_error import ErrorReport, Frame


class FailureBuilder:
    """Turns the errors of one run into facts."""

    def __init__(self, paths: RepositoryPaths, revision_files: Mapping[str, str]) -> None:
        """`revision_files`: real paths, by the id of the revision."""
        self._paths = paths
        self._revision_files = revision_files

    def build_failure(self, error: ErrorReport, revision: str | None, line: int | None = None) -> Failure:
        """The error as a fact; `line` is that of the revision's file, if no frame says so."""
        frames = [dataclasses.replace(frame, file=self._paths.shorten(frame.file)) for frame in error.frames]
        return Failure(
            message=error.message,
            exception_class=error.exception_class,
            sqlstate=error.sqlstate,
            detail=error.detail,
            hint=error.hint,
            statement=error.statement or None,
            revision=revision,
            location=self._locate_failure(frames, revision, line or error.line),
            traceback=tuple(describe_frame(frame, self._paths) for frame in frames),
            source=error.source,
            is_deliberate=error.is_deliberate,
        )

    def _locate_failure(
        self, frames: Sequence[Frame], revision: str | None, line: int | None
    ) -> Location | None:
        """In the revision's file if one ran, else the innermost frame of the project's own."""
        if revision is not None and revision in self._revision_files:
            file = self._paths.shorten(self._revision_files[revision])
            lines_of_file = [frame.line for frame in frames if frame.file == file]
            return Location(file, lines_of_file[-1] if lines_of_file else line)
        if not frames:
            return None
        own_frames = [frame for frame in frames if "/site-packages/" not in frame.file]
        innermost = (own_frames or frames)[-1]
        return Location(innermost.file, innermost.line)


def describe_frame(frame: Frame, paths: RepositoryPaths) -> str:
    """One line of a traceback: `app/models.py:12 in make_table`."""
    return f"{paths.shorten(frame.file)}:{frame.line} in {frame.function}"
