"""Keeps plug-ins of pydantic out: the gate has none, and to look for them takes 40 ms.

pydantic has a variable for it, which the project's code would get to see, too, and which does not keep it
from loading `importlib.metadata`. What looks for them is not public: where a later pydantic has it no more,
this does nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

LOADER = "pydantic.plugin._loader"


class _NoPlugins(ModuleType):
    """Stands for the module that looks for plug-ins. Whatever else is asked of it, the module answers."""

    @staticmethod
    def get_plugins() -> tuple[()]:
        return ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # of the import system, which can do without
            raise AttributeError(name)
        if sys.modules.get(LOADER) is self:
            del sys.modules[LOADER]
        return getattr(importlib.import_module(LOADER), name)


def keep_plugins_out() -> None:
    """Have pydantic know that there are no plug-ins, before the first model is made."""
    sys.modules.setdefault(LOADER, _NoPlugins(LOADER))
