"""Attempts something at GitHub's API again after a temporary failure, a few times."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

from migration_gate.action.github_client import GitHubClient, NotCommented, PullRequest, TemporaryFailure

MAX_ATTEMPTS = 4
MAX_WAIT_SECONDS = 60.0
"""for all pauses together, if a server is busy or limits us"""
REPOSITORY_NAME = re.compile(r"[\w.-]+/[\w.-]+")
Result = TypeVar("Result")


def repeat_attempt(
    pull_request: PullRequest,
    attempt: Callable[[GitHubClient], Result],
    wait: Callable[[float], None] = time.sleep,
) -> Result:
    """The result of the first attempt that succeeds. Raises NotCommented.

    An attempt must find out by itself what an earlier one has done, whose answer may have got lost. `wait`
    sleeps for a number of seconds.
    """
    if not REPOSITORY_NAME.fullmatch(pull_request.repository):
        raise NotCommented(f"{pull_request.repository!r} is not the name of a repository")
    waited_seconds = 0.0
    attempts = 0
    while True:
        attempts += 1
        try:
            with GitHubClient(pull_request) as client:
                return attempt(client)
        except TemporaryFailure as failure:
            pause = failure.pause_seconds
            if pause is None:
                pause = 2.0 ** (attempts - 1)
            waited_seconds += pause
            if attempts == MAX_ATTEMPTS or waited_seconds > MAX_WAIT_SECONDS:
                message = f"GitHub was asked {attempts} times, and the last answer was: {failure}"
                raise NotCommented(message) from failure
        wait(pause)
