"""Runs the project in a process of its own, and again if it failed for the want of a setting.

The first attempt is truthful: what is not set is not set. An attempt that fails before any revision may ask
for another one with additions. The interpreter is forked for each, and the database that one has used is
restored before the next, so none sees what an earlier one changed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from dataclasses import field
from typing import Any, Callable, NoReturn, Optional

from .additions import Additions
from .deferred_methods import dataclass
from .process_attributes import end_with_parent
from .stack_dumps import pass_stack_dumps_on

MAX_ATTEMPTS = 30
MOST_BYTES = 60_000
"""of what an attempt may write, which is less than a pipe holds"""
FINISHED = b"finished"


@dataclass(frozen=True)
class UseOfRun:
    """What an attempt has taken of the run, which the next one has to know."""

    request: str
    """the request for the models, if it was received"""
    has_connected: bool
    """to the database"""


@dataclass(frozen=True)
class Attempt:
    """One run of the project, and what it is given."""

    additions: Additions = field(default_factory=Additions)
    proven: Optional[Additions] = None
    """the additions to go back to if those of this attempt, which are a guess, do not help"""
    is_final: bool = False
    """must not ask for another one"""
    request: str = ""
    """the request for the models, if an earlier attempt has received it already"""
    follows_database_use: bool = False
    """the attempt before it may have changed the database"""
    descriptor: int = -1
    """to ask through"""
    process: int = 0
    """that runs it; what the project's code forks from it has no say"""

    def try_again(self, additions: Additions, proven: Optional[Additions], use: UseOfRun) -> NoReturn:
        """End this attempt, and have another one with these additions.

        `proven` are those to go back to, if the further ones are a guess.
        """
        self._ask_for(Attempt(additions, self.proven or proven), use)

    def take_guess_back(self, use: UseOfRun) -> NoReturn:
        """End this attempt, and have a last one without what was only guessed."""
        proven = self.proven or Additions()
        guessed = [name for name in self.additions.variables if name not in proven.variables]
        self._ask_for(Attempt(dataclasses.replace(proven, guessed_in_vain=guessed), is_final=True), use)

    def give_up(self, additions: Additions, use: UseOfRun) -> NoReturn:
        """End this attempt, and have a last one with fewer additions, whose error says more."""
        self._ask_for(Attempt(additions, is_final=True), use)

    def repeat(self, history: str, use: UseOfRun) -> NoReturn:
        """End this attempt, and have the same one again, which knows the history."""
        proven = None if self.proven is None else dataclasses.replace(self.proven, history=history)
        additions = dataclasses.replace(self.additions, history=history)
        self._ask_for(dataclasses.replace(self, additions=additions, proven=proven), use)

    def finish(self) -> NoReturn:
        """End this attempt as one that has come to its own end."""
        self._end(FINISHED)

    def _ask_for(self, attempt: Attempt, use: UseOfRun) -> NoReturn:
        attempt = dataclasses.replace(attempt, request=use.request, follows_database_use=use.has_connected)
        self._end(encode_attempt(attempt))

    def _end(self, message: bytes) -> NoReturn:
        end_process(message if os.getpid() == self.process else b"", self.descriptor)


def encode_attempt(attempt: Attempt) -> bytes:
    """The attempt as JSON."""
    return json.dumps(dataclasses.asdict(attempt)).encode("ascii")


def decode_attempt(data: bytes) -> Attempt:
    """What `encode_attempt` made. Raises ValueError or TypeError for anything else."""
    fields: dict[str, Any] = json.loads(data)
    proven = fields.pop("proven")
    return Attempt(
        additions=Additions(**fields.pop("additions")),
        proven=None if proven is None else Additions(**proven),
        is_final=bool(fields.pop("is_final")),
        request=str(fields.pop("request")),
        follows_database_use=bool(fields.pop("follows_database_use")),
    )


def end_process(message: bytes, descriptor: int) -> NoReturn:
    """Write the message, and leave at once: threads and exit handlers of the project's must not delay it."""
    with contextlib.suppress(BrokenPipeError):  # who waited for it has been killed
        os.write(descriptor, message[:MOST_BYTES])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)


@dataclass(frozen=True)
class AttemptsEnd:
    """How the last attempt ended."""

    status: int
    """of its process, as the shell counts a signal"""
    is_finished: bool
    """it came to its own end, with whatever result"""


def run_attempts(run: Callable[[Attempt], None], restore_database: Callable[[], None]) -> AttemptsEnd:
    """Run attempts until one finishes."""
    attempt = Attempt()
    for number in range(1, MAX_ATTEMPTS + 1):
        if number == MAX_ATTEMPTS:
            additions = attempt.proven or attempt.additions
            attempt = dataclasses.replace(attempt, additions=additions, is_final=True)
        status, message = run_in_child(attempt, run)
        if status != 0 or message == FINISHED:
            return AttemptsEnd(status, is_finished=message == FINISHED)
        try:
            attempt = decode_attempt(message)
        except (ValueError, TypeError, KeyError):  # the project's code ended the process
            return AttemptsEnd(status, is_finished=False)
        if attempt.follows_database_use:
            restore_database()
    return AttemptsEnd(status, is_finished=False)


def run_in_child(attempt: Attempt, run: Callable[[Attempt], None]) -> tuple[int, bytes]:
    """Run the attempt in a fork of this process.

    Returns the fork's exit status as a shell counts it, and its last message: FINISHED if it came to its end.
    """
    read_descriptor, write_descriptor = os.pipe()
    # What is in the buffers now would be printed by both processes.
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        end_with_parent(parent)
        os.close(read_descriptor)
        attempt = dataclasses.replace(attempt, descriptor=write_descriptor, process=os.getpid())
        run(attempt)
        attempt.finish()
    os.close(write_descriptor)
    pass_stack_dumps_on(child)
    _, wait_status = os.waitpid(child, 0)
    os.set_blocking(read_descriptor, False)
    try:
        message = os.read(read_descriptor, MOST_BYTES)
    except BlockingIOError:  # a daemon of the project's holds the pipe
        message = b""
    os.close(read_descriptor)
    status = os.waitstatus_to_exitcode(wait_status)
    return (status if status >= 0 else 128 - status), message
