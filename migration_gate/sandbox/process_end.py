"""Waits for the end of a process, without looking for it again and again."""

from __future__ import annotations

import os
import select
import subprocess

MILLISECONDS = 1000


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
