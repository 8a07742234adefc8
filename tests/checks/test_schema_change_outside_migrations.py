from __future__ import annotations

import pytest

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks.schema_change_outside_migrations import check
from migration_gate.facts import (
    EnumType,
    Facts,
    Index,
    Location,
    Replay,
    SchemaChange,
    SchemaChangeKind,
    Snapshot,
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
        ("ALTER TABLE users ADD …", None),
        ("Base.metadata.create_all(engine)", None),
    ],
)
def test_a_statement_becomes_an_operation(statement: str, line: str | None) -> None:
    assert suggest_operation(statement) == line
