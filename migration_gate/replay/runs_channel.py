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
        self.begin(request)
        return self.finish()

    def begin(self, request: RunsRequest) -> None:
        """Have the interpreter begin with the request; `finish` is to be called before another one."""
        self._answer.stream.send_request(request)

    def finish(self) -> RunsFinished:
        """What came of the request that was begun. Raises what an `AnswerStream` raises."""
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
        self._is_beginning = False

    def __enter__(self) -> RunsSession:
        return self

    def begin(self) -> None:
        """Have env.py run up to its first function meanwhile."""
        self._channel.begin(RunsRequest(self._database, (), prepares=False, keeps_session=True))
        self._is_beginning = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        # An error of the gate's own session ends a trial, and not the run.
        if not (kind is None or issubclass(kind, psycopg.Error)):
            return
        self._await_begin()
        if self._is_open:
            self._channel.send(RunsRequest(self._database, (), prepares=False))

    def run(self, runs: Sequence[RevisionRun]) -> RunsFinished:
        """Run the functions, in their order. After an error the session is over, and no other can follow."""
        begun = self._await_begin()
        if begun is not None and not begun.keeps_session:
            return begun
        finished = self._channel.send(
            RunsRequest(self._database, tuple(runs), prepares=False, keeps_session=True)
        )
        self._is_open = finished.keeps_session
        return finished

    def _await_begin(self) -> RunsFinished | None:
        """What came of the beginning, if it was not asked for before."""
        if not self._is_beginning:
            return None
        self._is_beginning = False
        finished = self._channel.finish()
        self._is_open = finished.keeps_session
        return finished
