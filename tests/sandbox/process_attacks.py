"""Ways to act on a process outside of the sandbox that belongs to the same account, as programs.

A program gets the id of that process, which leads a group of its own. It ignores every error: what has become
of the process is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = """
import contextlib, ctypes, fcntl, os, platform, resource, signal, socket, struct, sys, threading, time

VICTIM = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"

def attempt(function, *words):
    with contextlib.suppress(OSError, OverflowError):
        function(*words)

def call(x86, arm, *words):
    return libc.syscall(x86 if X86 else arm, *words)

def await_end():
    # a signal that was sent is delivered before the next program ends
    time.sleep(0.05)
"""


@dataclass(frozen=True)
class ProcessAttack:
    """One way."""

    name: str
    code: str
    works_unguarded: bool = True
    """whether it ends the process without a sandbox"""


PROCESS_ATTACKS = (
    ProcessAttack("a signal", "attempt(os.kill, VICTIM, 9)"),
    ProcessAttack("a signal to its group", "attempt(os.killpg, VICTIM, 9)"),
    ProcessAttack("a signal to a thread", "call(200, 130, VICTIM, 9)"),
    ProcessAttack("a signal to a thread of a process", "call(234, 131, VICTIM, VICTIM, 9)"),
    ProcessAttack(
        "a signal with a value", "call(129, 138, VICTIM, 15, struct.pack('=iii116x', 15, 0, -1))", False
    ),
    ProcessAttack("a signal to a process's descriptor", "call(424, 424, os.pidfd_open(VICTIM), 9, 0, 0)"),
    ProcessAttack(
        "a signal to every process", "assert libc.kill(-1, signal.SIGCONT) < 0, 'sent'", False
    ),
    ProcessAttack("a signal from another process", """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        attempt(os.kill, VICTIM, 9)
    os._exit(0)
os.wait(); time.sleep(0.1)
"""),
    ProcessAttack("a signal when a socket can be read", """
here, there = socket.socketpair()
attempt(fcntl.fcntl, here, fcntl.F_SETOWN, VICTIM)
attempt(fcntl.fcntl, here, 10, 9)  # F_SETSIG
attempt(fcntl.fcntl, here, fcntl.F_SETFL, os.O_ASYNC)
there.send(b"x"); await_end()
"""),
    ProcessAttack("a signal when a pipe can be read", """
here, there = os.pipe()
attempt(fcntl.fcntl, here, 15, struct.pack("=ii", 1, VICTIM))  # F_SETOWN_EX, F_OWNER_PID
attempt(fcntl.fcntl, here, fcntl.F_SETFL, os.O_ASYNC)
os.write(there, b"x"); await_end()
"""),
    ProcessAttack("a signal when a socket can be read, by ioctl()", """
here, there = socket.socketpair()
for request in (0x8901, 0x8902):  # FIOSETOWN, SIOCSPGRP
    attempt(fcntl.ioctl, here, request, struct.pack("=i", VICTIM))
attempt(fcntl.ioctl, here, 0x5452, struct.pack("=i", 1))  # FIOASYNC
there.send(b"x"); await_end()
"""),
    ProcessAttack("a limit on the time of the processor", """
attempt(resource.prlimit, VICTIM, resource.RLIMIT_CPU, (0, 0))
await_end()
""", False),
    ProcessAttack("the keys of the session", "assert call(250, 219, 0, -3, 0) < 0, 'found'", False),
    ProcessAttack("numbers that no process has", """
for number in (-2**31, 2**31 - 1, 2**22, -2**22, 0x7fffffff00000001 - 2**64):
    libc.kill(ctypes.c_int(number & 0xffffffff), 15)
libc.connect(socket.socket(socket.AF_UNIX).fileno(), ctypes.c_void_p(2**64 - 4096), 110)
libc.connect(socket.socket(socket.AF_UNIX).fileno(), ctypes.c_void_p(2**63 + 5), 110)
socket.socket(socket.AF_UNIX).connect_ex("/nowhere")  # still answered
print("answered")
""", False),
)  # fmt: skip
