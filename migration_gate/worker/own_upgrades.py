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
    """Leaves out what the project's code does with the history that the gate is about to run."""

    def __init__(self, redirection: Redirection, home: str) -> None:
        self._redirection = redirection
        self._home = home
        self.script: Optional[Any] = None
        """the ScriptDirectory that the gate runs; None while the project's code makes its configuration"""

    def install(self, imports: ImportHooks) -> None:
        """Patch Alembic once it is imported."""
        imports.add("alembic.script.base", lambda module: private_api.wrap_run_env(module, self._run_env))

    def _run_env(self, script: Any, run: Callable[[], Any]) -> Any:
        if script is self.script or not self._is_own_history(script):
            return run()
        frames = list_project_frames(self._home)
        place = "It"
        if frames:
            place = "`%s:%s`" % (os.path.relpath(frames[-1].file, self._home), frames[-1].line)
        self._redirection.note(NOTE % place)
        return None

    def _is_own_history(self, script: Any) -> bool:
        """Whether it is that which the gate runs; while that is not known, any of the checkout."""
        folder = os.path.realpath(str(script.dir))
        if self.script is not None:
            return folder == os.path.realpath(str(self.script.dir))
        return folder.startswith(os.path.realpath(self._home) + os.sep)
