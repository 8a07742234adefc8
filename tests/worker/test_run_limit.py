"""A function that waits for what a fork does not have ends with its process."""

from __future__ import annotations

import os
import signal
import threading

from migration_gate.worker.run_limit import ENDED_BY_LIMIT, extend_limit, forget_alarm_handler, limit_time


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


def left_after(sql: str) -> float:
    """Seconds of a limit of 1000 s, of which 10 are left, after a statement."""
    with limit_time(1000):
        signal.setitimer(signal.ITIMER_REAL, 10)
        extend_limit(sql)
        return signal.getitimer(signal.ITIMER_REAL)[0]


def test_a_statement_that_does_something_begins_the_limit_anew() -> None:
    assert left_after("insert into t values (1)") > 900
    assert left_after(" SELECT done FROM jobs") < 11


def test_without_a_limit_none_begins() -> None:
    extend_limit("insert into t values (1)")
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
