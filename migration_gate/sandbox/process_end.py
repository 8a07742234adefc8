"""Waits for the end of a process, without looking for it again and again, and says how it ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess

MILLISECONDS = 1000

OWN_SIGNALS = frozenset(
    getattr(signal, name)
    for name in ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP")
    if hasattr(signal, name)
)
"""what ends an interpreter for its own faults; every other signal comes from outside"""
LOWEST_SIGNAL_STATUS = 128
"""an exit status above it means: killed by the signal of the rest"""
ENDED_FROM_OUTSIDE = "Something ended it from outside: look for too little memory (`dmesg`), and run again."
"""advice for an end that is not a process's own"""


def wait_for_process(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ends within this time.

    `Popen.wait(timeout)` sleeps up to 50 ms between two looks, which each run would wait for; a descriptor of
    the process (Linux 5.3) can be read as soon as it has ended.
    """
    if process.poll() is not None:
        return True
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return _wait_with_pauses(process, seconds)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(seconds * MILLISECONDS)
    finally:
        os.close(descriptor)
    return process.poll() is not None


def _wait_with_pauses(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def describe_exit(status: int) -> str:
    """How a process ended: `ended with exit status 7`, `was killed by signal 11 (SIGSEGV)`.

    `status` is the sandbox's, which adds 128 to the number of a signal; negative if one killed it itself.
    """
    if 0 <= status <= LOWEST_SIGNAL_STATUS:
        return f"ended with exit status {status}"
    number = -status if status < 0 else status - LOWEST_SIGNAL_STATUS
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    return f"was killed by signal {number} ({name})"


def is_own_end(status: int) -> bool:
    """Whether the project's code may have ended its interpreter: by an exit, or by a crash of its own.

    `status` as for `describe_exit`. If it is false something outside of the project ended it.
    """
    if status < 0:  # the sandbox itself was killed, which nothing below it may do
        return False
    return status <= LOWEST_SIGNAL_STATUS or status - LOWEST_SIGNAL_STATUS in OWN_SIGNALS
