"""SIGINT, SIGTERM and SIGHUP as an exception, so that every context manager cleans up."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IMPORT_SYSTEM = "<frozen importlib._bootstrap>"
"""the file of Python's frames that import"""
RETRY_SECONDS = 0.01


class Terminated(KeyboardInterrupt):
    """A signal has arrived."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.status = 128 + number


def raise_on_signals() -> None:
    """From now on a stopping signal raises Terminated in the main thread, once."""
    for number in STOPPING_SIGNALS:
        signal.signal(number, _stop)
    sys.unraisablehook = _raise_again


def ignore_signals() -> None:
    """From now on no stopping signal does anything."""
    for number in STOPPING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> None:
    ignore_signals()  # a second signal must not interrupt the clean-up
    if _is_importing(frame):  # it may hold a lock that it would not release, and other threads import too
        _stop_later(number)
    else:
        _terminate(number)


def _terminate(number: int) -> NoReturn:
    raise Terminated(number)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False


def _stop_later(number: int) -> None:
    signal.signal(signal.SIGALRM, lambda _, frame: _stop(number, frame))
    signal.setitimer(signal.ITIMER_REAL, RETRY_SECONDS)


def _raise_again(unraisable: sys.UnraisableHookArgs) -> None:
    """In a finalizer or a callback Python drops every exception: the signal would be lost."""
    if isinstance(unraisable.exc_value, Terminated):
        _stop_later(unraisable.exc_value.number)
    else:
        sys.__unraisablehook__(unraisable)
