from __future__ import annotations

import pytest

from migration_gate.scan.files import Changes, find_source_kind
from migration_gate.scan.python_ddl import find_python_changes
from migration_gate.scan.shell_ddl import find_psql_statements

ALTER = "ALTER TABLE users ADD COLUMN slug text"


def seen(source: str, file: str = "app/db.py") -> list[tuple[str, tuple[str, ...]]]:
    found = find_python_changes(file, source)
    assert found is not None
    return [(hit.how, hit.tables) for hit in found]


USERS = [("execute", ("users",))]


@pytest.mark.parametrize(
    "source",
    [
        f'conn.execute("{ALTER}")',
        f'conn.execute(text("{ALTER}"))',
        f'conn.execute(sa.text(f"{ALTER}"))',
        f'cursor.executemany("""\n  {ALTER}\n""", rows)',
        f'await conn.exec_driver_sql("{ALTER}")',
        f'event.listen(Base.metadata, "after_create", DDL("{ALTER}"))',
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
    assert seen(source) == USERS


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
def test_ddl_that_nobody_runs_here_is_not_found(source: str) -> None:
    assert seen(source) == []


def test_a_loop_over_tables_names_each() -> None:
    source = 'for t in ("users", "tags"):\n  conn.execute(f"ALTER TABLE {t} ADD COLUMN slug text")'
    assert seen(source) == [("execute", ("users",)), ("execute", ("tags",))]


def test_the_line_is_that_of_the_statement() -> None:
    found = find_python_changes("a.py", f'x = 1\nconn.execute("""\nselect 1;\n{ALTER};\n""")')
    assert found is not None
    assert [hit.line for hit in found] == [4]


@pytest.mark.parametrize(
    ("source", "how"),
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
def test_tables_made_from_the_models_are_found(source: str, how: str) -> None:
    assert seen(source) == [(how, ())]


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
    assert seen(source) == []


def test_a_metadata_made_in_the_module_counts_with_the_tables_it_names() -> None:
    source = 'md = MetaData()\nt = Table("users", md, Column("id", Integer))\n'
    source += "md.create_all(engine)\nt.drop(engine)"
    assert seen(source) == [("create_all", ("users",)), ("ddl element", ("users",))]


def test_psql_run_from_python_is_found() -> None:
    assert seen(f'subprocess.run(["psql", "-c", "{ALTER}"])') == [("shell", ("users",))]
    assert seen(f"""os.system("psql -c '{ALTER}'")""") == [("shell", ("users",))]
    assert seen(f'subprocess.run(["echo", "{ALTER}"])') == []


def test_a_file_that_python_cannot_parse_is_said() -> None:
    found = Changes()
    found.look("old.py", "old.py", "python", b'exec "ALTER TABLE users ADD x int" in x')
    assert found.hits == []
    assert [name for name, _ in found.unchecked] == ["old.py"]


def test_a_file_that_speaks_of_no_ddl_is_not_parsed() -> None:
    found = Changes()
    found.look("old.py", "old.py", "python", b'print "x"; user.create(1)')
    assert found.unchecked == []


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
def test_syntax_of_another_python_hides_nothing(newer: str) -> None:
    assert seen(f'{newer}\nconn.execute("{ALTER}")\n') == USERS


def test_a_sum_of_thousands_of_strings_is_said_to_be_beyond_us() -> None:
    source = "x = " + " + ".join(['"ALTER TABLE users"'] * 3000) + "\nconn.execute(x)"
    found = Changes()
    found.look("long.py", "long.py", "python", source.encode())
    assert [name for name, _ in found.unchecked] in ([], ["long.py"])


def test_old_escapes_warn_nobody() -> None:
    assert seen(f'x = "\\d"\nconn.execute("{ALTER}")') == USERS


@pytest.mark.parametrize(
    "script",
    [
        f'psql -c "{ALTER}"',
        f"psql $URL --command='{ALTER}'",
        f'psql -h db -qc "{ALTER}"',
        f'psql -c "select 1" \\\n  -c "{ALTER}"',
        'psql -c "ALTER TABLE \\"users\\" ADD x int"',
        f"psql <<EOF\n{ALTER};\nEOF",
        f"psql -v x=1 <<-'SQL'\n  {ALTER};\n  SQL",
        f'echo "{ALTER}" | psql $URL',
        f"docker compose exec db bash -c 'psql -U x -c \"{ALTER}\"'",
        f"docker compose exec db sh -c \"psql -U x -c '{ALTER}'\"",
        f'command: ["psql", "-c", "{ALTER}"]',
        f'- run: |\n    psql -c "\n      {ALTER};\n    "',
    ],
)
def test_sql_handed_to_psql_is_found(script: str) -> None:
    assert [relations[0].strip('"') for _, _, relations in find_psql_statements(script)] == ["users"]


@pytest.mark.parametrize(
    "script",
    [
        f'# psql -c "{ALTER}"',
        f'mysql -e "{ALTER}"',
        f'psql -c "select 1"\necho "{ALTER}"',
        'psql -c "CREATE DATABASE x"',
        'psql -c "ALTER TABLE $TABLE ADD x int"',
        f'psql -U "{ALTER}"',
    ],
)
def test_what_psql_does_not_run_is_not_found(script: str) -> None:
    assert list(find_psql_statements(script)) == []


def test_the_line_in_a_script_is_that_of_the_statement() -> None:
    assert [line for line, _, _ in find_psql_statements(f"set -e\npsql <<EOF\nselect 1;\n{ALTER};\nEOF")] == [
        4
    ]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app/db.py", "python"),
        ("scripts/init.sh", "shell"),
        ("Makefile", "shell"),
        ("docker/Dockerfile.dev", "shell"),
        ("bin/setup", "shell"),
        (".github/workflows/ci.yml", "workflow"),
        (".gitlab-ci.yml", "workflow"),
        ("docker-compose.dev.yaml", "workflow"),
        ("config/settings.yml", None),
        ("README.md", None),
        ("tests/test_db.py", None),
        ("app/tests/db.py", None),
        ("app/db_test.py", None),
        ("app/conftest.py", None),
        ("docs/conf.py", None),
        ("examples/run.sh", None),
        ("app/contest.py", "python"),
        ("app/latest/db.py", "python"),
        ("attestation/db.py", "python"),
    ],
)
def test_a_path_says_how_a_file_is_read(path: str, kind: str | None) -> None:
    assert find_source_kind(path) == kind
