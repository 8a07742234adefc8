"""SQL that create_all runs, what it creates, and what stands around a call of create_all."""

from __future__ import annotations

import pytest

from migration_gate.facts import CreatedObject
from migration_gate.scan.code_change import CodeChange
from migration_gate.scan.python_ddl import find_python_changes

TRIGGER = "CREATE TRIGGER keep BEFORE UPDATE ON users EXECUTE FUNCTION keep()"


def find(source: str) -> list[CodeChange]:
    return find_python_changes("app/models.py", source) or []


@pytest.mark.parametrize(
    "source",
    [
        f'event.listen(User.__table__, "after_create", DDL("{TRIGGER}"))',
        f'event.listen(User.__table__, "after_create", DDL("{TRIGGER}").execute_if(dialect="postgresql"))',
        f'ddl = DDL("{TRIGGER}")\nsa.event.listen(Base.metadata, "before_create", ddl)',
        f'SQL = "{TRIGGER}"\nevent.listen(User.__table__, "after_create", DDL(SQL))',
        f'for ddl in [DDL("{TRIGGER}")]:\n  event.listen(Base.metadata, "after_create", ddl)',
        f'ALL = [DDL("{TRIGGER}")]\nfor d in ALL:\n  event.listen(Base.metadata, "after_create", d)',
        f'@event.listens_for(t, "after_create")\ndef f(t, c, **k):\n  c.execute(text("{TRIGGER}"))',
        f'def f(t, c, **k):\n  c.execute(DDL("{TRIGGER}"))\nevent.listen(t, "after_create", f)',
        f'keep = DDL("{TRIGGER}")',
    ],
)
def test_sql_that_create_all_runs_is_told_apart_with_what_it_creates(source: str) -> None:
    (change,) = find(source)
    assert (change.kind, change.created) == ("ddl event", CreatedObject("trigger", "keep", "users"))


@pytest.mark.parametrize(
    "source",
    [
        'event.listen(User.__table__, "before_drop", DDL("DROP TRIGGER keep ON users"))',
        '@event.listens_for(t, "after_drop")\ndef f(t, c, **k):\n  c.execute(text("DROP TABLE users"))',
    ],
)
def test_sql_that_drop_all_runs_is_no_change_of_its_own(source: str) -> None:
    assert find(source) == []


@pytest.mark.parametrize(
    "source",
    [
        f'go = DDL("{TRIGGER}")\ndef start(c):\n  c.execute(go)',
        f'conn.execute(DDL("{TRIGGER}"))',
        f'SQL = "{TRIGGER}"\nevent.listen(t, "after_create", DDL(SQL))\nconn.execute(text(SQL))',
        f'@event.listens_for(engine, "connect")\ndef f(c, r):\n  c.execute("{TRIGGER}")',
    ],
)
def test_sql_that_is_executed_is_a_change_by_itself(source: str) -> None:
    assert [change.kind for change in find(source)] == ["execute"]


@pytest.mark.parametrize(
    ("sql", "created"),
    [
        ("CREATE OR REPLACE FUNCTION app.f() RETURNS int", CreatedObject("function", "app.f")),
        ("CREATE UNIQUE INDEX IF NOT EXISTS ix ON t (a)", CreatedObject("index", "ix")),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", CreatedObject("view", "v")),
        ("CREATE CONSTRAINT TRIGGER a AFTER INSERT ON t x", CreatedObject("trigger", "a", "t")),
        ("CREATE EVENT TRIGGER a ON ddl_command_end x", None),
        ('CREATE POLICY p ON "Odd" USING (true)', CreatedObject("policy", "p", '"Odd"')),
        ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", CreatedObject("row security", "users")),
        ("ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0)", CreatedObject("constraint", "c", "users")),
        ("ALTER TABLE ONLY users ADD COLUMN IF NOT EXISTS a int", CreatedObject("column", "a", "users")),
        ("ALTER TABLE users ADD a int", CreatedObject("column", "a", "users")),
        ("ALTER TABLE users ADD UNIQUE (a)", None),
        ("ALTER TABLE users ALTER COLUMN a SET STATISTICS 500", None),
        ("CREATE EXTENSION IF NOT EXISTS vector", CreatedObject("extension", "vector")),
    ],
)
def test_what_a_statement_of_an_event_creates_is_read(sql: str, created: CreatedObject | None) -> None:
    (change,) = find(f"event.listen(t, 'after_create', DDL('''{sql}'''))")
    assert change.created == created


@pytest.mark.parametrize(
    ("source", "stamps_head", "engine_url"),
    [
        ("def f():\n  Base.metadata.create_all(engine)\n  command.stamp(cfg, 'head')", True, ""),
        ("def f():\n  db.create_all()\n  subprocess.run(['alembic', 'stamp', 'head'])", True, ""),
        ("def f():\n  db.create_all()\ndef g():\n  command.stamp(cfg, 'head')", False, ""),
        ("Base.metadata.create_all(bind=create_engine(s.VECTOR_URL))", False, "s.VECTOR_URL"),
        ("def f(u):\n  e = create_engine(u)\n  Base.metadata.create_all(e)", False, "u"),
    ],
)
def test_what_stands_around_create_all_is_read(source: str, stamps_head: bool, engine_url: str) -> None:
    (change,) = find(source)
    assert (change.stamps_head, change.engine_url) == (stamps_head, engine_url)


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\ndef make(engine):\n  Base.metadata.create_all(engine)",
        "def setup_test_db():\n  Base.metadata.create_all(engine)",
        "class TestBase:\n  def make(self):\n    Base.metadata.create_all(engine)",
        "Base.metadata.create_all(test_engine)",
    ],
)
def test_a_helper_of_tests_outside_of_their_folder_is_none(source: str) -> None:
    assert find(source) == []


def test_a_name_that_only_looks_like_one_of_tests_is_none_of_them() -> None:
    assert len(find("def make_latest():\n  Base.metadata.create_all(engine)")) == 1
