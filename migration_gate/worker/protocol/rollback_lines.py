"""Lines on functions of revisions that ran when the history had finished: its rollback."""

from __future__ import annotations

from typing import Literal, Optional

from ..deferred_methods import dataclass
from .order import Direction
from .reported_error import ErrorReport
from .step_lines import CursorStatement, ExecutedStatement, RecordedBoundary


@dataclass(frozen=True)
class FinishedRun:
    """A function that ran to its end, in one context of env.py."""

    revision: str
    direction: Direction
    context: int
    statements: tuple[ExecutedStatement, ...]
    transactions: tuple[RecordedBoundary, ...] = ()
    """where transactions began and ended, in their order"""
    cursor_statements: tuple[CursorStatement, ...] = ()


@dataclass(frozen=True)
class RunsFinished:
    """What came of a `RunsRequest`."""

    finished: tuple[FinishedRun, ...] = ()
    """in their order"""
    error: Optional[ErrorReport] = None
    """what ended it early"""
    failed: Optional[str] = None
    """the revision that ran then; None if none did"""
    direction: Direction = "downgrade"
    """of that revision's function"""
    line: Optional[int] = None
    """of its file: the statement that ran last"""
    statements: tuple[ExecutedStatement, ...] = ()
    """of that function"""
    first_error: Optional[ErrorReport] = None
    """an earlier error in the same transaction, which `error` only follows from"""
    problem: str = ""
    """why nothing can be said of the revisions, as a clause; '' if something can"""
    status: int = 0
    """the exit status of the interpreter that ran them, as the shell counts a signal"""
    keeps_session: bool = False
    """env.py waits for the functions of another request"""
    kind: Literal["runs_finished"] = "runs_finished"
