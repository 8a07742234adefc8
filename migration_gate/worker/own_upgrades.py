"""An application that upgrades its own database when it is made: that is left to the gate."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional

from . import private_api
from .import_hooks import ImportHooks
from .redirection import Redirection
from .running_frames import list_project_frames

NOTE = (
    "%s runs this history itself (as `alembic upgrade` or `alembic stamp` do) when it is imported: that was "
    "left out, and the gate ran the revisions"
)
SEPARATOR = "\0"
"""of the paths of one history"""


class OwnUpgrades:
    """Leaves out what the project's code does with the history that the gate is about to run.

    Until the project's code has made its configuration, any history of the checkout may be that one. If
    another one was left out, the project is run again, and told which it is.
    """

    def __init__(self, redirection: Redirection, home: str) -> None:
        self._redirection = redirection
        self._home = home
        self._is_watching = False
        self._history: Optional[str] = None
        """that the gate runs; see `identify_history`"""
        self._script: Optional[Any] = None
        """the ScriptDirectory that the gate runs"""
        self._skipped: set[str] = set()

    def install(self, imports: ImportHooks) -> None:
        """Patch Alembic once it is imported."""
        imports.add("alembic.script.base", lambda module: private_api.wrap_run_env(module, self._run_env))

    def begin(self, history: Optional[str]) -> None:
        """From here on; what `prepare:` has run before is the user's wish.

        `history` is that which the gate runs, if it is known; see `identify_history`.
        """
        self._is_watching, self._history = True, history

    def is_of_skipped(self, script: Any) -> bool:
        """Whether nothing but this history was left out: the gate runs this one."""
        self._script, self._history = script, identify_history(script)
        return all(_is_same(history, self._history) for history in self._skipped)

    def _run_env(self, script: Any, run: Callable[[], Any]) -> Any:
        if not self._is_watching or script is self._script or not self._is_own_history(script):
            return run()
        self._skipped.add(identify_history(script))
        frames = list_project_frames(self._home)
        place = "It"
        if frames:
            place = "`%s:%s`" % (os.path.relpath(frames[-1].file, self._home), frames[-1].line)
        self._redirection.note(NOTE % place)
        return None

    def _is_own_history(self, script: Any) -> bool:
        """Whether it is that which the gate runs; while that is not known, any of the checkout."""
        if self._history is not None:
            return _is_same(identify_history(script), self._history)
        return _find_folder(script).startswith(os.path.realpath(self._home) + os.sep)


def identify_history(script: Any) -> str:
    """Where its env.py and its revisions lie: several histories may have one env.py."""
    return SEPARATOR.join((_find_folder(script), *private_api.find_version_folders(script)))


def _is_same(history: str, other: str) -> bool:
    """Whether they have an env.py, and revisions, in common."""
    folder, *locations = history.split(SEPARATOR)
    other_folder, *other_locations = other.split(SEPARATOR)
    return folder == other_folder and not set(locations).isdisjoint(other_locations)


def _find_folder(script: Any) -> str:
    return os.path.realpath(str(script.dir))
