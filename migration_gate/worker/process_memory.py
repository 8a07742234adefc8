"""Whether other processes of the same account may read this process's memory and descriptors.

The process that creates the models lies beside the one that runs the revisions. What these do to it must not
matter, so it is closed to them until they have run; the sandbox, which reads the address of each connection
in its memory, needs it open from then on.
"""

from __future__ import annotations

import sys

PR_SET_DUMPABLE = 4


def close_memory() -> None:
    """Close it, for this process and those that it forks."""
    _set_dumpable(0)


def open_memory() -> None:
    """Open it again, as the kernel has it for every process."""
    _set_dumpable(1)


def _set_dumpable(value: int) -> None:
    """prctl(2), on Linux; elsewhere nothing. An error changes nothing: the account's own rules stay."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, value, 0, 0, 0)
