"""What a run has used so far, beside installed packages: the facts of the run depend on it.

The interpreter tells of all that is opened, by whichever code, and of all code that runs. Nobody sees what
other processes do, forks among them; nor what code in C opens, but for databases of SQLite.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Callable, Optional, Union

from .deferred_methods import dataclass
from .files_read import LIBRARY, MAX_FILES, OWN_FOLDER, find_path, is_own_code
from .module_files import find_module_file
from .program_events import PROGRAM_EVENTS, is_about_machine

FORK_EVENTS = frozenset({"os.fork", "os.forkpty"})
SPAWNING_MODULES = frozenset({"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"})
"""are imported when they start a process, of which the interpreter tells nothing"""
MODULE_FINDERS = ("<frozen importlib", LIBRARY + "importlib", LIBRARY + "pkgutil")
"""beginnings of the names of files whose code looks for modules and packages"""
BYTECODE_MARK = os.sep + "__pycache__" + os.sep
SQLITE_WITHOUT_FILE = frozenset({"", ":memory:"})
SQLITE_ADDRESS = "file:"
KERNEL_FOLDERS = ("/proc/", "/sys/")
"""what they say of the machine changes all the time"""


@dataclass(frozen=True)
class UsedFiles:
    """Absolute paths, sorted; none at all if it is not known what was used."""

    files: tuple[str, ...] = ()
    """what was opened, folders too"""
    modules: tuple[str, ...] = ()
    """files of the code that ran"""
    folders: tuple[str, ...] = ()
    """in which modules were looked for"""


class FilesUsed:
    """What was used since `watch`, and the modules that were there before."""

    def __init__(self) -> None:
        self._opened: set[str] = set()
        self._modules: set[str] = set()
        self._folders: set[str] = set()
        self._made: set[str] = set()
        """files and folders that the project has made itself: they say nothing new"""
        self._has_unseen = False
        self._handlers: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._note_open,
            **dict.fromkeys(("os.listdir", "os.scandir"), self._note_folder),
            "os.mkdir": self._note_made,
            "exec": self._note_code,
            "import": lambda values: self._note_library(values[1:]),
            "ctypes.dlopen": self._note_library,
            "sqlite3.connect": self._note_sqlite,
            **dict.fromkeys(PROGRAM_EVENTS, self._note_program),
        }

    def watch(self) -> None:
        """From now on, to the end of this process: the interpreter cannot be told to stop."""
        sys.addaudithook(self._note)

    def list_used(self) -> UsedFiles:
        """What was used up to now; of a kind at most `MAX_FILES` paths and one more."""
        if self._has_unseen or not SPAWNING_MODULES.isdisjoint(sys.modules):
            return UsedFiles()
        for module in tuple(sys.modules.values()):
            self._add(self._modules, find_module_file(module))
        for folder in tuple(sys.path_importer_cache):
            self._add(self._folders, folder)
        return UsedFiles(
            *(tuple(sorted(set(paths))) for paths in (self._opened, self._modules, self._folders))
        )

    def _note(self, event: str, values: tuple[Any, ...]) -> None:
        # What is raised here would be raised where the event is from: any code may send these, with other
        # values; and the interpreter itself sends some without a frame.
        handler = self._handlers.get(event)
        if event in FORK_EVENTS:
            self._has_unseen = self._has_unseen or not _has_caller(sys._getframe().f_back, OWN_FOLDER)
        elif event == "os.listdir" and _has_caller(sys._getframe().f_back, MODULE_FINDERS):
            self._add(self._folders, *values[:1])
        elif handler is not None and values:
            handler(values)

    def _note_open(self, values: tuple[Any, ...]) -> None:
        flags = values[2] if len(values) > 2 and isinstance(values[2], int) else os.O_RDONLY
        if flags & os.O_CREAT:
            self._note_made(values)
        if flags & os.O_ACCMODE != os.O_WRONLY:
            self._add(self._opened, values[0])

    def _note_folder(self, values: tuple[Any, ...]) -> None:
        self._add(self._opened, os.curdir if values[0] is None else values[0])

    def _note_made(self, values: tuple[Any, ...]) -> None:
        """Something is made under this path, unless there is something already."""
        path = find_path(values[0])
        if path is not None and not os.path.lexists(path):
            self._made.add(path)

    def _note_code(self, values: tuple[Any, ...]) -> None:
        file = getattr(values[0], "co_filename", None)
        if isinstance(file, str) and os.path.isabs(file):
            self._add(self._modules, file)

    def _note_library(self, values: tuple[Any, ...]) -> None:
        """A module in C, or another library; one without a path is the system's."""
        if values and isinstance(values[0], str) and os.sep in values[0]:
            self._add(self._modules, values[0])

    def _note_sqlite(self, values: tuple[Any, ...]) -> None:
        database = values[0]
        if isinstance(database, str) and database.startswith(SQLITE_ADDRESS):
            self._has_unseen = True
        elif not (isinstance(database, str) and database in SQLITE_WITHOUT_FILE):
            self._add(self._opened, database)

    def _note_program(self, values: tuple[Any, ...]) -> None:
        if not is_about_machine(values):
            self._has_unseen = True

    def _add(self, paths: set[str], value: object = None) -> None:
        path = find_path(value) if value is not None else None
        if path is not None and path not in paths and len(paths) <= MAX_FILES and self._counts(path):
            paths.add(path)

    def _counts(self, path: str) -> bool:
        if path.startswith(KERNEL_FOLDERS) or BYTECODE_MARK in path or "\0" in path:
            return False
        if not is_own_code(path + os.sep):
            return False
        return self._made.isdisjoint(_list_parents(path))


def _has_caller(frame: Optional[FrameType], file: Union[str, tuple[str, ...]]) -> bool:
    """Whether it is code of a file whose name begins so."""
    return frame is not None and frame.f_code.co_filename.startswith(file)


def _list_parents(path: str) -> Iterator[str]:
    """The path itself, and the folders that it lies in."""
    yield path
    while (parent := os.path.dirname(path)) != path:
        yield parent
        path = parent
