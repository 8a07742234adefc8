"""Decides which processes the sandboxed command may send signals to, or change the limits of.

Processes outside of the sandbox may belong to the same account: the gate and the user's other programs where
the gate is a plain user's, other runs where it is root's. No signal reaches them.

The worker itself is several processes of one account: code that runs in one of them could end the others, or
the one that creates the models. A signal to a process of one's own making is allowed, one to the worker's own
processes is not. The arguments of these calls are numbers, which the kernel does not read a second time.
"""

from __future__ import annotations

import errno
import os

from migration_gate.sandbox.child_process import read_parent
from migration_gate.sandbox.system_calls import GUARDED_CALLS, SYSTEM_CALLS

WORKER_DEPTH = 2
"""the worker's own processes are the command, its children and theirs"""


def is_signal_call(number: int) -> bool:
    """Whether the call of this number sends a signal, or sets a limit: its first argument is the process."""
    calls = SYSTEM_CALLS[os.uname().machine]
    return number in (calls[name] for name in GUARDED_CALLS)


def decide_signal(caller: int, target: int, command: int) -> int:
    """0 where the signal may be sent, else the number of an error. To be called in the sandbox's process.

    caller: id of the thread that sends it. target: as kill(2) takes it. command: the sandboxed command.
    """
    caller = read_thread_group(caller)
    if target == -1:
        return errno.EPERM
    if target <= 0:
        return _decide_group(-target or os.getpgid(caller), command)
    ancestors = _list_ancestors(target)
    if os.getpid() not in ancestors[1:]:
        return errno.EPERM
    if caller in ancestors:
        return 0
    return errno.EPERM if command in ancestors[: WORKER_DEPTH + 1] else 0


def _decide_group(group: int, command: int) -> int:
    """A group may get a signal if all of it is in the sandbox, and it is not that of the command."""
    if group == _read_group(command):
        return errno.EPERM
    members = [process for process in _list_processes() if _read_group(process) == group]
    if not members:
        return errno.ESRCH
    return 0 if all(os.getpid() in _list_ancestors(member)[1:] for member in members) else errno.EPERM


def _list_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _read_group(process: int) -> int | None:
    try:
        return os.getpgid(process)
    except OSError:
        return None


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
