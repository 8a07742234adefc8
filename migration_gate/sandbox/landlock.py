"""Limits where a process and its children may write, and closes all processes outside of them (Landlock).

The kernel has this without privileges, since 5.13: a list of the files and folders that may be written to. It
cannot name exceptions, so that a folder is allowed with all that is below it. Who is limited so may not look
into the memory, the variables and the descriptors of processes that are not, and since 6.12 sends no signals
to them.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Sequence

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""numbers of the system calls, on every machine"""
ASK_VERSION = 1
RULE_PATH_BENEATH = 1
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
RIGHTS_OF_FOLDERS = sum(1 << bit for bit in range(4, 13))
"""to remove and to make files, folders, links, sockets, pipes and devices"""
MOVE = 1 << 13
"""from one folder to another"""
SCOPE_SIGNALS = 1 << 1
MOVE_SINCE, TRUNCATE_SINCE, SCOPES_SINCE = 2, 3, 6
"""versions of Landlock that know a right"""
WRITABLE_DEVICES = tuple(
    f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "shm", "mqueue")
)
"""of use to every program"""


def find_landlock_version() -> int:
    """The version that the kernel has; 0 if it has none."""
    if not sys.platform.startswith("linux"):
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(CREATE_RULESET, None, 0, ASK_VERSION)))


def restrict_writing(folders: Sequence[str]) -> None:
    """Allow this process to write to these files and folders, and the usual devices, and to nothing else.

    What does not exist is left out, and so are links. Needs `forbid_new_privileges`. Without Landlock nothing
    happens. Raises OSError.
    """
    version = find_landlock_version()
    if not version:
        return
    moves = MOVE if version >= MOVE_SINCE else 0
    of_files = WRITE_FILE | (TRUNCATE if version >= TRUNCATE_SINCE else 0)
    of_folders = of_files | RIGHTS_OF_FOLDERS | moves
    attributes = struct.pack("=QQQ", of_folders, 0, SCOPE_SIGNALS)
    size = len(attributes) if version >= SCOPES_SINCE else 8
    ruleset = _call(CREATE_RULESET, attributes, size, 0)
    for path in (*folders, *WRITABLE_DEVICES):
        try:
            file = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        mode = os.fstat(file).st_mode
        if not stat.S_ISLNK(mode):
            rights = of_folders if stat.S_ISDIR(mode) else of_files
            _call(ADD_RULE, ruleset, RULE_PATH_BENEATH, struct.pack("=Qi", rights, file), 0)
        os.close(file)
    _call(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
