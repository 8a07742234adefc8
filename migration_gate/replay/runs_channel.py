"""Has the interpreter that ran the history run single functions of revisions once more."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from migration_gate.replay.worker_answer_stream import AnswerStream
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.order import RevisionRun, RunsRequest
from migration_gate.worker.protocol.rollback_lines import RunsFinished

ENDED = "the project's interpreter has ended"
QUERY_CANCELED = (
    "a query of the gate's own did not end within the time limit of statements (`limits.statement`): a "
    "connection that the revision left open may hold a lock on what it reads"
)


class AnswerInProgress:
    """An answer that is being read: what has come, and where the rest comes from."""

    def __init__(self, stream: AnswerStream) -> None:
        self.stream = stream
        self.iterator = iter(stream)
        self.lines: list[Line] = []


class RunsChannel:
    """Sends requests one by one, and reads what comes of each."""

    def __init__(self, answer: AnswerInProgress) -> None:
        """What else comes is added to the lines of the answer."""
        self._answer = answer

    def run(self, database: str, runs: Sequence[RevisionRun], *, prepares: bool = False) -> RunsFinished:
        """Run the functions in the database, in their order. Raises what an `AnswerStream` raises."""
        return self.send(RunsRequest(database, tuple(runs), prepares))

    def send(self, request: RunsRequest) -> RunsFinished:
        """Have the request carried out. Raises what an `AnswerStream` raises."""
        self._answer.stream.send_request(request)
        for line in self._answer.iterator:
            if isinstance(line, RunsFinished):
                return line
            self._answer.lines.append(line)
        return RunsFinished(problem=ENDED)


class RunsSession:
    """Runs functions in one run of env.py, and has each committed: `alembic downgrade -5` is one, too."""

    def __init__(self, channel: RunsChannel, database: str) -> None:
        self._channel = channel
        self._database = database
        self._is_open = False

    def __enter__(self) -> RunsSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        # An error of the gate's own session ends a trial, and not the run.
        if self._is_open and (kind is None or issubclass(kind, psycopg.Error)):
            self._channel.send(RunsRequest(self._database, (), prepares=False))

    def run(self, runs: Sequence[RevisionRun]) -> RunsFinished:
        """Run the functions, in their order. After an error the session is over, and no other can follow."""
        finished = self._channel.send(
            RunsRequest(self._database, tuple(runs), prepares=False, keeps_session=True)
        )
        self._is_open = finished.keeps_session
        return finished
