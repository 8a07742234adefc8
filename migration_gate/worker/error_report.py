"""An exception of the project's as data: Postgres's own words, the statement and the project's frames."""

from __future__ import annotations

import dataclasses
import opcode
import os
import re
import traceback
from typing import Any, Iterator, Optional

from .driver_statements import find_driver_statement
from .observed_blocks import without_notes
from .protocol.reported_error import ErrorReport, ErrorSource, Frame

MAX_TEXT = 4000
"""characters of a message or statement that are kept"""
MAX_FRAMES = 12
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")
"""of an object in memory: another one in every run"""
LIBRARIES = ("alembic", "sqlalchemy", "psycopg", "psycopg2", "asyncpg", "pg8000", "flask_migrate", "greenlet")
"""whose frames say nothing about the project"""
DOUBLING_DRIVERS = ("psycopg", "psycopg2", "pg8000")
"""to which `%%` is a `%`: Postgres got that"""
NO_REASON = ("", "connection is bad: no error details available")
"""what libpq says if it may not have a socket"""
WORKER_FOLDER = os.path.dirname(os.path.abspath(__file__))
STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))


def describe_error(error: BaseException, *, home: str = "") -> ErrorReport:
    """The exception as data. Files below `home` count as the project's own, but for installed packages."""
    original = getattr(error, "orig", None)  # the driver's exception, if SQLAlchemy wrapped it
    report = _from_driver(original if original is not None else error) or ErrorReport("")
    source = _find_source(error, home)
    statement = getattr(error, "statement", None)
    if isinstance(statement, str):
        statement = name_sent_statement(statement, type(original).__module__.split(".")[0])
    if not isinstance(statement, str) and report.sqlstate:
        statement = find_driver_statement(error)
    return dataclasses.replace(
        report,
        message=(report.message or _describe_in_own_words(error) or type(error).__name__)[:MAX_TEXT],
        exception_class=type(original if original is not None else error).__name__,
        statement=without_notes(statement)[:MAX_TEXT] if isinstance(statement, str) else None,
        frames=tuple(_frames_of_cause(error, home) + _syntax_error_frames(error)),
        source=source,
        is_deliberate=source == "project" and _is_raised(error),
    )


def name_sent_statement(statement: str, driver: str) -> str:
    """The statement as Postgres got it from the driver, whatever stands for its parameters."""
    return statement.replace("%%", "%") if driver in DOUBLING_DRIVERS else statement


# What the drivers' exceptions say.


def _from_driver(error: BaseException) -> Optional[ErrorReport]:
    """What the server said, from the exception or what it was raised from; None if no driver raised it."""
    for candidate in (error, error.__cause__, error.__context__):
        if candidate is None:
            continue
        for read_fields in (_from_libpq, _from_pg8000, _from_asyncpg):
            report = read_fields(candidate)
            if report is not None:
                return report
    return None


def _from_libpq(error: Any) -> Optional[ErrorReport]:
    """psycopg2's and psycopg's exceptions have a `diag`."""
    diag = getattr(error, "diag", None)
    if diag is None or not getattr(diag, "message_primary", None):
        return None
    return _build_report(
        diag.message_primary, _find_sqlstate(error) or diag.sqlstate, diag.message_detail, diag.message_hint
    )


def _from_pg8000(error: Any) -> Optional[ErrorReport]:
    """pg8000's exceptions have one argument: the fields of the server's message, by their letters."""
    arguments = getattr(error, "args", None)
    fields = arguments[0] if arguments else None
    if not isinstance(fields, dict) or "C" not in fields:
        return None
    return _build_report(fields.get("M"), fields["C"], fields.get("D"), fields.get("H"))


def _from_asyncpg(error: Any) -> Optional[ErrorReport]:
    """asyncpg's exceptions have the fields as attributes; SQLAlchemy's wrapper of one has the code alone."""
    sqlstate = _find_sqlstate(error)
    if not sqlstate:
        return None
    if not hasattr(error, "severity"):
        return _build_report(str(error).strip(), sqlstate)
    return _build_report(str(error), sqlstate, getattr(error, "detail", None), getattr(error, "hint", None))


def _find_sqlstate(error: Any) -> Any:
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def _build_report(message: Any, sqlstate: Any, detail: Any = None, hint: Any = None) -> ErrorReport:
    return ErrorReport(
        message=_optional_text(message) or "",
        sqlstate=_optional_text(sqlstate),
        detail=_optional_text(detail),
        hint=_optional_text(hint),
    )


def _optional_text(value: Any) -> Optional[str]:
    """An attribute of an exception as text: the project's own classes may have anything under these names."""
    return None if value is None else str(value)


def _describe_in_own_words(error: BaseException) -> str:
    """The exception's own words, after its class; for an exit, what was asked for."""
    if isinstance(error, SystemExit):
        return f"the project's code called sys.exit({error.code!r})"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    text = _read_own_text(error)
    if not text or hasattr(error, "orig"):  # SQLAlchemy's text begins with the driver's class
        return text
    return f"{type(error).__name__}: {text}"


def _read_own_text(error: BaseException) -> str:
    """What the exception prints, with the reason if it does not say it itself."""
    try:
        text = ADDRESS.sub("", str(error).strip())
    except Exception:  # a project's exception may fail to print itself
        text = ""
    if type(error).__name__ == "OperationalError" and text in NO_REASON:
        return "no connection; only the ephemeral server can be reached"
    if isinstance(error, ImportError) and error.name and error.name not in text:
        return f"{text} ({error.name})"
    return text


# Frames.


def _frames_of_cause(error: BaseException, home: str) -> list[Frame]:
    """The project's frames of the exception, or of the one that it was raised from or during."""
    current: Optional[BaseException] = error
    while current is not None:
        frames = [frame for frame in _all_frames(current) if is_project_file(frame.file, home)]
        if frames:
            return frames[-MAX_FRAMES:]
        current = current.__cause__ or current.__context__
    return []


def _find_source(error: BaseException, home: str) -> ErrorSource:
    """Whose code raised the exception, by its innermost frame."""
    frames = list(_all_frames(error))
    if not frames:
        return ""
    file = frames[-1].file
    if not is_project_file(file, home):
        return "library"
    return "package" if f"{os.sep}site-packages{os.sep}" in file else "project"


def _is_raised(error: BaseException) -> bool:
    """Whether its innermost frame stands at a `raise` or an `assert`, or ended the program."""
    if isinstance(error, SystemExit):
        return True
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    if innermost is None:
        return False
    instruction = innermost.tb_frame.f_code.co_code[innermost.tb_lasti]
    return opcode.opname[instruction] == "RAISE_VARARGS"


def _all_frames(error: BaseException) -> Iterator[Frame]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if not file.startswith("<"):
            yield Frame(os.path.abspath(file), line, frame.f_code.co_name)


def _syntax_error_frames(error: BaseException) -> list[Frame]:
    """The place of a syntax error, which no frame has."""
    filename: object = error.filename if isinstance(error, SyntaxError) else None
    if not filename or not isinstance(filename, (str, bytes)):  # template engines may set anything
        return []
    lineno: object = getattr(error, "lineno", None)
    line = lineno if isinstance(lineno, int) else None
    return [Frame(os.path.abspath(os.fsdecode(filename)), line, "")]


def is_project_file(file: str, home: str) -> bool:
    """Whether it is the project's: in its folder, or of an installed package that is none of `LIBRARIES`."""
    if home and file.startswith(home + os.sep) and "site-packages" not in file:
        return True
    if file.startswith(WORKER_FOLDER) or file == os.path.abspath(os.__file__):
        return False
    if file.startswith(STANDARD_LIBRARY + os.sep) and "site-packages" not in file:
        return False
    return not any(f"{os.sep}site-packages{os.sep}{name}{os.sep}" in file for name in LIBRARIES)
