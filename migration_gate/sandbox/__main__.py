"""The parent of the caged command."""

from __future__ import annotations

import _socket
import json
import os
import signal
import sys
import time

if not __package__:  # started as a folder, with nothing but the standard library on the path
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120

from migration_gate.sandbox.connect_broker import Door, enter
from migration_gate.sandbox.options import SandboxOptions
from migration_gate.sandbox.seccomp import prctl

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
USAGE = 64


def _become(options: SandboxOptions, command: list[str], ours: _socket.socket) -> None:
    """In the child: give up what the command must not have, then be it."""
    os.setsid()
    if options.uid is not None and options.gid is not None:
        os.setgroups([])
        os.setgid(options.gid)
        os.setuid(options.uid)
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after setuid, which clears it
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if options.unix_sockets_only:
        enter(ours)
    os.execv(command[0], command)  # noqa: S606  (the interpreter that the gate chose)


def _tell(door: Door, answer: int | None) -> None:
    """Begin the command's answer with what the door leaves open, where there is something to be reached."""
    others = door.others()
    if others and answer is not None:
        text = (
            f"another Postgres has a socket here ({others[0]}), and this kernel cannot keep the project's "
            "code from it; connections through SQLAlchemy and the usual drivers are redirected"
        )
        os.write(answer, json.dumps({"kind": "note", "text": text, "at": 0}).encode() + b"\n")


def _children() -> list[int]:
    """The processes whose parent we are: ours, and orphans that the command left."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:  # noqa: PTH208, PTH112
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stream:  # noqa: PTH123
                    fields = stream.read().rsplit(b")", 1)[1].split()
            except OSError:
                continue  # it has just ended
            if int(fields[1]) == os.getpid():
                found.append(int(name))
    return found


def _end_all(child: int) -> None:
    """Kill the command's session and every descendant, however it hid."""
    for _ in range(200):
        for pid in {*_children(), child}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
        time.sleep(0.001)


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status (128 + signal when it was killed)."""
    if len(arguments) < 2:
        return USAGE
    options, command = SandboxOptions.from_json(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ours, theirs = _socket.socketpair()
    door = Door(options)
    child = os.fork()
    if child == 0:
        ours.close()
        _become(options, command, theirs)
    theirs.close()
    if options.unix_sockets_only and not door.keep(ours):
        _tell(door, options.notes_descriptor)
    for descriptor in options.descriptors_to_close:
        os.close(descriptor)

    def stop(number: int, frame: object) -> None:
        _end_all(child)
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # from here on the gate's death ends the orphans, too
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, lambda number, frame: os.kill(child, number))
    status = _wait(child)
    _end_all(child)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _wait(child: int) -> int:
    """Wait for the command itself, reaping orphans on the way."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
