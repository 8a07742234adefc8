"""The process between us and the server: whatever becomes of us, it cleans up.

Run as a script, in a session of its own, with the standard library alone. It starts what it is told
to start, one command at a time, and reads its orders from standard input. When that ends, for whatever
reason (we are done, we were interrupted, we were killed), it stops what it started, runs the farewell,
and removes the folders. Success and SIGKILL therefore go the same way.

Orders, a JSON object a line:
    {"command", "user", "env", "log", "signal", "pidfile", "confined"} start this
    {"stop": true}                                           stop it now
    {"farewell", "input"}                                    run this command at the end
Answers: {"pid": n} | {"failed": text} after a start, {"ended": status} when the process ends (negative:
the signal that killed it).
"""

from __future__ import annotations

import _socket
import ctypes
import json
import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

if not __package__:  # started as a script, with nothing but the standard library on the path
    sys.path.append(str(Path(__file__).parents[2]))

from migration_gate.sandbox.connect_broker import Door, enter
from migration_gate.sandbox.options import SandboxOptions
from migration_gate.sandbox.seccomp import supports_seccomp

PR_SET_PDEATHSIG = 1
IPC_RMID = 0
GRACE_SECONDS = 8.0
"""for the server to stop; it gives its own children five"""
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)

Order = dict[str, object]


class Charge:
    """The one process that is being looked after."""

    def __init__(self) -> None:
        self.pid = 0
        self.status: int | None = None
        self.order: Order = {}

    def start(self, order: Order) -> None:
        """Start the command. Raises OSError where there can be no new process."""
        self.order = order
        self.status = None
        user = order["user"]
        account = {"uid": user[0], "gid": user[1]} if isinstance(user, list) else {}
        door, (ours, theirs) = Door(SandboxOptions(**account)), _socket.socketpair()
        self.pid = os.fork() or become(order, theirs)
        theirs.close()
        door.keep(ours)

    def reap(self) -> bool:
        """Whether the process ended since the last look."""
        if not self.pid or self.status is not None:
            return False
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.status = os.waitstatus_to_exitcode(status)
        return bool(pid)

    def stop(self) -> None:
        """End it, politely at first, and wait for the end."""
        if not self.pid:
            return
        deadline = time.monotonic() + GRACE_SECONDS
        if self.status is None:
            os.kill(self.pid, int(str(self.order["signal"])))
        while self.status is None and not self.reap():
            if time.monotonic() > deadline:
                os.killpg(self.pid, signal.SIGKILL)
            time.sleep(0.001)
        if self.status:
            free_shared_memory(str(self.order.get("pidfile") or ""))


def become(order: Order, guard: _socket.socket) -> NoReturn:
    """Turn this fresh child into the ordered command."""
    try:
        os.setsid()
        for number in IGNORED:
            signal.signal(number, signal.SIG_DFL)
        log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        user, command, environ = order["user"], order["command"], order["env"]
        if not isinstance(command, list) or not isinstance(environ, dict):
            raise TypeError("not an order")  # noqa: TRY301
        os.umask(0o077)
        if isinstance(user, list):
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])
        os.chdir("/")
        die_with_parent(int(str(order["signal"])))
        if supports_seccomp() and order["confined"]:  # a server; a relay has to reach another one
            with suppress(OSError):  # a kernel without filters
                enter(guard)  # COPY FROM PROGRAM, dblink and their like reach no other server either
        os.execve(command[0], command, environ)  # noqa: S606
    except BaseException as error:  # noqa: BLE001 -- a fork must never return into the guard's own loop
        os.write(2, f"{order['command']}: {error}\n".encode())
    os._exit(127)


def die_with_parent(number: int) -> None:
    """If the guard itself is killed, Linux tells the server. To be called after setuid, which clears it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def free_shared_memory(pidfile: str) -> None:
    """Remove the System V segment that a killed server leaves; line 7 of its pid file is `key id`."""
    try:
        words = Path(pidfile).read_text().splitlines()[6].split()
        ctypes.CDLL(None).shmctl(int(words[1]), IPC_RMID, None)
    except (OSError, IndexError, ValueError, AttributeError):
        return


def remove(folders: list[str]) -> None:
    """Remove the folders. A child of a killed initdb may still write for a moment, hence the second try."""
    for folder in folders:
        for _ in range(20):
            shutil.rmtree(folder, ignore_errors=True)
            if not Path(folder).exists():
                break
            time.sleep(0.05)


def say(answer: Order) -> None:
    """One answer; nobody may be there to read it."""
    try:
        os.write(1, (json.dumps(answer) + "\n").encode())
    except OSError:
        return


def obey(line: bytes, charge: Charge, farewell: Order) -> None:
    """Carry out one order."""
    order = json.loads(line)
    if "farewell" in order:
        farewell.update(order)
        return
    if "stop" in order:
        charge.stop()
        say({"ended": charge.status})
        return
    try:
        charge.start(order)
        say({"pid": charge.pid})
    except OSError as error:
        say({"failed": str(error)})


def listen(parent: int, charge: Charge, farewell: Order) -> None:
    """Take orders until there is nobody left to give them."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pending = b""
    while os.getppid() == parent:  # a forked child of our parent may hold the pipe open
        ready, _, _ = select.select([0, wake], [], [], 1.0)
        if wake in ready:
            os.read(wake, 512)
        if charge.reap():
            say({"ended": charge.status})
        if 0 in ready:
            data = os.read(0, 1 << 16)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                obey(line, charge, farewell)


def part(farewell: Order) -> None:
    """Run the farewell, with what it needs to know on its standard input (it may hold a password)."""
    command = farewell.get("farewell")
    if not isinstance(command, list):
        return
    import subprocess  # noqa: PLC0415 -- only here, and it doubles the start-up time

    subprocess.run(command, input=str(farewell["input"]).encode(), stdout=2, timeout=60, check=False)


def main(parent: int, folders: list[str], inherited: list[int]) -> None:
    """Guard until the end, then clean up."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    for descriptor in inherited:  # locks on the folders: ours alone, so that they end with us
        os.set_inheritable(descriptor, False)
    charge, farewell = Charge(), dict[str, object]()
    try:
        listen(parent, charge, farewell)
    finally:
        try:
            charge.stop()
        finally:
            remove(folders)
            part(farewell)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3]))
