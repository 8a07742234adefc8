"""Whose code raised an exception: the project's, a package's, or a library's."""

from __future__ import annotations

import decimal
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from migration_gate.worker.error_report import describe_error


def raise_in(file: Path) -> Callable[[], None]:
    """A function whose code is in that file."""
    namespace: dict[str, Callable[[], None]] = {}
    exec(compile("def refuse():\n    raise NotImplementedError", str(file), "exec"), namespace)
    return namespace["refuse"]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("app/migrations/versions/b.py", "project"),
        ("app/helpers.py", "project"),
        ("env/lib/python3/site-packages/company_migrations/guard.py", "package"),
        ("env/lib/python3/site-packages/alembic/operations/toimpl.py", "library"),
    ],
)
def test_the_innermost_frame_tells_who_raised(file: str, source: str, tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError) as caught:
        raise_in(tmp_path / file)()
    assert describe_error(caught.value, home=str(tmp_path / "app")).source == source


@pytest.mark.parametrize(
    ("code", "is_deliberate"),
    [
        ("raise ValueError('two users have one name')", True),
        ("assert not found", True),
        ("sys.exit('two users have one name')", True),
        ("found.remove(2)", False),
        ("decimal.Decimal('x')", False),
        ("for item in table: table.pop(item)", False),
        ("json.loads('x')", False),
    ],
)
def test_an_error_is_deliberate_if_the_projects_code_raises_it(
    code: str, is_deliberate: bool, tmp_path: Path
) -> None:
    names = {"sys": sys, "json": json, "decimal": decimal, "found": [1], "table": {1: 1, 2: 2}}
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - of any class
        exec(compile(f"\n{code}", str(tmp_path / "revision.py"), "exec"), names)
    assert describe_error(caught.value, home=str(tmp_path)).is_deliberate is is_deliberate


@pytest.mark.parametrize(("driver", "shown"), [("psycopg.errors", "LIKE '%a'"), ("asyncpg", "LIKE '%%a'")])
def test_a_statement_is_as_postgres_got_it(driver: str, shown: str) -> None:
    original = type("Refused", (Exception,), {"__module__": driver})()
    error = sa.exc.DBAPIError("LIKE '%%a'", None, original)
    assert describe_error(error).statement == shown


def refuse(driver: str, argument: str) -> Callable[[str], None]:
    """A function of a driver's that fails over a statement."""
    code = f"""
class Refused(Exception):
    sqlstate = "22001"
def execute({argument}):
    raise Refused("value too long")
"""
    namespace: dict[str, Callable[[str], None]] = {"__name__": driver}  # type: ignore[dict-item]
    exec(code, namespace)
    return namespace["execute"]


@pytest.mark.parametrize(
    ("driver", "argument"), [("psycopg.cursor", "query"), ("pg8000.legacy", "operation")]
)
def test_the_statement_of_a_drivers_own_cursor_is_told(driver: str, argument: str) -> None:
    with pytest.raises(Exception, match="value too long") as caught:
        refuse(driver, argument)("ALTER TABLE a")
    assert describe_error(caught.value).statement == "ALTER TABLE a"


def test_the_statement_of_psycopg2_is_with_its_cursor() -> None:
    with pytest.raises(Exception, match="value too long") as caught:
        refuse("own", "query")("not this one")
    assert describe_error(caught.value).statement is None
    cursor = type("cursor", (), {"query": b"UPDATE a SET b = '\xc3\xa9'"})()
    caught.value.cursor = cursor  # type: ignore[attr-defined]
    assert describe_error(caught.value).statement == "UPDATE a SET b = 'é'"


def test_what_sqlalchemy_raises_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(sa.exc.NoSuchModuleError) as caught:
        sa.create_engine("nothing://")
    assert describe_error(caught.value, home=str(tmp_path)).source == "library"
