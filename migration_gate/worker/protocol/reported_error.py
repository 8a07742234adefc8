"""An exception as data, which lines of several kinds have."""

from __future__ import annotations

from typing import Literal, Optional

from ..deferred_methods import dataclass

ErrorSource = Literal["", "project", "package", "library"]
"""whose code raised an exception: the project's own, an installed package's, Python's or one of Alembic,
SQLAlchemy and the drivers; '' if that is not known"""


@dataclass(frozen=True)
class Frame:
    """One frame of a traceback, in the project's own code."""

    file: str
    line: Optional[int]
    function: str
    """'' for the place of a syntax error"""


@dataclass(frozen=True)
class ErrorReport:
    """An exception as data."""

    message: str
    """the server's, if the error comes from the server"""
    exception_class: str = ""
    """of the driver's exception, if SQLAlchemy wrapped it; '' for an error from the server's log"""
    sqlstate: Optional[str] = None
    detail: Optional[str] = None
    hint: Optional[str] = None
    statement: Optional[str] = None
    frames: tuple[Frame, ...] = ()
    """outermost first"""
    line: Optional[int] = None
    """of the revision's file, if a statement of a step failed"""
    source: ErrorSource = ""
    is_deliberate: bool = False
    """the project's own code raised it (`raise`, `assert`, `sys.exit`); no operation of it failed"""
