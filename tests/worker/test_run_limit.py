"""A function that waits for what a fork does not have ends with its process."""

from __future__ import annotations

import os
import signal
import threading

from migration_gate.worker.run_limit import ENDED_BY_LIMIT, forget_alarm_handler, limit_time


def run_in_fork(*, hangs: bool) -> int:
    """The exit status, as a shell counts it."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, lambda number, frame: None)  # the project's own
        forget_alarm_handler()
        with limit_time(0.01 if hangs else 60):
            if hangs:
                threading.Event().wait()
        os._exit(signal.setitimer(signal.ITIMER_REAL, 0)[0] > 0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


def test_a_function_that_waits_for_ever_ends_its_process() -> None:
    assert run_in_fork(hangs=True) == ENDED_BY_LIMIT


def test_one_that_ends_has_no_limit_afterwards() -> None:
    assert run_in_fork(hangs=False) == 0
