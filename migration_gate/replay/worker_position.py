"""How far a worker has come, for messages about one that hung or ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from migration_gate.lazy_dataclass import dataclass
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import ContextConfigured
from migration_gate.worker.protocol.order import Request, RevisionRun, RunsRequest
from migration_gate.worker.protocol.rollback_lines import RunsFinished
from migration_gate.worker.protocol.run_lines import Done, FailedStage, StageStarted
from migration_gate.worker.protocol.step_lines import AnswersReceived, StepFinished, StepStarted

NAMED_RUNS = 3
"""functions of revisions that are named; of more, their number is"""
_CLAUSES: Mapping[str | None, str] = {
    "import": "while the project was imported",
    "prepare": "during `prepare`",
    "models": "while the models were created",
}


@dataclass(frozen=True, slots=True)
class WorkerPosition:
    """How far a worker has come, as the lines of its answer tell."""

    stage: FailedStage | None = None
    """None until the first stage begins"""
    revision: str | None = None
    """the revision that runs"""
    runs: tuple[RevisionRun, ...] = ()
    """the functions of revisions that run once more"""
    is_ahead: bool = False
    """the server may still run an earlier revision"""
    is_past_history: bool = False
    """it carries out requests, or waits for them"""
    is_done: bool = False
    """the answer is complete"""

    def advance(self, line: Line) -> WorkerPosition:
        """The position after this line."""
        match line:
            case StageStarted():
                # env.py, which the stage `replay` runs, imports the models before it has a context.
                stage = "import" if line.name == "replay" else line.name
                return replace(self, stage=stage, is_past_history=False)
            case ContextConfigured():
                return replace(self, stage="replay")
            case StepStarted() | StepFinished():
                revision = line.revision if isinstance(line, StepStarted) else None
                return replace(self, revision=revision, is_ahead=line.is_ahead)
            case AnswersReceived():
                return replace(self, is_ahead=False)
            case RunsFinished() | Done():
                is_done = isinstance(line, Done)
                return replace(self, runs=self.runs if is_done else (), is_done=is_done)
        return self

    def follow_request(self, request: Request) -> WorkerPosition:
        """The position when the interpreter has been sent the request."""
        if isinstance(request, RunsRequest):
            return replace(self, runs=request.runs, is_past_history=True)
        return self

    @property
    def is_importing(self) -> bool:
        """Whether the time limit for importing the project applies."""
        return self.stage in (None, "import")

    def describe(self) -> str:
        """A clause for messages: `while revision 0003 ran`."""
        if self.is_past_history:
            return self._describe_runs()
        if self.stage == "replay":
            return f"while revision {self.revision} ran" if self.revision else "between two revisions"
        return _CLAUSES.get(self.stage, "before the project was imported")

    def _describe_runs(self) -> str:
        if not self.runs:
            return "after the history had run"
        names = [f"`{run.direction}()` of {run.revision}" for run in self.runs]
        what = " and ".join(names) if len(names) <= NAMED_RUNS else f"{len(names)} functions of revisions"
        return f"while {what} ran once more"
