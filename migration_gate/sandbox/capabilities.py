"""What root gives up where no other account can run the command: the rights that make it more than a user."""

from __future__ import annotations

import ctypes
import os
import struct
import sys

PR_CAPBSET_DROP = 24
LAST_CAPABILITY = 63
CAP_DAC_READ_SEARCH = 2
"""to read everything: the command's files may be readable to root alone, which is why it runs as root"""
HEADER = struct.pack("=Ii", 0x20080522, 0)
"""of capget() and capset(): version 3, for the thread that calls"""
SETS = "=6I"
"""effective, permitted, inheritable: their low 32 bits, then their high ones"""


def drop_capabilities() -> None:
    """As root: lose all capabilities but that to read, for this thread and what it starts. Else nothing.

    Root stays the owner of root's files, but mounts nothing, traces nobody, loads no module, and changes no
    file of another user. A program that root executes gets back what is in the bounding set; where that
    cannot be changed (without CAP_SETPCAP), `forbid_new_privileges` keeps them away. Raises OSError.
    """
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(LAST_CAPABILITY + 1):
        if capability != CAP_DAC_READ_SEARCH:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # (refused where it is not there)
    sets = ctypes.create_string_buffer(struct.calcsize(SETS))
    _require_success(libc.capget(HEADER, sets))
    kept = struct.unpack(SETS, sets.raw)[1] & 1 << CAP_DAC_READ_SEARCH
    _require_success(libc.capset(HEADER, struct.pack(SETS, kept, kept, 0, 0, 0, 0)))


def _require_success(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
