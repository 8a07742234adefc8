"""What blocking-change proposes is run in the place of what it found, and observed to block nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from textwrap import dedent
from typing import Any

import pytest

from migration_gate.checks import blocking_change, unfinished_change, work_under_lock
from migration_gate.facts import Facts, Replay
from migration_gate.replay.replay_setup import ReplaySetup
from tests.replay.test_observation import PER_MIGRATION, run_new_revisions
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
BASE = """
op.execute("CREATE DOMAIN free_text AS text")
op.execute("CREATE DOMAIN positive AS integer CHECK (VALUE > 0) CHECK (VALUE < 1000)")
op.execute("CREATE FUNCTION roll() RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 4; END'")
for number in range(1, 15):
    op.execute(f"CREATE TABLE t{number} (id bigint PRIMARY KEY, name varchar(40), room integer, day date, "
               "note free_text, total integer NOT NULL DEFAULT 7, parent bigint)")
    op.execute(f"INSERT INTO t{number} VALUES (1, '11', 4, '2024-05-01', 'a', 3, 2), "
               "(2, '12', 5, '2024-06-01', 'b', 4, 1)")
op.execute("UPDATE t8 SET id = id - 1")
op.execute("CREATE INDEX ix_room ON t10 (room) WHERE name = 'open'")
op.execute("ALTER TABLE t11 ADD CONSTRAINT short CHECK (length(name) < 9)")
op.execute("CREATE MATERIALIZED VIEW keyed AS SELECT room, count(*) AS number FROM t1 GROUP BY room")
op.execute("CREATE UNIQUE INDEX ux_keyed ON keyed (room)")
op.execute("CREATE MATERIALIZED VIEW keyless AS SELECT name, note FROM t2")
op.execute("CREATE INDEX ix_keyless ON keyless (name)")
op.execute("CREATE TABLE daily (day date NOT NULL, value integer) PARTITION BY RANGE (day)")
op.execute("CREATE TABLE daily_24 PARTITION OF daily FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")
op.execute("CREATE TABLE daily_25 PARTITION OF daily FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') "
           "PARTITION BY LIST (value)")
op.execute("CREATE TABLE daily_25_1 PARTITION OF daily_25 FOR VALUES IN (1)")
op.execute("CREATE TABLE daily_26 (day date NOT NULL, value integer)")
op.execute("CREATE TABLE vehicle (id integer PRIMARY KEY, doors smallint, axles integer)")
op.execute("CREATE SCHEMA app")
op.execute("CREATE TABLE app.truck (load integer) INHERITS (vehicle)")
op.execute("INSERT INTO vehicle VALUES (1, 4, 2)")
op.execute("INSERT INTO app.truck VALUES (2, 2, 3, 9)")
op.execute("CREATE TABLE hourly (day date, value integer) PARTITION BY RANGE (day)")
op.execute("CREATE TABLE hourly_rest PARTITION OF hourly DEFAULT PARTITION BY LIST (value)")
op.execute("CREATE TABLE hourly_rest_1 PARTITION OF hourly_rest FOR VALUES IN (1)")
op.execute("CREATE TABLE hourly_25 (day date, value integer)")
op.execute("INSERT INTO hourly VALUES ('2020-01-02', 1), (NULL, 1)")
op.execute("INSERT INTO hourly_25 VALUES ('2025-01-02', 1)")
op.execute('CREATE TABLE app."Big Log" ("Id" integer PRIMARY KEY, "Amount" integer NOT NULL DEFAULT 3)')
op.execute('INSERT INTO app."Big Log" VALUES (1, 2)')
op.execute("CREATE TABLE app.t9 (id integer PRIMARY KEY, name text)")
op.execute("INSERT INTO daily VALUES ('2024-01-02', 1), ('2025-01-02', 1)")
op.execute("INSERT INTO daily_26 VALUES ('2026-01-02', 1)")
op.execute("REFRESH MATERIALIZED VIEW keyed")
op.execute("CREATE SEQUENCE shared_numbers")
op.execute("CREATE TABLE heap (name text, room integer, first integer, word text)")
op.execute("INSERT INTO heap VALUES ('a', 1, 1, 'x'), ('b', 2, 2, 'y')")
op.execute("ALTER TABLE heap ADD CONSTRAINT named CHECK (name <> '') NOT VALID")
op.execute("ALTER TABLE heap ADD CONSTRAINT heap_first UNIQUE (first)")
op.execute("CREATE INDEX ix_heap_word ON heap (word)")
op.execute("CREATE INDEX ix_heap_word_room ON heap (word, room)")
op.execute("CREATE INDEX ix_heap_name ON heap (name)")
op.execute('CREATE SCHEMA "Big App"')
op.execute('CREATE MATERIALIZED VIEW "Big App"."Names" AS SELECT name FROM t2')
op.execute('CREATE INDEX "Ix Names" ON "Big App"."Names" (name)')
op.execute('CREATE TABLE "Big App"."Days" (day date NOT NULL, value integer) PARTITION BY RANGE (day)')
op.execute('CREATE TABLE "Big App"."Days 24" PARTITION OF "Big App"."Days" '
           "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")
"""


DECLARED_NAMES = (
    r"(constraints|indexes) (daily_2\d(_1)?\.)?(daily_2\d(_1)?_day_value_key|once_daily_2\d(_1)?)",
    r"indexes Big App\.(Days 24_value_idx|Ix Days_Days 24)",
    r"indexes (daily_2\d(_1)?_value_idx|ix_value_daily_2\d(_1)?)",  # names of partitions'
    r"columns .*\.(Amount|name|room|total|doors|note|first)_old",  # kept until it is dropped
    r"(constraints heap\.|indexes )(heap_first|named|ix_heap_name)",  # are to be given to the new column
    r"(tables|columns|constraints) t14_old.*",
    r"(constraints t14\.|indexes )t14(_new)?_pkey",
    r"(constraints t5\.|indexes )alone2?",  # a unique index says the same
    r".* (t6_apart.*|(t6\.)?apart|(copy|empty)_t6_apart.*)",  # the rule is in a table of its own
    r"columns (app\.)?t9\.(rank|said)",  # no domain, and no generated column
    r"constraints t9\.rank_positive_check1?",
    r"(columns t1\.total|constraints t1\.total_positive_check1?)",
    r".*[ .]fill_t9_said.*",
    r"types free_text",  # its rules hold for new values
)
DECLARED = re.compile("|".join(f"({pattern})" for pattern in DECLARED_NAMES))
"""what the safe ways leave behind in another way, as their words say"""


@dataclass(frozen=True)
class Case:
    """A statement that blocks, and its kind."""

    kind: str
    body: str


CASES = (
    Case("index-build", 'op.create_index("ix_name", "t1", ["name"])'),
    Case(
        "index-build",
        """op.get_bind().exec_driver_sql("CREATE UNIQUE INDEX ix_json ON t1 (room, (name || ' \\\":b'))")""",
    ),
    Case("index-build", 'op.create_index("ix_value", "daily", ["value"])'),  # names of partitions'
    Case(
        "partition-scan",
        'op.execute("ALTER TABLE daily ATTACH PARTITION daily_26 "\n'
        "    \"FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')\")",
    ),
    Case(
        "partition-scan",
        'op.execute("CREATE TABLE app.\\"Hourly 24\\" PARTITION OF hourly "\n'
        "    \"FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')\")",
    ),
    Case(
        "partition-scan",
        'op.execute("ALTER TABLE hourly ATTACH PARTITION hourly_25 "\n'
        "    \"FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')\")",
    ),
    Case("not-null-scan", 'op.alter_column("t2", "name", nullable=False)'),
    Case("check-scan", 'op.create_check_constraint("named", "t3", "name IS NOT NULL")'),
    Case("check-scan", 'op.execute("ALTER TABLE t3 ADD COLUMN w integer DEFAULT 2 CHECK (w > 1)")'),
    Case("check-scan", 'op.alter_column("t11", "name", type_=sa.String(60))'),
    Case("check-scan", "op.execute(\"ALTER DOMAIN free_text ADD CONSTRAINT filled CHECK (VALUE <> '')\")"),
    Case("check-scan", 'op.execute("ALTER DOMAIN free_text ADD CHECK (length(VALUE) < 99)")'),
    Case("constraint-index", 'op.create_unique_constraint("name_once", "t4", ["name"])'),
    Case(
        "constraint-index",
        'op.execute("ALTER TABLE t4 ADD CONSTRAINT later UNIQUE (room) INCLUDE (name) "\n'
        '    "DEFERRABLE INITIALLY DEFERRED")',
    ),
    Case("constraint-index", 'op.add_column("t4", sa.Column("slug", sa.String(9), unique=True))'),
    Case("constraint-index", 'op.execute("ALTER TABLE daily ADD CONSTRAINT once UNIQUE (day, value)")'),
    Case(
        "constraint-index",
        'op.execute("ALTER TABLE t5 ADD CONSTRAINT alone EXCLUDE (room WITH =, day WITH =)")',
    ),
    Case(
        "constraint-index",
        'op.execute("ALTER TABLE t6 ADD CONSTRAINT apart EXCLUDE USING gist '
        '(daterange(day, day + 1) WITH &&) WHERE (room > 2)")',
    ),
    Case("foreign-key-scan", 'op.create_foreign_key("t7_parent", "t7", "t7", ["parent"], ["id"])'),
    Case(
        "foreign-key-scan",
        'op.add_column("t7", sa.Column("other_id", sa.BigInteger(), sa.ForeignKey("t8.id"),\n'
        '    server_default="0"))',
    ),
    Case(
        "foreign-key-scan",
        'op.create_foreign_key("value known", "daily", "t8", ["value"], ["id"], ondelete="CASCADE")',
    ),
    Case(
        "table-rewrite",
        'op.execute("ALTER TABLE t9 ADD COLUMN token uuid DEFAULT gen_random_uuid(), ADD COLUMN k text")',
    ),
    Case("table-rewrite", 'op.execute("ALTER TABLE t9 ADD COLUMN serial_number bigserial")'),
    Case(
        "table-rewrite",
        'op.execute("ALTER TABLE t9 ADD COLUMN drawn bigint GENERATED ALWAYS AS IDENTITY '
        '(START 100 INCREMENT 10 MAXVALUE 900 CYCLE)")',
    ),
    Case(
        "table-rewrite",
        "op.execute(\"ALTER TABLE t9 ADD COLUMN said text GENERATED ALWAYS AS (name || ' says') STORED\")",
    ),
    Case(
        "table-rewrite",
        'op.execute("ALTER TABLE app.t9 ADD COLUMN said text GENERATED ALWAYS AS (upper(name)) STORED")',
    ),
    Case("table-rewrite", 'op.execute("ALTER TABLE t9 ADD COLUMN rank positive")'),
    Case("table-rewrite", 'op.execute("ALTER TABLE daily ADD COLUMN dice integer DEFAULT roll()")'),
    Case("table-rewrite", 'op.alter_column("t12", "total", type_=sa.BigInteger())'),
    Case(
        "table-rewrite",
        'op.execute("ALTER TABLE t12 ALTER COLUMN name SET DATA TYPE integer '
        "USING (coalesce(name, '0')::numeric * 100)::integer, \"\n"
        '    "ALTER COLUMN room TYPE jsonb USING to_jsonb(room)")',
    ),
    Case("table-rewrite", 'op.execute(\'ALTER TABLE app."Big Log" ALTER COLUMN "Amount" TYPE bigint\')'),
    Case("table-rewrite", 'op.alter_column("vehicle", "doors", type_=sa.Integer())'),
    Case("not-null-scan", 'op.alter_column("vehicle", "axles", nullable=False)'),
    Case("index-rebuild", 'op.alter_column("t10", "name", type_=sa.String(60))'),
    Case("index-rebuild", "op.execute('ALTER TABLE t10 ALTER COLUMN name TYPE varchar(60) COLLATE \"C\"')"),
    Case("maintenance", 'op.execute("REINDEX INDEX ix_room")'),
    Case("maintenance", 'op.execute("REINDEX (VERBOSE) TABLE t10")'),
    Case("maintenance", 'op.execute("CLUSTER t13 USING t13_pkey")'),
    Case("maintenance", 'with op.get_context().autocommit_block():\n    op.execute("VACUUM FULL t13")'),
    Case("maintenance", 'op.execute("ALTER TABLE t14 SET UNLOGGED")'),
    Case("materialized-view-refresh", 'op.execute("REFRESH MATERIALIZED VIEW keyed")'),
    Case("materialized-view-refresh", 'op.execute("REFRESH MATERIALIZED VIEW keyless")'),
    Case("materialized-view-refresh", """op.execute('REFRESH MATERIALIZED VIEW "Big App"."Names"')"""),
    Case("index-build", 'op.create_index("Ix Days", "Days", ["value"], schema="Big App")'),
    Case("table-rewrite", 'op.execute("ALTER TABLE heap ADD COLUMN id serial PRIMARY KEY")'),
    Case(
        "table-rewrite",
        'op.execute("ALTER TABLE t10 ADD COLUMN uid uuid DEFAULT gen_random_uuid() UNIQUE, "\n'
        '    "ADD COLUMN n2 integer CHECK (n2 > 0)")',
    ),
    Case(
        "table-rewrite",
        "op.execute(\"ALTER TABLE t10 ADD COLUMN ticket bigint DEFAULT nextval('shared_numbers')\")",
    ),
    Case("table-rewrite", 'op.execute("ALTER TABLE t10 ALTER note TYPE text USING upper(note)")'),
    Case("table-rewrite", 'op.execute("ALTER TABLE t1 ALTER total TYPE positive")'),
    Case("check-scan", 'op.execute("ALTER TABLE heap VALIDATE CONSTRAINT named, ALTER room SET DEFAULT 3")'),
    Case(
        "check-scan",
        'op.execute("ALTER TABLE t13 ALTER total SET DEFAULT 8, ADD CONSTRAINT much CHECK (total > 0), "\n'
        '    "DROP COLUMN day")',
    ),
    Case(
        "constraint-index",
        'op.execute("ALTER TABLE t13 ADD CONSTRAINT one UNIQUE (name), ADD CONSTRAINT two UNIQUE (room)")',
    ),
    Case(
        "constraint-index",
        'op.execute("ALTER TABLE t13 DROP CONSTRAINT t13_pkey, ADD PRIMARY KEY (id, parent)")',
    ),
    Case(
        "constraint-index",
        """op.execute('ALTER TABLE t13 ADD slug text COLLATE "C" UNIQUE, ADD more text')""",
    ),
    Case(
        "table-rewrite",
        'op.execute("ALTER TABLE t3 ALTER total TYPE bigint, ALTER name SET NOT NULL, "\n'
        '    "ADD CONSTRAINT roomy CHECK (room > 0), ADD CONSTRAINT t3_once UNIQUE (day)")',
    ),
    Case(
        "table-rewrite",
        'op.execute("ALTER TABLE t7 ADD COLUMN uid uuid DEFAULT gen_random_uuid(), "\n'
        "    \"ADD CONSTRAINT dated CHECK (day > '2000-01-01')\")",
    ),
    Case(
        "not-null-scan",
        'op.execute("ALTER TABLE t7 ALTER name SET NOT NULL, ADD CONSTRAINT roomy CHECK (room > 0)")',
    ),
    Case(
        "constraint-index",
        'op.execute("ALTER TABLE t5 ADD CONSTRAINT alone2 EXCLUDE (name WITH =), ADD k text")',
    ),
    Case("index-rebuild", """op.execute('ALTER TABLE heap ALTER word TYPE text COLLATE "C"')"""),
    Case("index-rebuild", 'op.execute("ALTER TABLE heap ALTER first TYPE oid")'),
    Case("check-scan", """op.execute('ALTER TABLE heap ALTER name TYPE text COLLATE "C"')"""),
)


def read_safe_ways(facts: Facts) -> dict[str, str]:
    """The code of each finding's fix, by the revision; the same fix for several partitions is one."""
    codes: dict[str, str] = {}
    for finding in blocking_change.check(facts):
        revision, fix = finding.revision or "", finding.fix or ""
        assert "\n\n    " in fix, f"{finding.object}: {fix}"
        code = dedent(fix[fix.index("\n\n    ") :]).strip("\n")
        assert codes.setdefault(revision, code) == code
    return codes


def split_later(code: str) -> list[str]:
    """The code of the revision, and that of a later one, which stands in it as comments."""
    now, _, later = code.partition("# in a later revision:\n")
    return [now, *filter(None, [re.sub(r"^# ?", "", later, flags=re.MULTILINE)])]


def list_parts(replay: Replay) -> dict[str, object]:
    """What the catalog holds, by its name, without what differs whenever it is made anew."""
    catalog = replay.catalog
    parts: dict[str, object] = {}
    for field in fields(catalog):
        items = getattr(catalog, field.name)
        for item in items if isinstance(items, tuple) else ():
            parts[f"{field.name} {item}"] = _forget_identity(item)
    return parts


def _forget_identity(item: Any) -> object:
    """The same object, whenever and in which order it was made."""
    names = {field.name for field in fields(item)} & {"oid", "number", "position"}
    return replace(item, **dict.fromkeys(names, 0))


def test_safe_ways_block_nobody_and_leave_the_same_behind(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tables have rows already.
    monkeypatch.setattr(ReplaySetup, "wants_rehearsal", False)
    bodies = [case.body for case in CASES]
    bad = run_new_revisions(engine, *bodies, environment=PER_MIGRATION, before=BASE, rollback="off").replay
    assert bad.failure is None
    facts = Facts("shop", bad)
    found = {finding.revision: finding.kind for finding in blocking_change.check(facts)}
    assert found == {f"new{number}": case.kind for number, case in enumerate(CASES)}
    codes = read_safe_ways(facts)
    safe_bodies = [part for number in range(len(CASES)) for part in split_later(codes[f"new{number}"])]
    good = run_new_revisions(
        engine, *safe_bodies, environment=PER_MIGRATION, before=BASE, rollback="off"
    ).replay
    assert good.failure is None
    assert good.history.error is None
    safe = Facts("shop", good)
    checks = (blocking_change, work_under_lock, unfinished_change)
    assert [finding.message for check in checks for finding in check.check(safe)] == []
    before, after = list_parts(bad), list_parts(good)
    different = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name for name in different if not DECLARED.fullmatch(name)} == set()
    assert {
        pattern for pattern in DECLARED_NAMES if not any(map(re.compile(pattern).fullmatch, different))
    } == set()


def test_partitions_that_later_lines_make_are_no_part_of_an_index_before(engine: Engine) -> None:
    before = (
        'op.execute("create table reading (at date not null, station int) partition by range (at)")\n'
        "op.execute(\"create table reading_24 partition of reading for values from ('2024-01-01') to "
        "('2025-01-01')\")"
    )
    build = 'op.create_index("ix_station", "reading", ["station"])'
    earlier = (
        "op.execute(\"create table reading_25 partition of reading for values from ('2025-01-01') to "
        "('2026-01-01')\")\n"
        'op.execute("create table reading_27 (at date not null, station int)")'
    )
    later = (
        "op.execute(\"create table reading_26 partition of reading for values from ('2026-01-01') to "
        "('2027-01-01')\")\n"
        "op.execute(\"alter table reading attach partition reading_27 for values from ('2027-01-01') to "
        "('2028-01-01')\")"
    )
    ran = run_new_revisions(engine, f"{earlier}\n{build}\n{later}", before=before).replay
    code = read_safe_ways(Facts("shop", ran))["new0"]
    assert [name for name in ("24", "25", "26", "27") if f"reading_{name}" in code] == ["24", "25"]
    safe = run_new_revisions(engine, f"{earlier}\n{code}\n{later}", before=before).replay
    assert safe.failure is None
    indexes = {index.table: index.valid for index in safe.catalog.indexes if index.columns == ("station",)}
    assert indexes == dict.fromkeys(["reading", *(f"reading_{year}" for year in range(24, 28))], True)


def test_a_type_that_the_old_column_needs_is_dropped_in_the_later_revision(engine: Engine) -> None:
    before = """
op.execute("create schema crm")
op.execute("create type crm.stage as enum ('lead', 'won', 'lost')")
op.execute("create table crm.deal (id integer primary key, stage crm.stage not null default 'lead')")
"""
    made = """
op.execute("alter table crm.deal alter stage drop default")
op.execute("alter type crm.stage rename to stage_before")
op.execute("create type crm.stage as enum ('lead', 'won')")
"""
    change = (
        'op.execute("alter table crm.deal alter stage type crm.stage using '
        "(case stage::text when 'lost' then 'won' else stage::text end)::crm.stage\")"
    )
    drop = 'op.execute("drop type crm.stage_before")'
    ran = run_new_revisions(engine, f"{made}{change}\n{drop}", before=before).replay
    (finding,) = blocking_change.check(Facts("shop", ran))
    assert "move `drop type crm.stage_before` there" in finding.fix
    now, later = split_later(read_safe_ways(Facts("shop", ran))["new0"])
    safe = run_new_revisions(engine, made + now, later, before=before).replay
    assert safe.failure is None
    assert [str(enum) for enum in safe.catalog.enums] == [str(enum) for enum in ran.catalog.enums]
    assert {(column.name, column.type) for column in safe.catalog.columns_in("crm", "deal")} == {
        ("id", "integer"),
        ("stage", "crm.stage"),
    }
