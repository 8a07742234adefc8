"""Lines on the steps: what one revision did."""

from __future__ import annotations

from typing import Literal, Optional

from ..deferred_methods import dataclass
from .reported_error import ErrorReport

BoundaryName = Literal["begin", "commit", "rollback", "savepoint", "rollback to savepoint"]


@dataclass(frozen=True)
class ExecutedStatement:
    """One statement of a step, as it was handed to the driver."""

    sql: str
    """its first 4,000 characters"""
    seconds: float
    """until it was sent, for one that was sent ahead"""
    line: Optional[int] = None
    """of the revision's file"""
    rows: Optional[int] = None
    error: Optional[ErrorReport] = None
    """set even if the migration caught it"""
    in_migration_transaction: bool = True
    """it ran on the migration's own connection, which did not commit each statement by itself"""
    parameters: str = ""
    """as Python writes them: see statement_parameters"""


@dataclass(frozen=True)
class CursorStatement:
    """A statement that the project's code gave to a driver's own cursor."""

    sql: str
    """its first 4,000 characters"""
    line: int
    """of the revision's file"""
    statements_before: int
    """how many statements of the step that went through SQLAlchemy had run"""
    has_failed: bool = False


@dataclass(frozen=True)
class RecordedBoundary:
    """Where a transaction began or ended during a step."""

    name: BoundaryName
    statements_before: int
    """how many statements of the step had run"""


@dataclass(frozen=True)
class StepStarted:
    """A revision begins to run."""

    number: int
    """from 1, over all contexts"""
    revision: str
    is_ahead: bool = False
    """the server may still run an earlier one, until `AnswersReceived`: see `step_pipeline`"""
    kind: Literal["step_started"] = "step_started"


@dataclass(frozen=True)
class StepFinished:
    """A revision ran to its end."""

    number: int
    revision: str
    context: int
    seconds: float
    statements: tuple[ExecutedStatement, ...]
    """see `step_record.py` for those that are kept"""
    transactions: tuple[RecordedBoundary, ...]
    """in their order"""
    in_transaction: bool
    """the connection was in a transaction when the migration's function ended"""
    before: Optional[str] = None
    """the catalog as JSON, if the revision gets snapshots"""
    after: Optional[str] = None
    changes: Optional[str] = None
    """as JSON, what the revision made of the catalog: by kind of object, the rows that it removed and those
    that it added; None if the revision is not rolled back later"""
    dropped_statements: int = 0
    """that ran too, and only read or changed rows"""
    unrecorded_statements: int = 0
    """that ran too, and a verdict may depend on them"""
    cursor_statements: tuple[CursorStatement, ...] = ()
    """in their order: the first 20,000"""
    is_ahead: bool = False
    """the server may still run it, or an earlier one"""
    kind: Literal["step_finished"] = "step_finished"


@dataclass(frozen=True)
class AnswersReceived:
    """The server has run all that was sent ahead; in a step that began ahead of it."""

    kind: Literal["answers_received"] = "answers_received"


@dataclass(frozen=True)
class AnswersNeeded:
    """A statement that was sent ahead has failed, or may have: the history has to run without that."""

    kind: Literal["answers_needed"] = "answers_needed"
