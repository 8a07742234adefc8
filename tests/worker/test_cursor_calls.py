"""Who gave a statement to a cursor of the driver: SQLAlchemy, which records it already, or a revision."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from migration_gate.worker.cursor_calls import CursorCalls


class Cursor:
    """A driver's, which refuses one statement."""

    def execute(self, statement: Any) -> str:
        if statement == "refused":
            raise ValueError(statement)
        return f"ran {statement}"


def make_caller(module: str, name: str = "call") -> Callable[..., Any]:
    """A function of that module which calls another one."""
    code = ModuleType(module)
    exec(f"def {name}(function, *arguments):\n    return function(*arguments)\n", code.__dict__)
    function: Callable[..., Any] = code.__dict__[name]
    return function


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """The statements that were noted, and whether they failed; `Cursor` is wrapped."""
    statements: dict[str, bool] = {}

    def note_call(sql: str) -> Callable[[], None]:
        statements[sql] = False
        return lambda: statements.update({sql: True})

    module = ModuleType("driver")
    chosen = type("Cursor", (Cursor,), {"execute": Cursor.execute})
    monkeypatch.setattr(module, "Cursor", chosen, raising=False)
    monkeypatch.setattr(
        "migration_gate.worker.cursor_calls.CLASSES", (("driver", ("Cursor",), ("execute",)),)
    )

    class Imports:
        def add(self, name: str, hook: Callable[[Any], None]) -> None:
            if name == "driver":
                hook(module)

    CursorCalls(note_call).install(Imports())  # type: ignore[arg-type]
    monkeypatch.setitem(globals(), "WRAPPED", chosen)
    return statements


WRAPPED: type[Cursor] = Cursor
REVISION = make_caller("versions.one")
EXTRAS = make_caller("psycopg2.extras")
SQLALCHEMY = make_caller("sqlalchemy.engine.default")
DIALECT = make_caller("sqlalchemy.engine.default", "do_execute")
TRACER = make_caller("opentelemetry.instrumentation.dbapi")


def test_a_revisions_own_call_is_noted_with_its_failure(noted: dict[str, bool]) -> None:
    assert REVISION(WRAPPED().execute, "one") == "ran one"
    with pytest.raises(ValueError, match="refused"):
        REVISION(WRAPPED().execute, "refused")
    assert noted == {"one": False, "refused": True}


def test_what_sqlalchemy_runs_is_recorded_already(noted: dict[str, bool]) -> None:
    """Also where it goes through a helper of the driver, such as psycopg2's `execute_batch`."""
    SQLALCHEMY(WRAPPED().execute, "one")
    SQLALCHEMY(EXTRAS, WRAPPED().execute, "two")
    assert noted == {}
    REVISION(EXTRAS, WRAPPED().execute, "three")
    assert noted == {"three": False}


def test_a_tracer_stands_between_sqlalchemy_and_the_driver(noted: dict[str, bool]) -> None:
    DIALECT(TRACER, EXTRAS, WRAPPED().execute, "one")
    assert noted == {}
    REVISION(TRACER, WRAPPED().execute, "two")
    SQLALCHEMY(REVISION, WRAPPED().execute, "three")  # a listener of the project's
    assert noted == {"two": False, "three": False}


def test_statements_in_other_forms(noted: dict[str, bool]) -> None:
    class Composed:
        def as_string(self, cursor: Any) -> str:
            return "composed"

    REVISION(WRAPPED().execute, b"bytes")
    REVISION(WRAPPED().execute, Composed())
    REVISION(WRAPPED().execute, None)
    assert noted == {"bytes": False, "composed": False}
