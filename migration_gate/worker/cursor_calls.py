"""Sees what the project's code gives to a driver's own cursor, which SQLAlchemy's listeners do not.

The methods of the drivers' classes are wrapped. psycopg2's cursor is written in C: its connections get a
subclass of it, as long as nobody chose another one.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable, Optional, Sequence

from .import_hooks import ImportHooks

NoteCall = Callable[[str], Optional[Callable[[], None]]]
"""takes a statement before it runs, and returns what to call if it fails"""
CLASSES = (
    ("psycopg", ("Cursor", "AsyncCursor"), ("execute", "executemany", "stream", "copy")),
    ("psycopg2.extras", ("DictCursor", "RealDictCursor", "NamedTupleCursor"), ("execute",)),
    ("pg8000.dbapi", ("Cursor",), ("execute", "executemany")),
    ("pg8000.legacy", ("Cursor",), ("execute", "executemany")),
    (
        "asyncpg.connection",
        ("Connection",),
        ("execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare"),
    ),
    ("sqlalchemy.dialects.postgresql.asyncpg", ("AsyncAdapt_asyncpg_cursor",), ("execute", "executemany")),
    ("sqlalchemy.dialects.postgresql.psycopg", ("AsyncAdapt_psycopg_cursor",), ("execute", "executemany")),
)
"""module, classes, and the methods of which the first argument is a statement"""
DRIVERS = ("psycopg", "psycopg2", "pg8000", "asyncpg")
OTHER_CALLERS = ("sqlalchemy", __name__.rpartition(".")[0])
"""packages that run statements which are recorded already, or are the gate's own"""
EXECUTING = ("do_execute", "do_execute_no_params", "do_executemany")
"""functions of SQLAlchemy's dialects that give a statement to a cursor"""


class CursorCalls:
    """Wraps the drivers as soon as the project imports them."""

    def __init__(self, note_call: NoteCall) -> None:
        self._note_call = note_call

    def install(self, imports: ImportHooks) -> None:
        """From now on."""
        for module, classes, methods in CLASSES:
            imports.add(module, functools.partial(self._wrap_classes, classes, methods))
        imports.add("psycopg2", self._wrap_psycopg2)

    def _wrap_classes(self, classes: Sequence[str], methods: Sequence[str], module: Any) -> None:
        for name in classes:
            chosen = getattr(module, name, None)  # older versions lack some
            for method in methods:
                if hasattr(chosen, method):
                    setattr(chosen, method, self._wrap(getattr(chosen, method)))

    def _wrap(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def wrapped(cursor: Any, *positional: Any, **keywords: Any) -> Any:
            note_failure = self._note(cursor, positional, keywords)
            try:
                return method(cursor, *positional, **keywords)
            except BaseException:
                if note_failure is not None:
                    note_failure()
                raise

        return wrapped

    def _note(
        self, cursor: Any, positional: Sequence[Any], keywords: dict[str, Any]
    ) -> Optional[Callable[[], None]]:
        if _is_recorded():
            return None
        arguments = [*positional, *keywords.values()]
        text = _read_statement(arguments[0], cursor) if arguments else None
        return self._note_call(text) if text else None

    def _wrap_psycopg2(self, module: Any) -> None:
        extensions = module.extensions
        plain = extensions.cursor
        noting = type("cursor", (plain,), {})
        for method in ("execute", "executemany", "copy_expert"):
            setattr(noting, method, self._wrap(getattr(plain, method)))
        real_connect = module.connect

        @functools.wraps(real_connect)
        def connect(*positional: Any, **keywords: Any) -> Any:
            connection = real_connect(*positional, **keywords)
            is_plain = type(connection) is extensions.connection
            if is_plain and connection.cursor_factory in (None, plain):
                connection.cursor_factory = noting
            return connection

        module.connect = connect


def _is_recorded() -> bool:
    """Whether SQLAlchemy, or the gate, has called the driver: helpers of the driver's call its cursors too.

    So do libraries that trace statements: their cursors stand between SQLAlchemy and the driver's.
    """
    frame: Any = sys._getframe(3)
    caller = ""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not caller and not _is_in(name, DRIVERS):
            caller = name
            if _is_in(caller, OTHER_CALLERS):
                return True
        if frame.f_code.co_name in EXECUTING and _is_in(name, ("sqlalchemy",)):
            return True
        frame = frame.f_back
    return False


def _is_in(module: str, packages: Sequence[str]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in packages)


def _read_statement(value: Any, cursor: Any) -> Optional[str]:
    """The text of a statement, which a driver takes in other forms too; None if it has none."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, str):
        return value
    try:
        return str(value.as_string(cursor))  # psycopg's and psycopg2's `sql.Composed`
    except Exception:
        return None
