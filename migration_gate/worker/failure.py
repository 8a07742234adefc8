"""An exception of the project's as data: Postgres's own words, the statement and the project's frames."""

from __future__ import annotations

import os
import traceback
from typing import Any

TEXT = 4000
"""Characters of a message or statement that are kept."""
FRAMES = 12
SILENT = ("", "connection is bad: no error details available")
"""what libpq says where it may not have a socket"""


def is_guest(filename: str) -> bool:
    """Whether a file is neither ours, nor the standard library's, nor Alembic's or SQLAlchemy's."""
    here = os.path.dirname(os.path.abspath(__file__))
    if filename.startswith((here, "<")) or filename == os.path.abspath(os.__file__):
        return False
    library = os.path.dirname(os.path.abspath(os.__file__))
    if filename.startswith(library + os.sep) and "site-packages" not in filename:
        return False
    return not any(f"{os.sep}site-packages{os.sep}{name}{os.sep}" in filename for name in ENGINES)


ENGINES = ("alembic", "sqlalchemy", "psycopg", "psycopg2", "asyncpg", "pg8000", "flask_migrate", "greenlet")


def _fields(error: Any) -> dict[str, Any]:
    """What a driver's exception says, for psycopg2, psycopg, asyncpg and pg8000."""
    for candidate in (error, getattr(error, "__cause__", None), getattr(error, "__context__", None)):
        if candidate is None:
            continue
        diag = getattr(candidate, "diag", None)
        code = getattr(candidate, "sqlstate", None) or getattr(candidate, "pgcode", None)
        if diag is not None and getattr(diag, "message_primary", None):
            return {
                "says": diag.message_primary,
                "sqlstate": code or diag.sqlstate,
                "detail": diag.message_detail,
                "hint": diag.message_hint,
            }
        first = candidate.args[0] if getattr(candidate, "args", None) else None
        if isinstance(first, dict) and "C" in first:
            return {
                "says": first.get("M"),
                "sqlstate": first["C"],
                "detail": first.get("D"),
                "hint": first.get("H"),
            }
        if code and hasattr(candidate, "severity"):  # asyncpg; SQLAlchemy's wrapper of it has the code alone
            detail, hint = getattr(candidate, "detail", None), getattr(candidate, "hint", None)
            return {"says": str(candidate), "sqlstate": code, "detail": detail, "hint": hint}
        if code:
            return {"says": str(candidate).strip(), "sqlstate": code}
    return {}


def _frames(error: BaseException, home: str) -> list[dict[str, Any]]:
    """The project's own frames, outermost first."""
    frames = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename.startswith("<"):
            continue
        filename = os.path.abspath(frame.f_code.co_filename)
        if is_guest(filename) or (
            home and filename.startswith(home + os.sep) and "site-packages" not in filename
        ):
            frames.append({"file": filename, "line": line, "function": frame.f_code.co_name})
    return frames[-FRAMES:]


def describe(error: BaseException, *, home: str = "") -> dict[str, Any]:
    """`says, type, sqlstate, detail, hint, statement, frames` of an exception."""
    original = getattr(error, "orig", None)
    found: dict[str, Any] = {"says": None, "sqlstate": None, "detail": None, "hint": None}
    found.update(_fields(original if original is not None else error))
    found["says"] = (found["says"] or _text(error) or type(error).__name__)[:TEXT]
    found["type"] = type(original if original is not None else error).__name__
    statement = getattr(error, "statement", None)
    found["statement"] = statement[:TEXT] if isinstance(statement, str) else None
    found["frames"] = _frames(error, home)
    cause = error.__cause__ or error.__context__
    while cause is not None and not found["frames"]:  # raised while another was handled, in nobody's code
        found["frames"] = _frames(cause, home)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, SyntaxError) and error.filename:
        found["frames"].append(
            {"file": os.path.abspath(error.filename), "line": error.lineno, "function": ""}
        )
    return found


def _text(error: BaseException) -> str:
    """The message; for an exit, what was asked for."""
    if isinstance(error, SystemExit):
        return f"the project's code called sys.exit({error.code!r})"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    try:
        text = str(error).strip()
    except Exception:  # a project's exception may fail to print itself
        text = ""
    if type(error).__name__ == "OperationalError" and text in SILENT:
        text = "no connection; only the ephemeral server can be reached"
    if isinstance(error, ImportError) and error.name and error.name not in text:
        text += f" ({error.name})"
    return f"{type(error).__name__}: {text}" if text and not hasattr(error, "orig") else text
