"""A time limit for a function that runs again in a fork.

Code that waits for a thread of the process before (an event loop that the project keeps in one) would wait
for ever: a fork has none of the threads.
"""

from __future__ import annotations

import contextlib
import re
import signal
from typing import Iterator

LIMIT_SECONDS = 60
"""since the function began, or its last statement ended that was more than a question"""
IS_QUESTION = re.compile(r"\s*(?:select|show|values|table)\b", re.IGNORECASE)
ENDED_BY_LIMIT = 128 + signal.SIGALRM
"""the exit status of such a process, as a shell counts it"""
HANGS = (
    "its function did nothing for %d s when it ran again, in a fork of the process that ran the history: "
    "it may wait for a thread, which a fork does not have" % LIMIT_SECONDS
)


def forget_alarm_handler() -> None:
    """Have the end of the limit end this process, whatever the project's code has set. In the main thread."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


_seconds: list[float] = []
"""of the limits that are running, the innermost last"""


@contextlib.contextmanager
def limit_time(seconds: float = LIMIT_SECONDS) -> Iterator[None]:
    """End the process if the block does not end in time."""
    _seconds.append(seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _seconds.pop()


def extend_limit(sql: str) -> None:
    """Have the limit, if one is running, begin anew: the block has run a statement, of maybe ten thousand.

    To ask again and again for what another thread should do is no progress.
    """
    if _seconds and not IS_QUESTION.match(sql):
        signal.setitimer(signal.ITIMER_REAL, _seconds[-1])
