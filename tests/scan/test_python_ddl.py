from __future__ import annotations

import pytest

from migration_gate.scan.python_ddl import find_python_changes

ALTER = "ALTER TABLE users ADD COLUMN slug text"


USERS = [("execute", ("users",))]


def kinds_and_tables(source: str) -> list[tuple[str, tuple[str, ...]]]:
    changes = find_python_changes("app/db.py", source)
    assert changes is not None
    return [(change.kind, change.tables) for change in changes]


@pytest.mark.parametrize(
    "source",
    [
        f'conn.execute("{ALTER}")',
        f'conn.execute(text("{ALTER}"))',
        f'conn.execute(sa.text(f"{ALTER}"))',
        f'cursor.executemany("""\n  {ALTER}\n""", rows)',
        f'await conn.exec_driver_sql("{ALTER}")',
        'conn.execute("ALTER TABLE users " + "ADD COLUMN slug text")',
        'conn.execute("ALTER TABLE users "\n  "ADD COLUMN slug text")',
        f'SQL = "{ALTER}"\ndef go(): conn.execute(SQL)',
        f'class A:\n  SQL = "{ALTER}"\n  def go(self): self.conn.execute(self.SQL)',
        'T = "users"\nconn.execute(f"ALTER TABLE {T} ADD COLUMN slug text")',
        'class User(Base):\n  __tablename__ = "users"\n'
        'conn.execute(f"ALTER TABLE {User.__tablename__} ADD COLUMN slug text")',
        'T = "users"\nconn.execute("ALTER TABLE {} ADD COLUMN slug text".format(T))',
        'conn.execute("ALTER TABLE %s ADD COLUMN slug text" % ("users",))',
        'conn.execute(sql.SQL("ALTER TABLE {t} ADD x int").format(t=sql.Identifier("users")))',
        f'conn.execute(textwrap.dedent("""{ALTER}"""))',
        f'STEPS = [{{"statement": "{ALTER}"}}]\nfor step in STEPS: db.execute(text(step["statement"]))',
        f'conn.execute("create extension x; {ALTER}; select 1")',
    ],
)
def test_ddl_that_is_executed_is_found(source: str) -> None:
    assert kinds_and_tables(source) == USERS


@pytest.mark.parametrize(
    "source",
    [
        f'"""{ALTER}"""',
        f'def f():\n  """{ALTER}"""\n  conn.execute("SELECT 1")',
        f'# {ALTER}\nconn.execute("SELECT 1")',
        f'log.info("{ALTER}"); conn.execute("SELECT 1")',
        f'raise ValueError("{ALTER}"); conn.execute(x)',
        f'if q == "{ALTER}": conn.execute(q)',
        f'parser.add_argument("--x", help="{ALTER}"); conn.execute(x)',
        f'PROMPT = "{ALTER}"\nconn.execute(x)',
        f'SQL = "{ALTER}"',
        'conn.execute("Create table users failed")',
        'conn.execute("CREATE TEMP TABLE users (id int)")',
        'conn.execute("CREATE TABLE `users` (id int)")',
        f'import sqlite3\nconn.execute("{ALTER}")',
        f'import duckdb\nconn.execute("{ALTER}")',
        f'def cache():\n  c = sqlite3.connect(p)\n  c.execute("{ALTER}")',
        f'def go():\n  e = create_engine("sqlite://")\n  e.execute("{ALTER}")',
        f'class SqliteStore:\n  def go(self): self.c.execute("{ALTER}")',
        f'if dialect == "mysql":\n  conn.execute("{ALTER}")',
        f'if __name__ == "__main__":\n  conn.execute("{ALTER}")',
    ],
)
def test_ddl_that_the_application_does_not_run_on_postgres_is_not_found(source: str) -> None:
    assert kinds_and_tables(source) == []


def test_a_loop_over_table_names_gives_one_change_for_each() -> None:
    source = 'for t in ("users", "tags"):\n  conn.execute(f"ALTER TABLE {t} ADD COLUMN slug text")'
    assert kinds_and_tables(source) == [("execute", ("users",)), ("execute", ("tags",))]


def test_the_line_is_that_of_the_statement_in_the_string() -> None:
    changes = find_python_changes("a.py", f'x = 1\nconn.execute("""\nselect 1;\n{ALTER};\n""")')
    assert changes is not None
    assert [change.line for change in changes] == [4]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("Base.metadata.create_all(engine)", "create_all"),
        ("SQLModel.metadata.create_all(engine)", "create_all"),
        ("db.create_all()", "create_all"),
        ("await conn.run_sync(Base.metadata.create_all)", "create_all"),
        ("metadata.drop_all(bind=engine)", "drop_all"),
        ("self.metadata.create_all(engine, tables=[User.__table__])", "create_all"),
        ("if db != 'sqlite':\n  Base.metadata.create_all(engine)", "create_all"),
        ("User.__table__.create(engine)", "ddl element"),
        ("conn.execute(CreateTable(User.__table__))", "ddl element"),
    ],
)
def test_tables_made_from_the_models_are_found(source: str, kind: str) -> None:
    assert kinds_and_tables(source) == [(kind, ())]


@pytest.mark.parametrize(
    "source",
    [
        "factory.create_all()",
        "self.create_all()",
        "Base.metadata.create_all(sqlite_engine)",
        'def f():\n  e = create_engine("sqlite://")\n  Base.metadata.create_all(e)',
        'if url.startswith("sqlite"):\n  Base.metadata.create_all(engine)',
        'if __name__ == "__main__":\n  db.create_all()',
        "md = MetaData()\nmd.create_all(engine)",
        "print(CreateTable(User.__table__))",
        "conn.execute(CreateTable(self.make_table()))",
        "user.create(session)",
        '"""Base.metadata.create_all(engine)"""',
    ],
)
def test_other_calls_named_create_all_are_not_found(source: str) -> None:
    assert kinds_and_tables(source) == []


def test_a_metadata_made_in_the_module_gives_the_tables_it_names() -> None:
    source = 'md = MetaData()\nt = Table("users", md, Column("id", Integer))\n'
    source += "md.create_all(engine)\nt.drop(engine)"
    assert kinds_and_tables(source) == [("create_all", ("users",)), ("ddl element", ("users",))]


def test_psql_run_from_python_is_found() -> None:
    assert kinds_and_tables(f'subprocess.run(["psql", "-c", "{ALTER}"])') == [("shell", ("users",))]
    assert kinds_and_tables(f"""os.system("psql -c '{ALTER}'")""") == [("shell", ("users",))]
    assert kinds_and_tables(f'subprocess.run(["echo", "{ALTER}"])') == []


@pytest.mark.parametrize(
    "newer",
    [
        'x = f"{row["name"]}"',
        'f(\n  f"{row["name"]}",\n  1,\n)',
        "try:\n  pass\nexcept KeyError, ValueError:\n  pass",
        "def f[T: Sequence[int]](\n  x: T,\n) -> T:\n  return x",
        "class A[T](Base):\n  pass",
        "type Pair[T] = tuple[T, T]",
        'print "x"',
        'if x:\n  print "x"\nelse:\n  pass',
        'for x in f"{row["name"]}":\n  pass',
    ],
)
def test_syntax_of_another_python_version_hides_no_change(newer: str) -> None:
    assert kinds_and_tables(f'{newer}\nconn.execute("{ALTER}")\n') == USERS


def test_an_invalid_escape_gives_no_warning() -> None:
    assert kinds_and_tables(f'x = "\\d"\nconn.execute("{ALTER}")') == USERS
