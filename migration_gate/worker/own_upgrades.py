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


class OwnUpgrades:
    """Leaves out what the project's code does with the history that the gate is about to run.

    Until the project's code has made its configuration, any history of the checkout may be that one. If
    another one was left out, the project is run again, and told which it is.
    """

    def __init__(self, redirection: Redirection, home: str) -> None:
        self._redirection = redirection
        self._home = home
        self._is_watching = False
        self._folder: Optional[str] = None
        """of the history that the gate runs"""
        self._script: Optional[Any] = None
        """the ScriptDirectory that the gate runs"""
        self._skipped: set[str] = set()

    def install(self, imports: ImportHooks) -> None:
        """Patch Alembic once it is imported."""
        imports.add("alembic.script.base", lambda module: private_api.wrap_run_env(module, self._run_env))

    def begin(self, folder: Optional[str]) -> None:
        """From here on; what `prepare:` has run before is the user's wish.

        `folder` is that of the history, if it is known.
        """
        self._is_watching, self._folder = True, folder

    def is_of_skipped(self, script: Any) -> bool:
        """Whether nothing but this history was left out: the gate runs this one."""
        self._script, self._folder = script, find_folder(script)
        return self._skipped <= {self._folder}

    def _run_env(self, script: Any, run: Callable[[], Any]) -> Any:
        if not self._is_watching or script is self._script or not self._is_own_history(script):
            return run()
        self._skipped.add(find_folder(script))
        frames = list_project_frames(self._home)
        place = "It"
        if frames:
            place = "`%s:%s`" % (os.path.relpath(frames[-1].file, self._home), frames[-1].line)
        self._redirection.note(NOTE % place)
        return None

    def _is_own_history(self, script: Any) -> bool:
        """Whether it is that which the gate runs; while that is not known, any of the checkout."""
        folder = find_folder(script)
        if self._folder is not None:
            return folder == self._folder
        return folder.startswith(os.path.realpath(self._home) + os.sep)


def find_folder(script: Any) -> str:
    """Where its env.py lies."""
    return os.path.realpath(str(script.dir))
