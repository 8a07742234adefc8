"""Reads the project's revisions as Alembic sees them, and sends them to the gate."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional

from . import private_api
from .answer_stream import AnswerStream
from .error_report import describe_error
from .protocol.history_lines import HistoryRead, RevisionScript, ScriptsFound
from .real_paths import resolve_path


class ScriptHistory:
    """The revisions, read when Alembic would import their modules.

    That is after env.py was imported: a module that is imported by a revision first may not be importable
    later (circular imports that only work in the project's own order).
    """

    def __init__(self, script: Any, answer: AnswerStream) -> None:
        """`script`: the project's ScriptDirectory."""
        self._script = script
        self._answer = answer
        self._is_readable: Optional[bool] = None
        self.is_environment_error: Callable[[BaseException], bool] = lambda error: False
        """whether a revision that cannot be imported lacks something of the environment's"""
        self.import_error: Optional[BaseException] = None
        """such an error: the history is not to blame for it"""

    def send_folders(self) -> None:
        """Send where the revisions are."""
        folders = private_api.find_version_folders(self._script)
        self._answer.send(ScriptsFound(folders, os.path.realpath(self._script.dir)))

    def send_once(self) -> bool:
        """Read the revisions and send them, at the first call only; whether they could be read.

        Raises the error of a revision that lacks something of the environment's.
        """
        if self._is_readable is None:
            self._is_readable = False  # reading them may run env.py's code, which asks again
            line = self._read_history()
            self._is_readable = line.error is None
            self._answer.send(line)
        return self._is_readable

    def _read_history(self) -> HistoryRead:
        revisions: tuple[RevisionScript, ...] = ()
        try:
            revisions = tuple(_read_revision(revision) for revision in self._script.walk_revisions())
            heads, bases = tuple(self._script.get_heads()), tuple(self._script.get_bases())
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a broken history is a finding
            if self.is_environment_error(error):
                self.import_error = error
                raise
            return HistoryRead(revisions, (), (), describe_error(error, home=os.getcwd()))
        return HistoryRead(revisions, heads, bases)


def _read_revision(revision: Any) -> RevisionScript:
    return RevisionScript(
        id=revision.revision,
        parents=_list_parents(revision.down_revision),
        depends_on=private_api.resolved_dependencies(revision),
        labels=tuple(sorted(revision.branch_labels)),
        message=(revision.doc or "").strip(),
        file=resolve_path(str(revision.path)),
        line=_upgrade_line(revision.module),
    )


def _list_parents(down_revision: Any) -> tuple[str, ...]:
    if down_revision is None:
        return ()
    return (down_revision,) if isinstance(down_revision, str) else tuple(down_revision)


def _upgrade_line(module: Any) -> int:
    """The line of a revision's `upgrade()`, 1 if there is none."""
    code = getattr(getattr(module, "upgrade", None), "__code__", None)
    return getattr(code, "co_firstlineno", 1)
