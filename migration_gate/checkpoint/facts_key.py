"""A digest of what facts that are kept beside a checkpoint depend on, beside the repository itself."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from migration_gate.checkpoint.saved_state import SavedState
from migration_gate.checkpoint.sealed_file import compute_digest, describe_own_code
from migration_gate.checkpoint.surroundings import describe_interpreter
from migration_gate.config.settings import Settings
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.interpreter import list_package_folders

SHELL_NAMES = frozenset({"_", "OLDPWD", "SHLVL", "COLUMNS", "LINES"})
"""variables that a shell changes from one command to the next"""
HOOK_PREFIX = "PRE_COMMIT"
"""of variables with which pre-commit tells a hook what is pushed; of all others each value counts"""


@dataclass(frozen=True, slots=True)
class FactsPlace:
    """The folder of the checkpoint from which this run begins: facts may be kept there, and serve again."""

    state: SavedState
    surroundings: str
    """see `surroundings.compute_surroundings`"""
    writes: bool
    """this run may keep some"""

    def compute_key(
        self, settings: Settings, python: Path, subject: str, environ: Mapping[str, str] = os.environ
    ) -> str:
        """A digest of what is known before the examination.

        settings: with which it is made. python: the project's interpreter. subject: what is examined.
        """
        parts: list[object] = [self.surroundings, self.state.record.content, str(python), subject]
        parts += [repr(settings), describe_own_code()]
        parts += describe_interpreter(Path(sys.executable), list_package_folders(Path(sys.prefix)))
        parts += sorted(
            f"{name}={value}"
            for name, value in environ.items()
            if name not in SHELL_NAMES and not name.startswith(HOOK_PREFIX)
        )
        text = json.dumps(parts, default=str)
        return compute_digest(text.encode("utf-8", "surrogateescape"))
