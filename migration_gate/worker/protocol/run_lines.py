"""Lines on the course of a run: its start, its stages, remarks, its failure, its end."""

from __future__ import annotations

from typing import Literal, Optional

from ..deferred_methods import dataclass
from .project_requests import MissingSetting
from .reported_error import ErrorReport
from .step_lines import CursorStatement, ExecutedStatement

Stage = Literal["prepare", "import", "replay", "models"]
FailedStage = Literal["interpreter", "driver", "prepare", "import", "revisions", "replay", "models", "gate"]
"""a stage, what is missing before the first one (Alembic and SQLAlchemy, or a PostgreSQL driver), the import
of a revision's file, which failed as env.py may, or the gate's own code in any of them"""


@dataclass(frozen=True)
class WorkerStarted:
    """Alembic and SQLAlchemy could be imported."""

    python: str
    alembic: str
    sqlalchemy: str
    drivers: tuple[str, ...]
    """PostgreSQL drivers that are installed"""
    kind: Literal["started"] = "started"


@dataclass(frozen=True)
class StageStarted:
    """A stage begins."""

    name: Stage
    kind: Literal["stage"] = "stage"


@dataclass(frozen=True)
class Note:
    """What a reader of the report should know. The sandbox writes one of these before the worker starts."""

    text: str
    kind: Literal["note"] = "note"


@dataclass(frozen=True)
class ObservationFailed:
    """Something of the gate's failed inside of the project's calls, which went on without it."""

    what: str
    """was not done or not seen, as a noun phrase"""
    error: str
    kind: Literal["observation failed"] = "observation failed"


@dataclass(frozen=True)
class DatabaseUsed:
    """Another attempt follows one that has used the database: the worker waits until it is as it was."""

    kind: Literal["database_used"] = "database_used"


@dataclass(frozen=True)
class RunFailed:
    """The project's code failed, and the run ends."""

    stage: FailedStage
    error: ErrorReport
    revision: Optional[str] = None
    """the one that ran"""
    file: Optional[str] = None
    """real path of its file"""
    line: Optional[int] = None
    """of that file: the statement that ran last"""
    statements: tuple[ExecutedStatement, ...] = ()
    """of the step that failed"""
    first_error: Optional[ErrorReport] = None
    """an earlier error in the same transaction, which this one only follows from"""
    missing: tuple[MissingSetting, ...] = ()
    """what was asked for in vain before the first revision"""
    cursor_statements: tuple[CursorStatement, ...] = ()
    """of the step that failed"""
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True)
class InterpreterEnded:
    """The process that ran the project's code ended before it had finished, and another one writes this."""

    status: int
    """as a shell counts: 128 + signal where one killed it"""
    kind: Literal["interpreter ended"] = "interpreter ended"


@dataclass(frozen=True)
class Done:
    """The answer is complete."""

    kind: Literal["done"] = "done"
