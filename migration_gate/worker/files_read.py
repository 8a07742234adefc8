"""Which files the project's code has read so far: what its revisions did may depend on them.

The interpreter tells of each file that Python code opens. What other programs and code in C open is not seen.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any, Optional

from .module_files import find_module_file

READING_EVENTS = frozenset({"open", "os.listdir", "os.scandir"})
LIBRARY = os.path.dirname(os.__file__) + os.sep
OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
INSTALLED_MARKS = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
MODULE_READERS = (
    "<frozen importlib",
    "<frozen zipimport",
    LIBRARY + "importlib",
    LIBRARY + "pkgutil",
    LIBRARY + "linecache",
    OWN_FOLDER,
)
"""beginnings of the names of files whose code opens modules, or is the gate's own"""
ALEMBIC_MARK = os.sep + "alembic" + os.sep
MAX_FILES = 5000
"""more are cut off, and then nobody can say what the revisions depend on"""


class FilesRead:
    """The paths of the files and folders that the project's code has opened, itself or through a package."""

    def __init__(self) -> None:
        self._paths: set[str] = set()

    def watch(self) -> None:
        """From now on, to the end of this process: the interpreter cannot be told to stop."""
        sys.addaudithook(self._note)

    def list_paths(self) -> tuple[str, ...]:
        """Absolute, sorted; at most `MAX_FILES` and one more."""
        return tuple(sorted(self._paths.copy())[: MAX_FILES + 1])

    def _note(self, event: str, values: tuple[Any, ...]) -> None:
        # What is raised here would be raised where the project's code opens the file: any code may send these
        # events, with other values; and the interpreter itself sends some without a frame.
        if event not in READING_EVENTS or not values or len(self._paths) > MAX_FILES:
            return
        flags = values[2] if len(values) > 2 and isinstance(values[2], int) else os.O_RDONLY
        if event == "open" and flags & os.O_ACCMODE == os.O_WRONLY:
            return
        path = find_path(values[0])
        if path is not None and path not in self._paths and _serves_project(sys._getframe().f_back):
            self._paths.add(path)


def list_loaded_modules() -> tuple[str, ...]:
    """The files of the imported modules that are no installed package's: absolute, sorted."""
    files = [find_module_file(module) for module in tuple(sys.modules.values())]
    paths = {os.path.abspath(file) for file in files if file is not None and file.endswith(".py")}
    return tuple(sorted(path for path in paths if is_own_code(path)))


def find_path(value: object) -> Optional[str]:
    """Absolute; None for what is no path, as a descriptor."""
    try:
        return os.path.abspath(os.fsdecode("." if value is None else value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OSError):
        return None


def _serves_project(frame: Optional[FrameType]) -> bool:
    """Whether it is for the project's code that something is opened, and no module of it."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(MODULE_READERS) or (ALEMBIC_MARK in name and _is_installed(name)):
            return False
        if not name.startswith("<") and is_own_code(name):
            return True
        frame = frame.f_back
    return False


def is_own_code(path: str) -> bool:
    """Whether it is neither Python's, nor the gate's, nor an installed package's."""
    return not (path.startswith((LIBRARY, OWN_FOLDER)) or _is_installed(path))


def _is_installed(path: str) -> bool:
    return any(mark in path for mark in INSTALLED_MARKS)
