"""A time limit for a function that runs again in a fork.

Code that waits for a thread of the process before (an event loop that the project keeps in one) would wait
for ever: a fork has none of the threads.
"""

from __future__ import annotations

import contextlib
import signal
from typing import Iterator

LIMIT_SECONDS = 60
ENDED_BY_LIMIT = 128 + signal.SIGALRM
"""the exit status of such a process, as a shell counts it"""
HANGS = (
    "its function did not end within %d s when it ran again, in a fork of the process that ran the history: "
    "it may wait for a thread, which a fork does not have" % LIMIT_SECONDS
)


def forget_alarm_handler() -> None:
    """Have the end of the limit end this process, whatever the project's code has set. In the main thread."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


@contextlib.contextmanager
def limit_time(seconds: float = LIMIT_SECONDS) -> Iterator[None]:
    """End the process if the block does not end in time."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
