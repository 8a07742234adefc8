"""What the kernel is told of this process: who may read its memory, and that it ends with its parent.

The process that creates the models lies beside the one that runs the revisions. What these do to it must not
matter, so it is closed to them until they have run; the sandbox, which reads the address of each connection
in its memory, needs it open from then on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4


def close_memory() -> None:
    """Close it, for this process and those that it forks."""
    _set_dumpable(0)


def open_memory() -> None:
    """Open it again, as the kernel has it for every process."""
    _set_dumpable(1)


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process, a fork of `parent`, when that is killed or ends."""
    _set_attribute(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _set_dumpable(value: int) -> None:
    _set_attribute(PR_SET_DUMPABLE, value)


def _set_attribute(option: int, value: int) -> None:
    """prctl(2), on Linux; elsewhere nothing. An error changes nothing: the account's own rules stay."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(ImportError):  # Python can be built without it
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
