"""What a driver's own cursor was given when it failed: SQLAlchemy's exceptions say so, a driver's do not."""

from __future__ import annotations

import traceback
from typing import Any, Optional

PYTHON_DRIVERS = ("psycopg", "pg8000", "asyncpg")
"""whose frames stand in a traceback, with the statement among their variables"""
ADAPTERS = ("sqlalchemy.connectors.asyncio", "sqlalchemy.dialects.postgresql")
"""SQLAlchemy's cursors for asynchronous drivers: a statement that asyncpg prepared is in no variable"""
STATEMENT_NAMES = ("query", "operation", "statement", "sql")
"""of the argument, in these drivers"""


def find_driver_statement(error: Optional[BaseException]) -> Optional[str]:
    """The text of the statement, from the exception or what it was raised from; None if nothing tells it."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        text = _read_cursor(getattr(error, "cursor", None)) or _read_frames(error)
        if text:
            return text
        error = error.__cause__ or error.__context__
    return None


def _read_cursor(cursor: Any) -> Optional[str]:
    """psycopg2's exceptions have their cursor, and that has the statement with its values."""
    query = getattr(cursor, "query", None)
    return query.decode(errors="replace") if isinstance(query, bytes) else None


def _read_frames(error: BaseException) -> Optional[str]:
    """The outermost frame of a driver that has a statement: it is as the project's code gave it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in PYTHON_DRIVERS or module.startswith(ADAPTERS):
            for name in STATEMENT_NAMES:
                value = frame.f_locals.get(name)
                if isinstance(value, str) and value:
                    return value
    return None
