"""SIGINT, SIGTERM and SIGHUP as an exception, so that every context manager cleans up."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IGNORED_FROM_START = tuple(
    number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN
)
"""what `nohup`, or a shell that starts a program beside itself, keeps from it"""
IMPORT_SYSTEM = "<frozen importlib._bootstrap>"
"""the file of Python's frames that import"""
RETRY_SECONDS = 0.01
"""until a signal is looked at again that came at a bad moment"""
REMINDER_SECONDS = 0.1
"""until it is looked at whether somebody has dropped the exception"""

_uninterrupted_blocks = 0
"""how many blocks of `without_interruption` the main thread is in"""
_arrived = 0
"""the number of the signal that is to end the program; 0 for none"""


class Terminated(KeyboardInterrupt):
    """A signal has arrived."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.status = 128 + number


def raise_on_signals() -> None:
    """From now on a stopping signal raises Terminated in the main thread.

    Once; again, where it is dropped: by a finalizer, or by code in C that takes any error for its own.
    What the program was started to ignore stays ignored.
    """
    for number in STOPPING_SIGNALS:
        if number not in IGNORED_FROM_START:
            signal.signal(number, _stop)
    sys.unraisablehook = _report_unraisable


def ignore_signals() -> None:
    """From now on no stopping signal does anything."""
    for number in STOPPING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def find_interruption() -> Terminated | None:
    """A signal that is to end the program: code in C may have made another error of what it raised."""
    return Terminated(_arrived) if _arrived else None


def forget_interruption() -> None:
    """What Terminated was raised for has been done, or it came too late to matter."""
    global _arrived  # noqa: PLW0603 - as below
    _arrived = 0
    signal.signal(signal.SIGALRM, signal.SIG_IGN)  # at its end Python gives signals back to the system
    signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def without_interruption() -> Iterator[None]:
    """A block whose end a signal waits for, if the main thread is in it."""
    global _uninterrupted_blocks  # noqa: PLW0603 - a signal's handler is one for the process
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _uninterrupted_blocks += 1
    try:
        yield
    finally:
        _uninterrupted_blocks -= 1


def _stop(number: int, frame: FrameType | None) -> None:
    global _arrived  # noqa: PLW0603 - as above
    _arrived = number
    for stopping in STOPPING_SIGNALS:  # a second signal must not interrupt the clean-up
        signal.signal(stopping, _do_nothing)
    if _uninterrupted_blocks or _is_importing(frame):  # an import may hold a lock that it would not release
        _stop_later(number, RETRY_SECONDS)
        return
    _stop_later(number, REMINDER_SECONDS)
    if not _is_being_handled():
        raise Terminated(number)


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Of SIG_IGN in its place Python would complain where two signals arrive together."""


def _is_being_handled() -> bool:
    """Whether what runs just now was called while Terminated was on its way: it cleans up."""
    waiting, seen = [sys.exception()], set[int]()
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:  # one may be its own cause
            continue
        if isinstance(error, Terminated):
            return True
        seen.add(id(error))
        waiting += [error.__cause__, error.__context__]
    return False


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False


def _stop_later(number: int, seconds: float) -> None:
    signal.signal(signal.SIGALRM, lambda _, frame: _stop(number, frame))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _report_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised in a finalizer, and says so here: not of what is raised again."""
    if not isinstance(unraisable.exc_value, Terminated):
        sys.__unraisablehook__(unraisable)
