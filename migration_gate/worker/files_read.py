"""Which files the project's code has used so far: what its revisions and its models are may depend on them.

The interpreter tells of each file that Python code opens. What other programs and code in C open is not seen.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any, Optional

from .deferred_methods import dataclass
from .module_files import find_module_file
from .program_events import PROGRAM_EVENTS, PROGRAMS_ABOUT_MACHINE, name_program

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


@dataclass(frozen=True)
class UsedFiles:
    """Absolute paths, sorted; none of both if it is not known what was used."""

    files: tuple[str, ...] = ()
    """what the project's code has opened"""
    modules: tuple[str, ...] = ()
    """what it has imported"""


class FilesRead:
    """The paths of the files and folders that the project's code has opened, itself or through a package."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._ran_programs = False

    def watch(self) -> None:
        """From now on, to the end of this process: the interpreter cannot be told to stop."""
        sys.addaudithook(self._note)

    def list_paths(self) -> tuple[str, ...]:
        """Absolute, sorted; at most `MAX_FILES` and one more."""
        return tuple(sorted(self._paths.copy())[: MAX_FILES + 1])

    def list_used(self) -> UsedFiles:
        """What was used up to now; nothing if a program ran: nobody sees what it reads."""
        return UsedFiles() if self._ran_programs else UsedFiles(self.list_paths(), list_loaded_modules())

    def _note(self, event: str, values: tuple[Any, ...]) -> None:
        # What is raised here would be raised where the project's code opens the file: any code may send these
        # events, with other values; and the interpreter itself sends some without a frame.
        if event in PROGRAM_EVENTS and name_program(values) not in PROGRAMS_ABOUT_MACHINE:
            self._ran_programs = True
        if event not in READING_EVENTS or not values or len(self._paths) > MAX_FILES:
            return
        flags = values[2] if len(values) > 2 and isinstance(values[2], int) else os.O_RDONLY
        if event == "open" and flags & os.O_ACCMODE == os.O_WRONLY:
            return
        path = _name_path(values[0])
        if path is not None and path not in self._paths and _serves_project(sys._getframe().f_back):
            self._paths.add(path)


def list_loaded_modules() -> tuple[str, ...]:
    """The files of the imported modules that are no installed package's: absolute, sorted."""
    files = [find_module_file(module) for module in tuple(sys.modules.values())]
    paths = {os.path.abspath(file) for file in files if file is not None and file.endswith(".py")}
    return tuple(sorted(path for path in paths if _is_own_code(path)))


def _name_path(value: object) -> Optional[str]:
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
        if not name.startswith("<") and _is_own_code(name):
            return True
        frame = frame.f_back
    return False


def _is_own_code(path: str) -> bool:
    return not (path.startswith((LIBRARY, OWN_FOLDER)) or _is_installed(path))


def _is_installed(path: str) -> bool:
    return any(mark in path for mark in INSTALLED_MARKS)
