"""The files of imported modules, without asking the modules, which may run code of theirs."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Optional


def find_module_file(module: Any) -> Optional[str]:
    """What a module has as `__file__`; None if it has none, or is no module."""
    # Something in sys.modules may only claim to be one: compiled libraries of cffi do, by their `__class__`.
    if not issubclass(type(module), ModuleType):
        return None
    file = object.__getattribute__(module, "__dict__").get("__file__")
    return file if isinstance(file, str) else None
