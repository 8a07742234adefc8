"""Has the worker's second interpreter create the models, in a copy of the replayed database.

If env.py fails there, or ends early, the interpreter that ran the revisions creates them after all; then
the reason is said, because what a revision did to the metadata cannot be told from the models any more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

from migration_gate.facts import Unchecked
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.base_database import split_history
from migration_gate.replay.initial_state import let_sessions_wait
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.worker_answer_stream import AnswerStream
from migration_gate.replay.worker_process import WorkerProcess
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import ContextFinished, HistoryFinished
from migration_gate.worker.protocol.model_lines import ContextsMissing, ModelsCreated
from migration_gate.worker.protocol.order import ContextPlace, ModelsRequest
from migration_gate.worker.protocol.run_lines import RunFailed

FALLBACK = "the models were taken from the process that ran the revisions, which may have changed them"


@dataclass(frozen=True, slots=True)
class ModelsAnswer:
    """What came of the request."""

    created: ModelsCreated | None = None
    """None if env.py did not get there"""
    failure: str = ""
    """why not, as a clause"""

    @property
    def unchecked(self) -> tuple[Unchecked, ...]:
        """What is to be said of it."""
        if not self.failure:
            return ()
        return (Unchecked("models", f"in a process that runs no revision {self.failure}; {FALLBACK}"),)


def copy_for_models(setup: ReplaySetup) -> None:
    """Copy the replayed database for the models; a copy that there is already is replaced."""
    setup.server.copy_used_database(setup.database, setup.models_database)
    with setup.server.connect(setup.models_database) as connection:
        let_sessions_wait(connection)


def build_models_request(setup: ReplaySetup, lines: Sequence[Line]) -> ModelsRequest:
    """What the models' interpreter has to know, by the lines of the replay."""
    contexts = [line for line in lines if isinstance(line, ContextFinished)]
    finished = [line for line in lines if isinstance(line, HistoryFinished)]
    return ModelsRequest(
        places=tuple(ContextPlace(line.search_path, line.default_schema) for line in contexts),
        tables=finished[-1].tables if finished else (),
        describes_tables=_compares_releases(setup, lines),
    )


def _compares_releases(setup: ReplaySetup, lines: Sequence[Line]) -> bool:
    """Whether the change has revisions whose effect on the live release is tried, or this is its base."""
    if setup.settings.observe == "off":
        return False
    return not setup.settings.examines_base or bool(split_history(lines, setup.pending_files).new)


def request_models(setup: ReplaySetup, worker: WorkerProcess, request: ModelsRequest) -> ModelsAnswer:
    """Request the models of the second interpreter; the copy is there. Raises what `AnswerStream` raises."""
    assert worker.models_pipes is not None  # noqa: S101  (the worker of a replay has two)
    stream = AnswerStream(worker, worker.models_pipes, setup.settings, setup.server, setup.models_database)
    with contextlib.closing(stream):
        return receive_models(stream, request)


def receive_models(stream: AnswerStream, request: ModelsRequest) -> ModelsAnswer:
    """Request the models of an interpreter that has its order. Raises what `AnswerStream` raises.

    Its end is not waited for: the models can be read meanwhile.
    """
    stream.send_request(request)
    stream.close_order()
    return _read_models_answer(stream, len(request.places))


def _read_models_answer(lines: Iterable[Line], contexts: int) -> ModelsAnswer:
    for line in lines:
        match line:
            case ModelsCreated():
                return ModelsAnswer(line)
            case ContextsMissing():
                return ModelsAnswer(
                    failure=f"env.py called run_migrations() {line.number} times, in the replay {contexts}"
                )
            case RunFailed():
                what = "the models could not be created" if line.stage == "models" else "env.py failed"
                return ModelsAnswer(failure=f"{what}: {line.error.message}")
            case _:
                continue
    return ModelsAnswer(failure="env.py said nothing of its models")
