"""Starts a command as a child process, and ends it with everything that it started.

Shared by the sandbox and by the supervisor of the Postgres server. Standard library only: both have to start
in milliseconds.

Why not `subprocess`: the filter of system calls has to be set in the child, after setuid() and before exec(),
and the parent has to answer the filter's first question before the child can go on (see `connect_broker`).
`subprocess.Popen` returns only after exec(): parent and child would wait for each other.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
CANNOT_EXECUTE = 127
"""exit status of a child that could not become its command, as in a shell"""
NOT_STARTED = "The command could not be started: "
"""what such a child prints before the reason"""
KILL_ROUNDS = 2000
"""how often processes are looked for that were started while others were being killed"""
KILL_PAUSE_SECONDS = 0.001


def set_process_attribute(option: int, value: int) -> None:
    """prctl(2), on Linux; elsewhere nothing. Raises OSError."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def die_with_parent(number: int) -> None:
    """Have the kernel send this process a signal when its parent ends. setuid() clears this."""
    set_process_attribute(PR_SET_PDEATHSIG, number)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that `list_children` finds it."""
    set_process_attribute(PR_SET_CHILD_SUBREAPER, 1)


def forbid_new_privileges() -> None:
    """Make set-user-ID programs and file capabilities ineffective, for this process and its children."""
    set_process_attribute(PR_SET_NO_NEW_PRIVS, 1)


def allow_reading_memory() -> None:
    """Let other processes of the same user read this process's memory; setuid() forbids it."""
    set_process_attribute(PR_SET_DUMPABLE, 1)


def forbid_reading_memory() -> None:
    """Close this process's memory and descriptors to others of the same user, until it executes a program."""
    with suppress(OSError):  # where the kernel refuses, the user's own rules stay
        set_process_attribute(PR_SET_DUMPABLE, 0)


def drop_privileges(uid: int | None, gid: int | None) -> None:
    """Become this user, in no other group. None: stay who we are. Raises OSError."""
    if uid is None or gid is None:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def fork_child(execute: Callable[[], object]) -> int:
    """Start a child process that calls `execute`, which has to end in exec(). Returns the child's pid.

    Where it raises an error or returns, the child prints the error and exits with status 127.
    """
    pid = os.fork()
    if pid:
        return pid
    try:
        execute()
    except BaseException as error:  # noqa: BLE001 -- the child must never return into its parent's code
        os.write(2, f"{NOT_STARTED}{getattr(error, 'strerror', None) or error}\n".encode())
    finally:
        os._exit(CANNOT_EXECUTE)


def list_children() -> list[int]:
    """The processes whose parent is this one: the command, and orphans that it left. None without /proc."""
    children: list[int] = []
    if not os.path.isdir("/proc"):  # noqa: PTH112  (pathlib takes 5 ms to import)
        return children
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and read_parent(int(name)) == os.getpid():
            children.append(int(name))
    return children


def read_parent(pid: int) -> int:
    """The parent of a process; 0 if the process has just ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:  # noqa: PTH123
            status = stream.read()
    except OSError:
        return 0
    after_name = status.rsplit(b")", 1)[1]  # the name may hold spaces and parentheses
    return int(after_name.split()[1])


def kill_descendants(child: int) -> None:
    """Kill every process in `list_children`, and what these leave behind, until all have ended.

    After `adopt_orphans` these are all descendants, also those in a session of their own. Without /proc
    (not on Linux) it is the process group of the child, which therefore has to lead one (setsid).
    """
    for _ in range(KILL_ROUNDS):
        if not _reap_children(os.WNOHANG):
            return
        for pid in list_children() or [-child]:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(KILL_PAUSE_SECONDS)  # never a wait without end: what may not be killed is left


def _reap_children(options: int) -> bool:
    """Collect children that have ended; with options 0 at least one. False if there is no child at all."""
    try:
        pid, _ = os.waitpid(-1, options)
        while pid:
            pid, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def wait_for_child(child: int) -> int:
    """Wait until the child itself ends, and reap orphans until then.

    Returns its exit status; the negative number of the signal where one killed it.
    """
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return os.waitstatus_to_exitcode(status)
