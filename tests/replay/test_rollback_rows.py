"""Downgrades are proven with unusual rows: NULL, the longest texts, the largest numbers, duplicates."""

from __future__ import annotations

from typing import TypeAlias

import pytest

from migration_gate import checks
from migration_gate.check import Severity
from migration_gate.facts import Facts, RevisionRollback
from tests.replay.test_rollback import run, write_project
from tests.support.alembic_projects import env
from tests.support.project_files import revision_text
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
BASE = """
op.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
op.execute("CREATE TABLE days (day date NOT NULL) PARTITION BY RANGE (day)")
op.execute("CREATE TABLE days_2024 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")
op.execute(
    "CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL, name varchar(20), score int,"
    " mood mood, extra jsonb, parent int REFERENCES users, CONSTRAINT users_email UNIQUE (email))"
)
"""


Said: TypeAlias = "tuple[str, str | None, str]"
"""check, kind and severity of a finding"""


def prove(engine: Engine, upgrade: str, downgrade: str) -> tuple[RevisionRollback, list[Said]]:
    """The rollback of a second revision, and what the checks say of it."""
    folder = write_project(
        engine.folder(),
        revision_text("a", None, BASE),
        revision_text("b", "a", upgrade, downgrade),
    )
    ran = run(engine, folder, 2)
    [rollback] = ran.replay.rollbacks
    facts = Facts(replay=ran.replay)
    assert not any("simple rows alone" in note for note in ran.replay.notes), ran.replay.notes
    return rollback, list_said(facts)


def list_said(facts: Facts) -> list[Said]:
    """What the checks of downgrades say."""
    return [
        (check.__name__.rpartition(".")[2], finding.kind, (finding.severity or check.SEVERITY).value)
        for check in (
            checks.failing_downgrade,
            checks.incomplete_downgrade,
            checks.rows_differ_after_rollback,
        )
        for finding in check.check(facts)
    ]


def execute(*statements: str) -> str:
    """The body of a function."""
    return "\n".join(f"op.execute({statement!r})" for statement in statements)


NEWER = [("failing_downgrade", "newer-row", "note")]


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "message"),
    [
        (
            "ALTER TABLE users ALTER email DROP NOT NULL",
            "ALTER TABLE users ALTER email SET NOT NULL",
            'column "email" of relation "users" contains null values',
        ),
        (
            "ALTER TABLE users ALTER name TYPE varchar(40)",
            "ALTER TABLE users ALTER name TYPE varchar(20)",
            "value too long for type character varying(20)",
        ),
        (
            "ALTER TABLE users DROP CONSTRAINT users_email",
            "ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email)",
            'could not create unique index "users_email"',
        ),
        (
            "ALTER TABLE users ALTER score TYPE bigint",
            "ALTER TABLE users ALTER score TYPE int",
            "integer out of range",
        ),
    ],
    ids=["null", "length", "unique", "range"],
)
def test_rows_that_only_the_newer_schema_allows_are_told_apart(
    engine: Engine, upgrade: str, downgrade: str, message: str
) -> None:
    rollback, found = prove(engine, execute(upgrade), execute(downgrade))
    assert rollback.failure is None
    assert rollback.is_complete
    assert not rollback.altered_rows
    assert found == NEWER
    assert rollback.newer_row_failure is not None
    assert rollback.newer_row_failure.message == message
    assert ("null" in message) == bool(rollback.newer_row)


@pytest.mark.parametrize(
    "downgrade",
    [
        'op.drop_column("users", "above")',
        'raise NotImplementedError("one way")',
        "pass",
    ],
    ids=["clean", "one-way", "incomplete"],
)
def test_so_they_are_below_another_revision(engine: Engine, downgrade: str) -> None:
    loosen, tighten = (execute(f"ALTER TABLE users ALTER email {word} NOT NULL") for word in ("DROP", "SET"))
    folder = write_project(
        engine.folder(),
        revision_text("a", None, BASE),
        revision_text("b", "a", loosen, tighten),
        revision_text("c", "b", 'op.add_column("users", sa.Column("above", sa.Integer))', downgrade),
        revision_text(
            "d",
            "c",
            execute("ALTER TABLE users ALTER mood SET NOT NULL"),
            execute("ALTER TABLE users ALTER mood DROP NOT NULL"),
        ),
        revision_text(
            "e",
            "d",
            execute("ALTER TABLE users ALTER score TYPE bigint"),
            execute("ALTER TABLE users ALTER score TYPE int"),
        ),
    )
    rollbacks = {item.revision: item for item in run(engine, folder, 2, 3, 4, 5).replay.rollbacks}
    assert rollbacks["b"].is_complete
    assert rollbacks["b"].newer_row_failure is not None
    assert "null" in rollbacks["b"].newer_row_failure.message
    assert rollbacks["b"].newer_row
    assert rollbacks["e"].newer_row_failure is not None
    assert rollbacks["e"].newer_row_failure.message == "integer out of range"


def test_so_they_are_where_a_session_would_lose_what_env_py_sets(engine: Engine) -> None:
    setting = "connection.execute(text(\"SET LOCAL lock_timeout = '9s'\"))"
    env_py = env(run=f"with context.begin_transaction():\n    {setting}\n    context.run_migrations()")
    loosen, tighten = (execute(f"ALTER TABLE users ALTER email {word} NOT NULL") for word in ("DROP", "SET"))
    folder = write_project(
        engine.folder(),
        revision_text("a", None, BASE),
        revision_text("b", "a", loosen, tighten),
        revision_text("c", "b", *(execute(f"{word} SEQUENCE s") for word in ("CREATE", "DROP"))),
        env_py=env_py,
    )
    rollbacks = {item.revision: item for item in run(engine, folder, 2, 3).replay.rollbacks}
    assert rollbacks["c"].is_complete
    assert rollbacks["b"].newer_row_failure is not None


def test_a_downgrade_that_treats_what_the_upgrade_allowed_is_silent(engine: Engine) -> None:
    upgrade = execute(
        "ALTER TABLE users ALTER email DROP NOT NULL",
        "ALTER TYPE mood RENAME TO mood_old",
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
        "ALTER TABLE users ALTER mood TYPE mood USING mood::text::mood",
        "DROP TYPE mood_old",
    )
    downgrade = execute(
        "DELETE FROM users WHERE email IS NULL",
        "ALTER TABLE users ALTER email SET NOT NULL",
        "UPDATE users SET mood = 'ok' WHERE mood = 'happy'",
        "ALTER TYPE mood RENAME TO mood_new",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "ALTER TABLE users ALTER mood TYPE mood USING mood::text::mood",
        "DROP TYPE mood_new",
    )
    rollback, found = prove(engine, upgrade, downgrade)
    assert rollback.is_complete
    assert found == []


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "expected"),
    [
        # Both schemas allow NULL; the older code had it somewhere else.
        (
            [
                "CREATE TABLE names (user_id int PRIMARY KEY REFERENCES users, label text)",
                "INSERT INTO names SELECT id, name FROM users",
                "ALTER TABLE users DROP COLUMN name",
            ],
            [
                "CREATE TABLE labels (id int, label text NOT NULL)",
                "INSERT INTO labels SELECT user_id, label FROM names",
                "ALTER TABLE users ADD name varchar(20)",
                "DROP TABLE labels",
                "DROP TABLE names",
            ],
            [("failing_downgrade", "unusual-row", "warning")],
        ),
        # The sign is gone, and the upgrade has nothing to do with that.
        (
            ["ALTER TABLE users ADD seen int"],
            ["ALTER TABLE users DROP seen", "UPDATE users SET score = abs(score) WHERE score > -5"],
            [("rows_differ_after_rollback", None, "error")],
        ),
        # Rows without the optional parent are removed.
        (
            ["ALTER TABLE users ADD seen int"],
            ["DELETE FROM users WHERE extra IS NULL", "ALTER TABLE users DROP seen"],
            [("rows_differ_after_rollback", None, "error")],
        ),
        # What the upgrade converts may have no such values.
        (
            ["UPDATE users SET score = score * 100 WHERE abs(score) < 1000000"],
            ["UPDATE users SET score = score / 100"],
            [("rows_differ_after_rollback", None, "note")],
        ),
        # Rows of a new partition did not fit before.
        (
            [
                "CREATE TABLE days_2025 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
                "ALTER TABLE days ADD note text",
            ],
            ["ALTER TABLE days DROP note", "DROP TABLE days_2025"],
            [],
        ),
        (["UPDATE users SET name = '' WHERE name IS NULL"], ["SELECT name FROM users"], []),
        # With duplicates that differ in their case the upgrade fails: fails-on-rows says that.
        (
            ["UPDATE users SET email = lower(email)"],
            ["SELECT email FROM users"],
            [("failing_downgrade", "unusual-row", "note")],
        ),
    ],
    ids=["NULL moved", "sign lost", "rows removed", "integer division", "partition", "backfill", "lower"],
)
def test_rows_that_both_schemas_allow(
    engine: Engine, upgrade: list[str], downgrade: list[str], expected: list[Said]
) -> None:
    rollback, found = prove(engine, execute(*upgrade), execute(*downgrade))
    assert rollback.failure is None, rollback.failure
    assert found == expected


MADE = "CREATE TABLE t2 (id int PRIMARY KEY, note text)"
COPIED = "INSERT INTO t2 SELECT id, note FROM t"
SWAPPED = "DROP TABLE t; ALTER TABLE t2 RENAME TO t; ALTER TABLE t RENAME CONSTRAINT t2_pkey TO t_pkey"


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "lost", "expected"),
    [
        ("ALTER TABLE t ADD x int", f"{MADE}; {COPIED}; {SWAPPED}", ("t.x",), []),
        (
            "ALTER TABLE t ADD x int",
            f"{MADE}; {SWAPPED}",
            (),
            [("rows_differ_after_rollback", None, "error")],
        ),
        (f"{MADE}; {COPIED}; ALTER TABLE t2 ADD x int; {SWAPPED}", f"{MADE}; {SWAPPED}", ("t",), []),
        (
            "ALTER TABLE t RENAME TO old; CREATE TABLE t (id int, note text); INSERT INTO t TABLE old",
            "DROP TABLE t; ALTER TABLE old RENAME TO t",
            (),
            [],
        ),
    ],
    ids=["its rows are copied", "they are not", "the upgrade makes it anew, too", "the old one was kept"],
)
def test_a_table_that_a_downgrade_makes_anew_has_the_rows_of_the_old_one(
    engine: Engine, upgrade: str, downgrade: str, lost: tuple[str, ...], expected: list[Said]
) -> None:
    folder = write_project(
        engine.folder(),
        revision_text("a", None, execute("CREATE TABLE t (id int PRIMARY KEY, note text)")),
        revision_text("b", "a", execute(upgrade), execute(downgrade)),
    )
    ran = run(engine, folder, 2)
    assert ran.replay.rollbacks[0].lost_values == lost
    assert list_said(Facts(replay=ran.replay)) == expected


PARTITION = "PARTITION OF {0} FOR VALUES FROM ('{1}-01-01') TO ('{2}-01-01')"


@pytest.mark.parametrize(
    ("table", "upgrade", "downgrade", "expected"),
    [
        pytest.param(
            f"CREATE TABLE a_2024 {PARTITION.format('a', 2024, 2025)}",
            "ALTER TABLE a DETACH PARTITION a_2024",
            "ALTER TABLE a ATTACH PARTITION a_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
            [],
            id="the only one detached",
        ),
        pytest.param(
            "CREATE TABLE a_1 PARTITION OF b FOR VALUES IN ('x', NULL); "
            "CREATE TABLE a_2 PARTITION OF b FOR VALUES IN ('y')",
            "ALTER TABLE b DETACH PARTITION a_1",
            "ALTER TABLE b ATTACH PARTITION a_1 FOR VALUES IN ('x', NULL)",
            [],
            id="one of a list detached",
        ),
        pytest.param(
            "CREATE TABLE a_1 PARTITION OF h FOR VALUES WITH (modulus 2, remainder 0); "
            "CREATE TABLE a_2 PARTITION OF h FOR VALUES WITH (modulus 2, remainder 1)",
            "ALTER TABLE h DETACH PARTITION a_1",
            "ALTER TABLE h ATTACH PARTITION a_1 FOR VALUES WITH (modulus 2, remainder 0)",
            [],
            id="one of a hash detached",
        ),
        pytest.param(
            f"CREATE TABLE a_2024 {PARTITION.format('a', 2024, 2025)}",
            "ALTER TABLE a DETACH PARTITION a_2024",
            "TRUNCATE a_2024; "
            "ALTER TABLE a ATTACH PARTITION a_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
            [("rows_differ_after_rollback", None, "error")],
            id="a detached one emptied",
        ),
        pytest.param(
            "SELECT 1",
            f"CREATE TABLE a_2024 {PARTITION.format('a', 2024, 2025)}",
            "DROP TABLE a_2024",
            [],
            id="the first one",
        ),
        pytest.param(
            f"CREATE TABLE a_2023 {PARTITION.format('a', 2023, 2024)}",
            f"CREATE TABLE a_2024 {PARTITION.format('a', 2024, 2025)}",
            "DROP TABLE a_2024",
            [],
            id="another one",
        ),
        pytest.param(
            "SELECT 1",
            "ALTER TABLE a ALTER note SET NOT NULL",
            "ALTER TABLE a ALTER note DROP NOT NULL",
            [],
            id="none at all",
        ),
    ],
)
def test_rows_fit_the_partitions_that_there_were(
    engine: Engine, table: str, upgrade: str, downgrade: str, expected: list[Said]
) -> None:
    tables = (
        "CREATE TABLE a (day date NOT NULL, note text) PARTITION BY RANGE (day); "
        "CREATE TABLE b (kind text) PARTITION BY LIST (kind); "
        "CREATE TABLE h (kind text) PARTITION BY HASH (kind)"
    )
    folder = write_project(
        engine.folder(),
        revision_text("a", None, execute(f"{tables}; {table}")),
        revision_text("b", "a", execute(upgrade), execute(downgrade)),
    )
    assert list_said(Facts(replay=run(engine, folder, 2).replay)) == expected


def test_code_that_fails_over_an_unusual_row_is_a_note(engine: Engine) -> None:
    upgrade = execute("ALTER TABLE users ADD seen int")
    downgrade = (
        "for name, in op.get_bind().execute(sa.text('SELECT name FROM users')).all():\n    name.upper()\n"
        + execute("ALTER TABLE users DROP seen")
    )
    rollback, found = prove(engine, upgrade, downgrade)
    assert rollback.is_complete
    assert rollback.failing_rows == "unusual"
    assert found == [("failing_downgrade", "made-up-row", Severity.NOTE.value)]


BUILT_IN_TYPES = (
    "int[]", "numeric(10,2)", "boolean", "inet", "cidr", "interval", "jsonb", "timestamptz", "timestamp",
    "bytea", "int4range", "box", "double precision", "macaddr", "bit(8)", "time", "money", "uuid[]",
)  # fmt: skip


def test_a_text_that_comes_back_from_the_old_type_is_as_postgres_writes_it(engine: Engine) -> None:
    """`10.0.0.1` is `10.0.0.1/32` when it has been an `inet`: that is no fault of the downgrade."""
    columns = {f"c{number}": type_text for number, type_text in enumerate(BUILT_IN_TYPES)}
    create = ", ".join(f"{name} {type_text}" for name, type_text in columns.items())
    to_text = ", ".join(f"ALTER {name} TYPE text USING {name}::text" for name in columns)
    back = ", ".join(f"ALTER {name} TYPE {kind} USING {name}::{kind}" for name, kind in columns.items())
    folder = write_project(
        engine.folder(),
        revision_text("a", None, execute(f"CREATE TABLE t (id int PRIMARY KEY, {create})")),
        revision_text("b", "a", execute(f"ALTER TABLE t {to_text}"), execute(f"ALTER TABLE t {back}")),
    )
    ran = run(engine, folder, 2)
    [rollback] = ran.replay.rollbacks
    assert rollback.is_complete
    assert [*checks.rows_differ_after_rollback.check(Facts(replay=ran.replay))] == []


def test_made_rows_do_not_hang_on_a_row_that_the_downgrade_deletes(engine: Engine) -> None:
    base = execute(
        "CREATE TABLE topic (id int PRIMARY KEY, parent int REFERENCES topic ON DELETE CASCADE, name text)"
    )
    folder = write_project(
        engine.folder(),
        revision_text("a", None, base),
        revision_text(
            "b",
            "a",
            execute("INSERT INTO topic VALUES (9999, NULL, 'other')"),
            execute("DELETE FROM topic WHERE id = 9999"),
        ),
    )
    ran = run(engine, folder, 2)
    [rollback] = ran.replay.rollbacks
    assert rollback.is_complete
    assert [*checks.rows_differ_after_rollback.check(Facts(replay=ran.replay))] == []


def test_rows_that_the_upgrade_moves_into_its_own_table_are_not_gone(engine: Engine) -> None:
    upgrade = execute(
        "CREATE TABLE archive (LIKE note)",
        "INSERT INTO archive SELECT * FROM note WHERE is_old",
        "DELETE FROM note WHERE is_old",
    )
    downgrade = execute("INSERT INTO note SELECT * FROM archive", "DROP TABLE archive")
    folder = write_project(
        engine.folder(),
        revision_text("a", None, execute("CREATE TABLE note (id int, body text, is_old boolean)")),
        revision_text("b", "a", upgrade, downgrade),
    )
    ran = run(engine, folder, 2)
    [rollback] = ran.replay.rollbacks
    assert rollback.is_complete
    assert [*checks.rows_differ_after_rollback.check(Facts(replay=ran.replay))] == []
