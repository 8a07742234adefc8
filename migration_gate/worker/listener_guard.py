"""Keeps failures of the gate's own code apart from the project's, inside of whose calls it runs.

What only observes (listeners, recorders, looks between two revisions) must not end the run: it is left out,
and said. What the run cannot do without ends it with an error of its own.
"""

from __future__ import annotations

import contextlib
import functools
import os
import traceback
from typing import Any, Callable, Iterator, TypeVar

from .answer_stream import AnswerStream
from .error_report import WORKER_FOLDER, describe_error
from .protocol.run_lines import ObservationFailed

ValueT = TypeVar("ValueT")
ABORTED_TRANSACTION = "25P02"
NO_SESSION = ("08", "57P")
"""classes of SQLSTATEs: the session has ended"""
NO_CONNECTION_CLASSES = ("InterfaceError", "OperationalError", "ConnectionDoesNotExistError")
"""exceptions of the drivers, which come without an SQLSTATE if the session has ended"""


class GateFailed(Exception):
    """Something of the gate's failed in the project's process."""


class ListenerGuard:
    """Runs the gate's own functions, and remembers what failed."""

    def __init__(self) -> None:
        self.failures: dict[str, str] = {}
        """the first failure of each part, by the words for what it does"""
        self.has_spoilt_transaction = False
        """a statement of the gate's own may have ended the project's transaction"""

    def wrap(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which returns None if it fails. `what` it does, as a noun phrase."""

        @functools.wraps(function)
        def guarded(*positional: Any, **keywords: Any) -> Any:
            try:
                return function(*positional, **keywords)
            except Exception as error:
                self._remember(what, error)
                return None

        return guarded

    @contextlib.contextmanager
    def observing(self, what: str) -> Iterator[None]:
        """Leave out what fails inside, and remember it; but for what ended with the project's session."""
        try:
            yield
        except Exception as error:
            self._remember(what, error)

    def _remember(self, what: str, error: Exception) -> None:
        if not is_end_of_session(error):
            self.failures.setdefault(what, describe_failure(error))

    @contextlib.contextmanager
    def querying(self, what: str) -> Iterator[None]:
        """The same around statements on the project's own connection."""
        try:
            with self.observing(what):
                yield
        finally:
            self.has_spoilt_transaction = self.has_spoilt_transaction or what in self.failures

    @contextlib.contextmanager
    def demanding(self, what: str) -> Iterator[None]:
        """Raise GateFailed for what fails inside; what the project did to its session is its own error."""
        try:
            yield
        except Exception as error:
            if is_end_of_session(error):
                raise
            raise GateFailed("%s failed: %s" % (what, describe_failure(error))) from error

    def send_failures(self, answer: AnswerStream) -> None:
        """Send once what was left out."""
        failures, self.failures = self.failures, {}
        for what, error in failures.items():
            answer.send(ObservationFailed(what, error))


def is_end_of_session(error: BaseException) -> bool:
    """Whether an earlier error aborted the transaction, or the session was ended: any statement fails."""
    report = describe_error(error)
    if report.sqlstate is None:
        return report.exception_class in NO_CONNECTION_CLASSES
    return report.sqlstate == ABORTED_TRANSACTION or report.sqlstate.startswith(NO_SESSION)


def describe_failure(error: BaseException) -> str:
    """The error with its class, and the place in the gate's code."""
    report = describe_error(error)
    words = report.message
    if not words.startswith(report.exception_class):
        words = "%s: %s" % (report.exception_class, words)
    places = [
        "%s:%d" % (os.path.basename(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if os.path.dirname(os.path.abspath(frame.f_code.co_filename)) == WORKER_FOLDER
    ]
    return "%s (%s)" % (words, places[-1]) if places else words
