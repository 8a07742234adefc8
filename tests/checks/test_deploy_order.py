"""What a change takes from the live release, or asks of it, by the catalogs before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from migration_gate.analysis.live_types import use_live_types
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.check import Severity
from migration_gate.checks import dropped_object, incompatible_type, new_write_restriction
from migration_gate.facts import Base, Difference, Facts, Replay, Snapshot
from tests.support import fact_builders
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
BASE = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TYPE unused AS ENUM ('a');
CREATE DOMAIN address AS text;
CREATE SEQUENCE tickets;
CREATE TABLE teams (id bigint PRIMARY KEY, name text NOT NULL, rank integer DEFAULT 1);
CREATE TABLE items (
    id bigserial PRIMARY KEY, team_id bigint, code text, state text, mood mood, size integer, made timestamp,
    network cidr, CONSTRAINT items_code_state UNIQUE (code, state)
);
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE groups (id bigint PRIMARY KEY, number bigint UNIQUE);
CREATE TABLE members (group_id bigint, owner_id bigint, place bigint, name text,
    CONSTRAINT to_group FOREIGN KEY (group_id) REFERENCES groups,
    CONSTRAINT places UNIQUE (place) DEFERRABLE, CONSTRAINT names UNIQUE (name),
    CONSTRAINT apart EXCLUDE USING gist (int8range(group_id, place) WITH &&) WHERE (place > 0)
);
CREATE UNIQUE INDEX active_owner ON members (owner_id) NULLS NOT DISTINCT WHERE place > 0;
CREATE INDEX items_state ON items (state);
CREATE INDEX items_state_size ON items (state, size);
CREATE VIEW states AS SELECT DISTINCT state FROM items;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamped BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE words (text text, kind text, lower text,
    CONSTRAINT allowed CHECK (lower(text) <> 'a kind of text' AND kind <> 'kind' AND lower <> ''));
CREATE TABLE days (id bigint, day date, CONSTRAINT days_id CHECK (id > 0)) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE facts (day date NOT NULL DEFAULT now(), size integer) PARTITION BY RANGE (day);
CREATE TABLE facts_1 PARTITION OF facts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE FUNCTION make_code() RETURNS text LANGUAGE sql AS $$ select 'a' $$;
CREATE SEQUENCE own_numbers;
CREATE TABLE rooms (number serial, place integer DEFAULT nextval('own_numbers'), mood mood DEFAULT 'good',
    code text DEFAULT make_code(), CONSTRAINT has_code CHECK (code IS NOT NULL),
    CONSTRAINT codes UNIQUE (code));
CREATE TABLE orders (state varchar(20) CONSTRAINT states CHECK (state IN ('a', 'b')),
    kind text CONSTRAINT kinds CHECK (kind IN ('a')), size integer CONSTRAINT sizes CHECK (size <> 3));
CREATE UNIQUE INDEX one_state ON orders (lower(state)) WHERE state <> 'x';
CREATE TABLE guests (team_id bigint, owner_id bigint,
    CONSTRAINT to_team FOREIGN KEY (team_id) REFERENCES teams ON DELETE CASCADE,
    CONSTRAINT to_owner FOREIGN KEY (owner_id) REFERENCES teams ON UPDATE CASCADE);
"""
CHANGES: dict[str, tuple[str, ...]] = {
    "ALTER TABLE items DROP state CASCADE": (
        "error dropped-object/implicit-drop items.items_code_state",
        "error dropped-object/implicit-drop items_state_size",
        "error dropped-object/implicit-drop states",
        "note dropped-object/implicit-drop items_state",
    ),
    "DROP VIEW states": ("warning dropped-object/view states",),
    "ALTER TABLE items DROP CONSTRAINT items_pkey": ("error dropped-object/primary-key items.items_pkey",),
    "ALTER TABLE items DROP CONSTRAINT items_code_state": (
        "note dropped-object/constraint items.items_code_state",
    ),
    "ALTER TABLE items DROP CONSTRAINT items_code_state; CREATE UNIQUE INDEX anew ON items (state, code)": (),
    "ALTER TABLE teams ALTER name DROP NOT NULL": ("note dropped-object/not-null teams.name",),
    "ALTER TABLE teams ALTER rank DROP DEFAULT": ("note dropped-object/default teams.rank",),
    "ALTER TABLE teams ALTER rank SET DEFAULT 2": ("note dropped-object/default teams.rank",),
    "ALTER TABLE teams ALTER name SET DEFAULT ''": (),
    "ALTER TABLE teams ALTER rank TYPE bigint": (),
    "DROP INDEX items_state": (),
    "ALTER INDEX items_state RENAME TO by_state": (),
    "DROP TRIGGER stamped ON items": ("warning dropped-object/trigger stamped on items",),
    "ALTER TABLE items DISABLE TRIGGER stamped": ("warning dropped-object/trigger stamped on items",),
    "ALTER TABLE items ENABLE REPLICA TRIGGER stamped": ("warning dropped-object/trigger stamped on items",),
    "ALTER TABLE items ENABLE ALWAYS TRIGGER stamped": (),
    "DROP TRIGGER stamped ON items; CREATE TRIGGER stamped AFTER INSERT ON items FOR EACH ROW "
    "EXECUTE FUNCTION stamp()": (),
    "DROP FUNCTION stamp() CASCADE": (
        "warning dropped-object/function stamp()",
        "warning dropped-object/trigger stamped on items",
    ),
    "DROP TYPE unused": ("warning dropped-object/type unused",),
    "DROP SEQUENCE tickets": ("warning dropped-object/sequence tickets",),
    "ALTER TABLE days DROP CONSTRAINT days_id": ("note dropped-object/constraint days.days_id",),
    "ALTER TABLE items ALTER code SET NOT NULL": ("warning new-write-restriction/not-null items.code",),
    "ALTER TABLE items ADD CONSTRAINT short CHECK (length(code) < 9) NOT VALID": (
        "warning new-write-restriction/check items.short",
    ),
    "ALTER TABLE items ADD CONSTRAINT to_team FOREIGN KEY (team_id) REFERENCES teams NOT VALID": (
        "warning new-write-restriction/foreign-key items.to_team",
    ),
    "CREATE UNIQUE INDEX one_code ON items (code)": ("warning new-write-restriction/unique one_code",),
    "ALTER TABLE items DROP CONSTRAINT items_code_state, ADD CONSTRAINT items_code_state UNIQUE (code)": (
        "warning new-write-restriction/unique items.items_code_state",
    ),
    "ALTER TABLE items DROP CONSTRAINT items_code_state, "
    "ADD CONSTRAINT items_code_state UNIQUE (code, state, size)": (
        "note dropped-object/constraint items.items_code_state",
    ),
    "ALTER TABLE items DROP CONSTRAINT items_code_state; "
    "CREATE UNIQUE INDEX items_code_state ON items (code, state) WHERE size > 0": (
        "note dropped-object/constraint items.items_code_state",
    ),
    "ALTER TABLE items DROP CONSTRAINT items_code_state; "
    "CREATE UNIQUE INDEX few ON items (code, state) WHERE size > 0": (
        "note dropped-object/constraint items.items_code_state",
    ),
    "ALTER TABLE orders ALTER state TYPE varchar(99)": (),
    "ALTER TABLE orders ALTER state TYPE text": (),
    "ALTER TABLE orders RENAME state TO status; ALTER TABLE orders DROP CONSTRAINT states, "
    "ALTER status TYPE text, ADD CONSTRAINT later CHECK (status IN ('a', 'c', 'b'))": (),
    "ALTER TABLE orders DROP CONSTRAINT kinds, ADD CONSTRAINT kinds CHECK (kind IN ('b', 'a'))": (),
    "ALTER TABLE orders DROP CONSTRAINT states, ADD CONSTRAINT states CHECK (state IN ('a', 'c'))": (
        "warning new-write-restriction/check orders.states",
    ),
    "ALTER TABLE orders DROP CONSTRAINT kinds, ADD CONSTRAINT kinds CHECK (lower(kind) IN ('a', 'b'))": (
        "warning new-write-restriction/check orders.kinds",
    ),
    "ALTER TABLE orders DROP CONSTRAINT sizes, ADD CONSTRAINT sizes CHECK (size NOT IN (3, 4))": (
        "warning new-write-restriction/check orders.sizes",
    ),
    "ALTER TABLE rooms DROP CONSTRAINT codes, DROP CONSTRAINT has_code, DROP code": (),
    "ALTER TABLE rooms ALTER code SET NOT NULL, DROP CONSTRAINT has_code": (),
    "ALTER TABLE rooms RENAME code TO word; ALTER TABLE rooms RENAME CONSTRAINT codes TO once": (),
    "ALTER TABLE rooms DROP CONSTRAINT has_code": ("note dropped-object/constraint rooms.has_code",),
    "ALTER SEQUENCE rooms_number_seq RENAME TO room_numbers": (),
    "ALTER SEQUENCE own_numbers RENAME TO new_numbers": ("warning dropped-object/sequence own_numbers",),
    "ALTER FUNCTION make_code() RENAME TO make_word": ("warning dropped-object/function make_code()",),
    "ALTER TYPE mood RENAME VALUE 'good' TO 'fine'": ("error incompatible-type/enum-label mood",),
    "CREATE SEQUENCE further; ALTER TABLE rooms ALTER place SET DEFAULT nextval('further')": (
        "note dropped-object/default rooms.place",
    ),
    "ALTER TABLE facts ALTER day SET DEFAULT '2024-01-01'": ("note dropped-object/default facts.day",),
    "ALTER TABLE facts_1 ALTER day DROP DEFAULT": ("note dropped-object/default facts_1.day",),
    "ALTER TABLE facts ALTER day DROP NOT NULL": ("note dropped-object/not-null facts.day",),
    "ALTER TABLE facts ALTER size SET NOT NULL": ("warning new-write-restriction/not-null facts.size",),
    "ALTER TABLE facts ALTER size TYPE text": ("warning incompatible-type/column-type facts.size",),
    "ALTER TABLE guests DROP CONSTRAINT to_team, "
    "ADD CONSTRAINT to_team FOREIGN KEY (team_id) REFERENCES teams": (
        "note dropped-object/referential-action guests.to_team",
    ),
    "ALTER TABLE guests DROP CONSTRAINT to_team, "
    "ADD CONSTRAINT teams FOREIGN KEY (team_id) REFERENCES teams ON DELETE SET NULL": (
        "note dropped-object/referential-action guests.teams",
    ),
    "ALTER TABLE guests DROP CONSTRAINT to_owner, "
    "ADD CONSTRAINT to_owner FOREIGN KEY (owner_id) REFERENCES teams": (
        "note dropped-object/referential-action guests.to_owner",
    ),
    "ALTER TABLE guests DROP CONSTRAINT to_team, "
    "ADD CONSTRAINT teams FOREIGN KEY (team_id) REFERENCES teams ON DELETE CASCADE NOT VALID": (),
    "CREATE UNIQUE INDEX wider ON items (code, state, size)": (),
    "CREATE UNIQUE INDEX sized ON items (state, code) WHERE size > 0": (),
    "CREATE UNIQUE INDEX all_owners ON members (owner_id, group_id)": (
        "warning new-write-restriction/unique all_owners",
    ),
    "CREATE UNIQUE INDEX included ON items (size) INCLUDE (code, state)": (
        "warning new-write-restriction/unique included",
    ),
    "CREATE UNIQUE INDEX any_name ON members (name COLLATE any_case)": (
        "warning new-write-restriction/unique any_name",
    ),
    "ALTER TABLE members DROP CONSTRAINT places, ADD CONSTRAINT places UNIQUE (place)": (
        "warning new-write-restriction/unique members.places",
    ),
    "ALTER TABLE members DROP CONSTRAINT names, ADD CONSTRAINT names UNIQUE (name) DEFERRABLE": (),
    "ALTER TABLE members DROP CONSTRAINT to_group, "
    "ADD CONSTRAINT to_group FOREIGN KEY (group_id) REFERENCES teams": (
        "warning new-write-restriction/foreign-key members.to_group",
    ),
    "ALTER TABLE members DROP CONSTRAINT to_group, "
    "ADD CONSTRAINT to_group FOREIGN KEY (group_id) REFERENCES groups (number)": (
        "warning new-write-restriction/foreign-key members.to_group",
    ),
    "ALTER TABLE members DROP CONSTRAINT to_group, "
    "ADD CONSTRAINT to_group FOREIGN KEY (group_id) REFERENCES groups ON DELETE CASCADE": (),
    "ALTER TABLE groups RENAME id TO code; ALTER TABLE members RENAME group_id TO team_id": (),
    "CREATE UNIQUE INDEX one_name ON members (lower(name))": (
        "warning new-write-restriction/unique one_name",
    ),
    "ALTER TABLE members ADD nick text; CREATE UNIQUE INDEX nicks ON members (owner_id, lower(nick))": (),
    "ALTER TABLE members DROP CONSTRAINT apart, ADD CONSTRAINT apart EXCLUDE USING gist "
    "(int8range(group_id, place) WITH &&)": ("warning new-write-restriction/exclusion members.apart",),
    "ALTER TABLE items ADD extra text UNIQUE CHECK (extra <> '')": (),
    "ALTER TABLE items RENAME network TO web; ALTER TABLE items ADD CONSTRAINT once UNIQUE (code, web)": (
        "warning new-write-restriction/unique items.once",
    ),
    'ALTER TABLE items RENAME state TO "Status"': (),
    "ALTER TABLE days RENAME id TO number": (),
    "ALTER TABLE words RENAME text TO body; ALTER TABLE words RENAME lower TO small; "
    'ALTER TABLE words RENAME kind TO "Sort"': (),
    "ALTER TABLE items DROP network, ADD web cidr, ADD CONSTRAINT once UNIQUE (code, web)": (),
    "ALTER TABLE items ENABLE ROW LEVEL SECURITY": ("warning new-write-restriction/row-security items",),
    "CREATE TABLE fresh (id bigint PRIMARY KEY, code text NOT NULL UNIQUE)": (),
    "ALTER TABLE items ALTER network TYPE inet": ("warning incompatible-type/column-type items.network",),
    "ALTER TABLE items ALTER size TYPE text": ("warning incompatible-type/column-type items.size",),
    "ALTER TABLE items ALTER size TYPE bigint": (),
    "ALTER TABLE items ALTER code TYPE varchar(90)": (),
    "ALTER TABLE items ALTER code TYPE address": (),
    "ALTER TABLE items ALTER made TYPE timestamptz": (),
    "ALTER TYPE mood RENAME VALUE 'bad' TO 'sad'": ("error incompatible-type/enum-label mood",),
    "ALTER TYPE mood ADD VALUE 'new'": (),
}
"""what is found after each"""


@pytest.fixture(scope="module")
def connection(shared_engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    name = shared_engine.server.create_database()
    try:
        with shared_engine.server.connect(name) as connected:
            connected.execute(BASE.encode())
            yield connected
    finally:
        shared_engine.drop(name)


@pytest.fixture(scope="module")
def base(connection: psycopg.Connection[Any]) -> Snapshot:
    return read_snapshot(connection, ())


def make_facts(base: Snapshot, later: Snapshot, change: str) -> Facts:
    """Of a change whose one new revision ran the statement."""
    earlier = fact_builders.make_chain("a1")
    history = fact_builders.make_chain("a1", "b2")
    first, second = fact_builders.make_steps(history)
    second = replace(second, statements=(fact_builders.make_statement(change, line=12),))
    replay = Replay(history=history, steps=(first, second), catalog=later)
    base_facts = Facts(replay=Replay(history=earlier, steps=(first,), catalog=base))
    return Facts(replay=replay, base=Base("1" * 40, "main", base_facts))


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_change_takes_away_or_asks_for_is_told(
    connection: psycopg.Connection[Any], base: Snapshot, change: str
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        later = read_snapshot(connection, ())
    facts = make_facts(base, later, change)
    modules = {
        "dropped-object": dropped_object,
        "new-write-restriction": new_write_restriction,
        "incompatible-type": incompatible_type,
    }
    found = [
        f"{finding.severity or Severity.WARNING} {name}/{finding.kind} {finding.object}"
        for name, module in modules.items()
        for finding in module.check(facts)
    ]
    assert sorted(found) == sorted(CHANGES[change])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "ALTER TABLE items DROP CONSTRAINT items_code_state",
            "`items.items_code_state`: the unique constraint is gone",
        ),
        (
            "ALTER TABLE teams ALTER name DROP NOT NULL",
            "`teams.name` accepts NULL now, and the release that is live may read one",
        ),
        (
            "ALTER TABLE teams ALTER rank DROP DEFAULT",
            "`teams.rank` has no default now: what the live release leaves out is NULL",
        ),
        (
            "ALTER TABLE teams ALTER rank DROP DEFAULT, ALTER rank SET NOT NULL",
            "`teams.rank` has no default now: what the live release leaves out is refused",
        ),
        (
            "ALTER TABLE teams ALTER rank SET DEFAULT 2",
            "`teams.rank` has another default now, which rows of the live release get",
        ),
        (
            "ALTER TABLE guests DROP CONSTRAINT to_team, "
            "ADD CONSTRAINT to_team FOREIGN KEY (team_id) REFERENCES teams",
            "`guests.to_team` has no ON DELETE CASCADE any more: a DELETE in `teams` fails while it leads to "
            "the row",
        ),
        (
            "ALTER TABLE guests DROP CONSTRAINT to_owner, "
            "ADD CONSTRAINT to_owner FOREIGN KEY (owner_id) REFERENCES teams ON UPDATE SET NULL",
            "`guests.to_owner` is ON UPDATE SET NULL now, and was ON UPDATE CASCADE",
        ),
    ],
)
def test_what_live_code_may_count_on_is_said(
    connection: psycopg.Connection[Any], base: Snapshot, change: str, says: str
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        later = read_snapshot(connection, ())
    (finding,) = dropped_object.check(make_facts(base, later, change))
    assert finding.message == says
    assert finding.revision == "b2"


def test_row_security_is_found_where_it_is_turned_on(
    connection: psycopg.Connection[Any], base: Snapshot
) -> None:
    change = "ALTER TABLE items ENABLE ROW LEVEL SECURITY"
    with connection.transaction(force_rollback=True):
        connection.execute(change.encode())
        later = read_snapshot(connection, ())
    facts = make_facts(base, later, change)
    first, second = facts.replay.steps
    named = fact_builders.make_statement("UPDATE items SET code = code", line=11)
    steps = (first, replace(second, statements=(named, *second.statements)))
    (finding,) = new_write_restriction.check(replace(facts, replay=replace(facts.replay, steps=steps)))
    assert finding.location is not None
    assert finding.location.line == 12


@pytest.mark.parametrize(("live", "count"), [("text", 0), ("boolean", 1)])
def test_a_type_that_the_live_models_have_already_is_no_other_one(live: str, count: int) -> None:
    before, after = (fact_builders.make_table("items", f"size {name}") for name in ("integer", "text"))
    facts = make_facts(before, after, "ALTER TABLE items ALTER size TYPE text")
    assert facts.base is not None
    assert facts.base.facts is not None
    drift = Difference("type", "items.size", "integer", live, table="public.items", column="size")
    replay = replace(facts.base.facts.replay, differences=(drift,))
    facts = replace(facts, base=replace(facts.base, facts=Facts(replay=replay)))
    assert len(list(incompatible_type.check(facts))) == count
    expected = "text" if count == 0 else "integer"
    assert [column.type for column in use_live_types(replay, after).columns] == [expected]


def test_a_type_that_the_change_leaves_alone_stays_as_the_database_has_it() -> None:
    catalog = fact_builders.make_table("items", "size varchar(50)")
    drift = Difference("type", "items.size", "varchar(50)", "text", table="public.items", column="size")
    assert use_live_types(Replay(catalog=catalog, differences=(drift,)), catalog) == catalog


def test_a_change_without_a_new_revision_is_not_judged(base: Snapshot) -> None:
    facts = make_facts(base, Snapshot(), "")
    without = replace(facts, replay=replace(facts.replay, steps=facts.replay.steps[:1]))
    assert [*dropped_object.check(without), *new_write_restriction.check(without)] == []
