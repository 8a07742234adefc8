"""Signal dispositions of the processes that tests start and then send signals to."""

from __future__ import annotations

import signal


def restore_default_signals() -> None:
    """For `preexec_fn`: what the test run ignores (SIGHUP under nohup) is not ignored by the child."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
