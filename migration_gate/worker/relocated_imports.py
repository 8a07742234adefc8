"""Has modules imported from this checkout which the interpreter would import from another one.

The packages of a project may be installed "editable": then a `.pth` file, or an import hook of setuptools,
names the checkout for which they were installed. `PYTHONPATH` may name it as well.
"""

from __future__ import annotations

import os
import sys
from typing import Any

HOOK_MODULE = "__editable__"
"""what setuptools' own names for the modules with its import hooks begin with"""
INSTALLED_FOLDERS = (os.sep + "site-packages", os.sep + "dist-packages")


def relocate_imports(old_top: str, new_top: str) -> None:
    """Change the import path, and the hooks of editable packages, where they name a folder of the old one."""
    sys.path[:] = [_relocate(entry, old_top, new_top) for entry in sys.path]
    for name, module in list(sys.modules.items()):
        if name.startswith(HOOK_MODULE):
            _relocate_hook(module, old_top, new_top)
    sys.path_importer_cache.clear()


def _relocate_hook(module: Any, old_top: str, new_top: str) -> None:
    """Change setuptools' tables in place: its hooks refer to them."""
    packages = getattr(module, "MAPPING", None)
    if isinstance(packages, dict):
        for name, path in packages.items():
            packages[name] = _relocate(str(path), old_top, new_top)
    namespaces = getattr(module, "NAMESPACES", None)
    if isinstance(namespaces, dict):
        for name, paths in namespaces.items():
            namespaces[name] = [_relocate(str(path), old_top, new_top) for path in paths]


def _relocate(path: str, old_top: str, new_top: str) -> str:
    """The same folder in the new checkout; installed packages stay where they are."""
    real_path = os.path.realpath(path)
    is_inside = real_path == old_top or real_path.startswith(old_top + os.sep)
    if not path or not is_inside or any(folder in real_path for folder in INSTALLED_FOLDERS):
        return path
    return new_top + real_path[len(old_top) :]
