from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks.schema_change_outside_migrations import check
from migration_gate.facts import (
    AttachedObject,
    CreatedObject,
    EnumType,
    Facts,
    Failure,
    ImportedModule,
    Index,
    Location,
    ModelDefinition,
    Models,
    Replay,
    Routine,
    SchemaChange,
    SchemaChangeKind,
    Snapshot,
    Step,
    Table,
    Tree,
)
from migration_gate.scan.op_suggestion import suggest_operation

CATALOG = Snapshot(
    tables=(Table("public", "users"), Table("app", "media"), Table("public", "Odd Name")),
    indexes=(Index("public", "users", "users_name_idx", "…"),),
    enums=(EnumType("public", "mood", ("a",)),),
)


def check_change(statement: str, *tables: str, how: SchemaChangeKind = "execute") -> list[Finding]:
    change = SchemaChange(Location("app/db.py", 7), statement, how, tables, suggest_operation(statement))
    return list(check(Facts(replay=Replay(catalog=CATALOG), tree=Tree(schema_changes=(change,)))))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("users", "users"),
        ("USERS", "users"),
        ('"users"', "users"),
        ("public.users", "users"),
        ('"public"."users"', "users"),
        ("db.public.users", "users"),
        ("app.media", "app.media"),
        ("media", "app.media"),
        ('"Odd Name"', "Odd Name"),
        ("{schema}.users", "users"),
        ('"{{ schema }}"."users"', "users"),
        ("users_name_idx", "users_name_idx"),
        ("mood", "mood"),
    ],
)
def test_a_name_is_read_by_the_rules_of_postgres(written: str, meant: str) -> None:
    assert [finding.object for finding in check_change("ALTER TABLE x ADD y int", written)] == [meant]


@pytest.mark.parametrize(
    "written",
    ['"USERS"', "other.users", "odd_name", "{table}", "{prefix}_users", "users_{suffix}", "tmp.media", "{}"],
)
def test_a_table_that_no_migration_made_is_no_finding(written: str) -> None:
    assert check_change("ALTER TABLE x ADD y int", written) == []


def test_the_finding_says_who_changes_what_and_the_revision_to_write() -> None:
    finding = check_change("ALTER TABLE users ADD COLUMN slug text", "users")[0]
    assert finding.message == "`users` is changed by code outside the migrations"
    assert finding.evidence == (Evidence("statement", "ALTER TABLE users ADD COLUMN slug text"),)
    assert str(finding.location) == "app/db.py:7"
    assert '    op.add_column("users", sa.Column("slug", sa.Text()))' in finding.fix
    assert finding.severity is None


@pytest.mark.parametrize(("how", "who"), [("shell", "a script"), ("workflow", "a workflow")])
def test_scripts_and_workflows_are_named(how: SchemaChangeKind, who: str) -> None:
    assert f"changed by {who}" in check_change("DROP TABLE users", "users", how=how)[0].message


def test_create_all_is_found_whatever_tables_it_creates() -> None:
    finding = check_change("Base.metadata.create_all(engine)", how="create_all")[0]
    assert finding.message == (
        "`Base.metadata.create_all(engine)` creates the tables of the models outside the migrations"
    )
    assert "alembic upgrade head" in finding.fix
    assert check_change("md.create_all()", "elsewhere", how="create_all") == []


def test_ddl_on_a_table_whose_name_is_computed_is_a_warning() -> None:
    assert check_change("User.__table__.create(e)", how="ddl element")[0].severity is Severity.WARNING
    assert check_change("t.create(e)", "users", how="ddl element")[0].severity is None


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("ALTER TABLE users ADD slug varchar;", 'op.add_column("users", sa.Column("slug", sa.Text()))'),
        ("alter table app.media drop column if exists a", 'op.drop_column("media", "a", schema="app")'),
        ("CREATE UNIQUE INDEX ix ON users (a, b)", 'op.create_index("ix", "users", ["a", "b"], unique=True)'),
        ("ALTER TABLE users ADD a int NOT NULL", "op.execute('ALTER TABLE users ADD a int NOT NULL')"),
        ("CREATE INDEX ix ON users USING gin (a)", "op.execute('CREATE INDEX ix ON users USING gin (a)')"),
        ("COMMENT ON TABLE users IS 'x\\y'", "op.execute(\"COMMENT ON TABLE users IS 'x\\\\y'\")"),
        ("ALTER TABLE {t} ADD a int", None),
        ("ALTER TABLE %(fullname)s ADD a int", None),
        ("ALTER TABLE users ADD …", None),
        ("Base.metadata.create_all(engine)", None),
    ],
)
def test_a_statement_becomes_an_operation(statement: str, line: str | None) -> None:
    assert suggest_operation(statement) == line


EVENT_CATALOG = Snapshot(
    tables=(Table("public", "users", row_security=True),),
    triggers=(AttachedObject("public", "users", "keep", "trigger", "..."),),
    routines=(Routine("app", "touch", "", "function", "..."),),
)


def check_event(noun: str, name: str, table: str = "", **fields: object) -> list[Finding]:
    created = CreatedObject(noun, name, table)
    change = SchemaChange(Location("app/models.py", 7), "CREATE ...", "ddl event", created=created)
    replay = Replay(catalog=EVENT_CATALOG, steps=(Step(1, "a1", 0.1),))
    replay = replace(replay, **fields)  # type: ignore[arg-type]
    return list(check(Facts(replay=replay, tree=Tree(schema_changes=(change,)))))


@pytest.mark.parametrize(
    ("noun", "name", "table"),
    [
        ("trigger", "keep", "users"),
        ("trigger", '"keep"', "public.users"),
        ("trigger", "keep", "%(table)s"),
        ("trigger", "ke%(rest)s", ""),
        ("trigger", "%(name)s", ""),
        ("function", "app.touch", ""),
        ("function", "touch", ""),
        ("row security", "users", ""),
        ("operator", "whatever", ""),
    ],
)
def test_sql_of_create_all_whose_object_the_migrations_make_is_none(noun: str, name: str, table: str) -> None:
    assert check_event(noun, name, table) == []


def test_an_object_that_create_all_alone_makes_is_found_with_what_it_is() -> None:
    (finding,) = check_event("trigger", "lost", "users")
    assert finding.message == "create_all makes the trigger `lost` on `users`, no migration makes it"
    assert [found.object for found in check_event("function", "public.touch")] == ["public.touch"]


def test_where_nothing_was_replayed_nothing_is_said_of_create_all_s_sql() -> None:
    assert check_event("trigger", "lost", "users", steps=()) == []
    assert check_event("trigger", "lost", "users", failure=Failure("x")) == []


def check_call(**fields: object) -> Finding:
    change = SchemaChange(Location("app/db.py", 7), "Base.metadata.create_all(e)", "create_all")
    changes = (replace(change, **fields),)  # type: ignore[arg-type]
    (finding,) = check(Facts(replay=Replay(catalog=CATALOG), tree=Tree(schema_changes=changes)))
    return finding


def test_alembic_s_recipe_for_a_new_database_is_a_warning_with_its_own_text() -> None:
    finding = check_call(stamps_head=True)
    assert finding.severity is Severity.WARNING
    assert "Alembic's recipe for a new database" in finding.fix


@pytest.mark.parametrize(
    ("url", "severity"),
    [
        ("settings.DATABASE_URL", None),
        ("os.environ['SQLALCHEMY_DATABASE_URI']", None),
        ("get_db_url()", None),
        ("settings.VECTOR_DB_URL", Severity.WARNING),
        ("url", Severity.WARNING),
    ],
)
def test_an_engine_of_its_own_is_a_warning(url: str, severity: Severity | None) -> None:
    assert check_call(engine_url=url).severity is severity


def test_a_routine_that_empties_the_database_gets_fitting_advice() -> None:
    statement = "DROP TYPE IF EXISTS mood"
    change = SchemaChange(
        Location("app/dump.py", 7), statement, "execute", ("mood",), function="restore_dump"
    )
    (finding,) = check(Facts(replay=Replay(catalog=CATALOG), tree=Tree(schema_changes=(change,))))
    assert finding.severity is Severity.WARNING
    assert "DROP SCHEMA public CASCADE" in finding.fix
    assert "Write a revision" not in finding.fix


def test_create_all_of_other_models_is_none() -> None:
    users = ModelDefinition("users", Location("app/users.py", 1), metadata="app.base:Base")
    chunks = ModelDefinition("chunk", Location("app/vector.py", 1), metadata="app.vector:VBase")
    models = Models(("public.users",), 1, imported_modules=(ImportedModule("app.users", "app/users.py"),))

    def find(metadata: str) -> list[Finding]:
        call = SchemaChange(Location("app/db.py", 7), "X.create_all(e)", "create_all", metadata=metadata)
        tree = Tree(schema_changes=(call,), model_definitions=(users, chunks))
        return list(check(Facts(replay=Replay(catalog=CATALOG, models=models), tree=tree)))

    assert find("app.vector:VBase") == []
    assert [len(find(name)) for name in ("app.base:Base", "", "app.unknown:Base")] == [1, 1, 1]
