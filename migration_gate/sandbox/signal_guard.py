"""Decides which processes the sandboxed command may send signals to.

The worker is several processes of one account: code that runs in one of them could end the others, or the
one that creates the models. A signal to a process of one's own making is allowed, one to the worker's own
processes is not. The arguments of these calls are numbers, which the kernel does not read a second time.
"""

from __future__ import annotations

import errno
import os
import platform

from migration_gate.sandbox.child_process import read_parent
from migration_gate.sandbox.seccomp import SIGNAL_CALLS, SYSTEM_CALLS

WORKER_DEPTH = 2
"""the worker's own processes are the command, its children and theirs"""


def is_signal_call(number: int) -> bool:
    """Whether the call of this number sends a signal; its first argument is the process then."""
    calls = SYSTEM_CALLS[platform.machine()]
    return number in (calls[name] for name in SIGNAL_CALLS)


def decide_signal(caller: int, target: int, command: int) -> int:
    """0 where the signal may be sent, else EPERM.

    caller: id of the thread that sends it. target: as kill(2) takes it. command: the sandboxed command.
    """
    caller = read_thread_group(caller)
    if target == -1 or (target <= 0 and _is_group_of(target, caller, command)):
        return errno.EPERM
    if target <= 0 or caller in _list_ancestors(target):
        return 0
    worker_processes = _list_ancestors(target)[: WORKER_DEPTH + 1]
    return errno.EPERM if command in worker_processes else 0


def _is_group_of(target: int, caller: int, command: int) -> bool:
    """Whether a group (0: the caller's own) is that of the command."""
    try:
        group = -target if target else os.getpgid(caller)
        return group == os.getpgid(command)
    except ProcessLookupError:
        return False


def _list_ancestors(process: int) -> list[int]:
    """The process (or the one of that thread), its parent, and so on."""
    ancestors = []
    current = read_thread_group(process)
    while current > 1:
        ancestors.append(current)
        current = read_parent(current)
    return ancestors


def read_thread_group(thread: int) -> int:
    """The process of a thread; the number itself if there is none."""
    try:
        with open(f"/proc/{thread}/status", encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            lines = [line for line in stream if line.startswith("Tgid:")]
        return int(lines[0].split()[1])
    except (OSError, IndexError):
        return thread
