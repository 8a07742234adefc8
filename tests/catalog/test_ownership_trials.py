"""What becomes of rows whose owner is deleted is tried in the database itself, and nothing is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migration_gate.catalog import ownership_trials, trial_statements
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.facts import Owners, OwnershipTrial
from migration_gate.replay.owner_trials import try_owner_columns
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
USERS = "CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL UNIQUE)"
OWNER = "owner_id int NOT NULL REFERENCES users ON DELETE CASCADE"
MEDIA = f"CREATE TABLE media (id serial PRIMARY KEY, {OWNER})"
RAISE = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never delete'; END $$"


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """A new database."""
    database = shared_engine.server.create_database()
    with shared_engine.server.connect(database) as connection:
        yield connection
    shared_engine.drop(database)


def try_media(
    connection: psycopg.Connection[Any], *statements: str, users: str = USERS, **owners: Any
) -> OwnershipTrial:
    """The trial of the owner column of `media` in a database of these statements."""
    trials = try_all(connection, users, *statements, **owners)
    return next(trial for trial in trials if trial.table == "media")


def try_all(
    connection: psycopg.Connection[Any], *statements: str, **owners: Any
) -> tuple[OwnershipTrial, ...]:
    """Every trial; the rows of the database are the same afterwards."""
    connection.execute(";\n".join(statements).encode())
    snapshot = read_snapshot(connection, ())
    before = dump_rows(connection)
    trials = try_owner_columns(connection, snapshot, Owners(**owners)).ownership_trials
    assert dump_rows(connection) == before
    assert read_snapshot(connection, ()).tables == snapshot.tables
    return trials


def dump_rows(connection: psycopg.Connection[Any]) -> list[Any]:
    """Every row of every table."""
    names = connection.execute(
        "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace::regnamespace::text "
        "not in ('pg_catalog', 'information_schema')"
    ).fetchall()
    return [
        connection.execute(f"select to_jsonb(t) from {name} t order by 1".encode()).fetchall()
        for (name,) in sorted(names)
    ]


MADE = {
    "a serial key": MEDIA,
    "no key": f"CREATE TABLE media ({OWNER})",
    "identity": f"CREATE TABLE media (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {OWNER})",
    "a generated column": f"CREATE TABLE media (n int NOT NULL, m int GENERATED ALWAYS AS (n + 1) "
    f"STORED, {OWNER})",
    "an enum": f"CREATE TYPE kind AS ENUM ('a', 'b'); CREATE TABLE media (k kind NOT NULL, {OWNER})",
    "a domain": "CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%'); "
    f"CREATE TABLE media (mail mail NOT NULL UNIQUE, {OWNER})",
    "a domain's NOT NULL": f"CREATE DOMAIN d AS int NOT NULL; CREATE TABLE media (d d, {OWNER})",
    "many types": "CREATE TABLE media (a uuid NOT NULL, b jsonb NOT NULL, c text[] NOT NULL, d inet NOT "
    "NULL, "
    f"e bytea NOT NULL, f tsvector NOT NULL, g int4range NOT NULL, h interval NOT NULL, i bit(4) NOT "
    f"NULL, {OWNER})",
    "a list of values": f"CREATE TABLE media (s text NOT NULL CHECK (s IN ('draft', 'done')), {OWNER})",
    "a length": f"CREATE TABLE media (s text NOT NULL CHECK (length(s) = 64), {OWNER})",
    "a pattern": f"CREATE TABLE media (s text NOT NULL CHECK (s ~ '^[A-Z]{{3}}$'), {OWNER})",
    "a range": f"CREATE TABLE media (n int NOT NULL CHECK (n BETWEEN 3 AND 5), {OWNER})",
    "two columns": f"CREATE TABLE media (a int NOT NULL, b int NOT NULL, CHECK (a < b), CHECK (b < 100), "
    f"{OWNER})",
    "one of two": f"CREATE TABLE media (a int, b text, CHECK (num_nonnulls(a, b) = 1), {OWNER})",
    "an enum and a CHECK": "CREATE TYPE kind AS ENUM ('a', 'b'); CREATE TABLE media (k kind NOT NULL, u "
    "text, "
    f"CHECK ((k = 'a') = (u IS NULL)), CHECK (k <> 'a'), {OWNER})",
    "no overlap": "CREATE TABLE media (r int4range NOT NULL, EXCLUDE USING gist (r WITH &&), "
    f"{OWNER}); INSERT INTO users (email) VALUES ('o'); INSERT INTO media (r, owner_id) VALUES "
    "('[100,110)', 1)",
    "rows that are there": f"{MEDIA}; INSERT INTO users VALUES (1, 'text 1'), (2, 'text 2'), (3, 'x'); "
    "INSERT INTO media (id, owner_id) VALUES (1, 1), (2, 2), (3, 3)",
    "rows of an identity": "CREATE TABLE media (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    f"{OWNER}); INSERT INTO users VALUES (1, 'o'); INSERT INTO media OVERRIDING SYSTEM VALUE VALUES (1, 1)",
    "parents": "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY, a int NOT "
    "NULL "
    f"REFERENCES a); CREATE TABLE media (b int NOT NULL REFERENCES b, {OWNER})",
    "an owned parent": f"CREATE TABLE album (id serial PRIMARY KEY, {OWNER}); CREATE TABLE media "
    f"(album_id int NOT NULL REFERENCES album ON DELETE CASCADE, {OWNER})",
    "a parent of the same owner": f"CREATE TABLE album (id serial PRIMARY KEY, {OWNER}, UNIQUE "
    "(owner_id, id)); "
    "CREATE TABLE media (album_id int NOT NULL, owner_id int NOT NULL REFERENCES users ON DELETE CASCADE, "
    "FOREIGN KEY (owner_id, album_id) REFERENCES album (owner_id, id) ON DELETE CASCADE)",
    "itself": f"CREATE TABLE media (id int PRIMARY KEY, up int NOT NULL REFERENCES media ON DELETE "
    f"CASCADE, {OWNER})",
    "a circle with NULL": f"CREATE TABLE media (id serial PRIMARY KEY, cover int, {OWNER}); CREATE TABLE "
    "page "
    "(id serial PRIMARY KEY, media int NOT NULL REFERENCES media ON DELETE CASCADE); ALTER TABLE media ADD "
    "FOREIGN KEY (cover) REFERENCES page ON DELETE SET NULL",
    "a deferred circle": f"CREATE TABLE media (id serial PRIMARY KEY, cover int NOT NULL, {OWNER}); "
    "CREATE TABLE "
    "page (id serial PRIMARY KEY, media int NOT NULL REFERENCES media ON DELETE CASCADE DEFERRABLE); "
    "ALTER TABLE "
    "media ADD FOREIGN KEY (cover) REFERENCES page ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
    "partitions": f"CREATE TABLE media (day date NOT NULL, {OWNER}) PARTITION BY RANGE (day); CREATE "
    "TABLE m1 "
    "PARTITION OF media FOR VALUES FROM ('2019-01-01') TO ('2019-02-01')",
    "no partition": f"CREATE TABLE media (k text NOT NULL, {OWNER}) PARTITION BY LIST (k)",
    "one profile": "CREATE TABLE media (owner_id int PRIMARY KEY REFERENCES users ON DELETE CASCADE)",
    "quoted names": 'CREATE TABLE media ("Id" serial PRIMARY KEY, "Kind\'s" text NOT NULL CHECK '
    f"(\"Kind's\" = 'it''s'), {OWNER})",
    "a deferred key": "CREATE TABLE media (owner_id int NOT NULL REFERENCES users ON DELETE CASCADE "
    "DEFERRABLE "
    "INITIALLY DEFERRED)",
    "a key that is not valid": "CREATE TABLE media (owner_id int NOT NULL); ALTER TABLE media ADD "
    "FOREIGN KEY "
    "(owner_id) REFERENCES users ON DELETE CASCADE NOT VALID",
    "rows that go with it": f"{MEDIA}; CREATE TABLE tag (media_id int NOT NULL REFERENCES media ON "
    "DELETE CASCADE)",
    "rows that stay": f"{MEDIA}; CREATE TABLE log (media_id int REFERENCES media ON DELETE SET NULL)",
    "an audit trigger": f"{MEDIA}; CREATE TABLE audit (what text); CREATE FUNCTION audit() RETURNS "
    "trigger LANGUAGE "
    "plpgsql AS $$ BEGIN INSERT INTO audit VALUES ('gone'); RETURN OLD; END $$; CREATE TRIGGER t BEFORE "
    "DELETE ON "
    "media FOR EACH ROW EXECUTE FUNCTION audit()",
}
"""tables whose rows can be made, and go with their owner"""


@pytest.mark.parametrize("name", MADE)
def test_a_row_is_made_and_goes_with_its_owner(name: str, connection: psycopg.Connection[Any]) -> None:
    trial = try_media(connection, MADE[name])
    assert trial == OwnershipTrial("public", "media", "owner_id", "public.users")


def test_owners_may_be_rows_that_need_others(connection: psycopg.Connection[Any]) -> None:
    users = (
        "CREATE TABLE org (id uuid PRIMARY KEY DEFAULT gen_random_uuid()); CREATE TABLE users (org uuid "
        "NOT NULL "
        "REFERENCES org, id int NOT NULL, PRIMARY KEY (org, id))"
    )
    media = (
        "CREATE TABLE media (org uuid NOT NULL REFERENCES org, owner_id int NOT NULL, FOREIGN KEY (org, "
        "owner_id) "
        "REFERENCES users ON DELETE CASCADE)"
    )
    trial = try_media(connection, media, users=users)
    assert trial == OwnershipTrial("public", "media", "owner_id", "public.users")


def test_an_owner_and_a_group_may_reference_each_other(connection: psycopg.Connection[Any]) -> None:
    users = "CREATE TABLE users (id serial PRIMARY KEY, media_id int NOT NULL)"
    back = (
        "ALTER TABLE users ADD FOREIGN KEY (media_id) REFERENCES media ON DELETE CASCADE DEFERRABLE "
        "INITIALLY DEFERRED"
    )
    trial = try_media(connection, MEDIA, back, users=users)
    assert trial == OwnershipTrial("public", "media", "owner_id", "public.users")


def test_a_tree_is_of_one_owner(connection: psycopg.Connection[Any]) -> None:
    media = f"CREATE TABLE media (id serial PRIMARY KEY, parent int REFERENCES media, {OWNER})"
    assert try_media(connection, media).blockers == ()


def test_a_key_that_may_be_null_has_a_value_in_an_owner(connection: psycopg.Connection[Any]) -> None:
    users = "CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE)"
    media = "CREATE TABLE media (owner_id text NOT NULL REFERENCES users (name) ON DELETE CASCADE)"
    trial = try_media(connection, media, users=users)
    assert trial == OwnershipTrial("public", "media", "owner_id", "public.users")


BLOCKED = {
    "its own key": (
        "CREATE TABLE media (owner_id int NOT NULL REFERENCES users)",
        "23503",
        "media_owner_id_fkey",
    ),
    "its own deferred key": (
        "CREATE TABLE media (owner_id int NOT NULL REFERENCES users DEFERRABLE INITIALLY DEFERRED)",
        "23503",
        "media_owner_id_fkey",
    ),
    "RESTRICT further down": (
        f"{MEDIA}; CREATE TABLE page (media_id int NOT NULL REFERENCES media ON DELETE RESTRICT)",
        "23503",
        "page_media_id_fkey",
    ),
    "a nullable key further down": (
        f"{MEDIA}; CREATE TABLE page (media_id int REFERENCES media)",
        "23503",
        "page_media_id_fkey",
    ),
    "two steps down": (
        f"{MEDIA}; CREATE TABLE page (id serial PRIMARY KEY, m int NOT NULL REFERENCES media ON DELETE "
        "CASCADE); "
        "CREATE TABLE line (page_id int NOT NULL REFERENCES page)",
        "23503",
        "line_page_id_fkey",
    ),
    "a deferred key further down": (
        f"{MEDIA}; CREATE TABLE page (m int NOT NULL REFERENCES media DEFERRABLE INITIALLY DEFERRED)",
        "23503",
        "page_m_fkey",
    ),
    "NULL where it cannot be": (
        "CREATE TABLE media (owner_id int NOT NULL REFERENCES users ON DELETE SET NULL)",
        "23502",
        "",
    ),
    "NULL where it cannot be, further down": (
        f"{MEDIA}; CREATE TABLE page (media_id int NOT NULL REFERENCES media ON DELETE SET NULL)",
        "23502",
        "",
    ),
    "a trigger": (
        f"{MEDIA}; {RAISE}; CREATE TRIGGER t BEFORE DELETE ON media FOR EACH ROW EXECUTE FUNCTION refuse()",
        "P0001",
        "",
    ),
    "a deferred trigger": (
        f"{MEDIA}; {RAISE}; CREATE CONSTRAINT TRIGGER t AFTER DELETE ON media DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION refuse()",
        "P0001",
        "",
    ),
    "two keys, of which one restricts": (
        "CREATE TABLE media (owner_id int NOT NULL REFERENCES users ON DELETE RESTRICT, FOREIGN KEY "
        "(owner_id) "
        "REFERENCES users ON DELETE CASCADE)",
        "23503",
        "media_owner_id_fkey",
    ),
    "a partition's table": (
        f"{MEDIA}; CREATE TABLE page (d date NOT NULL, m int NOT NULL REFERENCES media) PARTITION BY "
        "RANGE (d); "
        "CREATE TABLE p1 PARTITION OF page FOR VALUES FROM ('2020-01-01') TO ('2030-01-01')",
        "23503",
        "page_m_fkey",
    ),
}
"""what refuses the deletion of an owner"""


@pytest.mark.parametrize("name", BLOCKED)
def test_what_refuses_the_deletion_of_an_owner_is_named(
    name: str, connection: psycopg.Connection[Any]
) -> None:
    statements, sqlstate, constraint = BLOCKED[name]
    trial = try_media(connection, statements)
    assert trial.obstacle is None
    (blocker,) = trial.blockers
    assert (blocker.refusal.sqlstate, blocker.refusal.constraint) == (sqlstate, constraint)
    assert not blocker.needs_other_owner
    assert trial.rows_left == 0


def test_every_key_that_refuses_is_named(connection: psycopg.Connection[Any]) -> None:
    more = [f"CREATE TABLE t{n} (media_id int NOT NULL REFERENCES media)" for n in (1, 2, 3)]
    trial = try_media(connection, MEDIA, *more)
    assert {blocker.refusal.table for blocker in trial.blockers} == {"t1", "t2", "t3"}


@pytest.mark.parametrize("action", ["NO ACTION", "RESTRICT"])
def test_rows_of_others_that_reference_the_row_are_tried_last(
    connection: psycopg.Connection[Any], action: str
) -> None:
    reference = f"media_id int NOT NULL REFERENCES media ON DELETE {action}"
    comment = f"CREATE TABLE comment (id serial PRIMARY KEY, {reference}, {OWNER})"
    trial = try_media(connection, MEDIA, comment)
    (blocker,) = trial.blockers
    assert blocker.needs_other_owner
    assert blocker.refusal.table == "comment"


def test_rows_that_belong_together_are_made_together(connection: psycopg.Connection[Any]) -> None:
    album = (
        "CREATE TABLE album (id serial PRIMARY KEY, media_id int NOT NULL REFERENCES media ON DELETE CASCADE)"
    )
    page = (
        "CREATE TABLE page (media_id int NOT NULL REFERENCES media ON DELETE CASCADE, album_id int NOT NULL "
        "REFERENCES album)"
    )
    assert try_media(connection, MEDIA, album, page).blockers == ()


LEFT = {
    "nothing deletes it": ("CREATE TABLE media (owner_id int NOT NULL)", "gone"),
    "SET NULL": ("CREATE TABLE media (owner_id int REFERENCES users ON DELETE SET NULL)", "null"),
    "SET DEFAULT": (
        "INSERT INTO users (email) VALUES ('nobody'); CREATE TABLE media (owner_id int NOT NULL DEFAULT 1 "
        "REFERENCES users ON DELETE SET DEFAULT)",
        "other",
    ),
    "a trigger discards the deletion": (
        f"{MEDIA}; CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
        "CREATE TRIGGER t BEFORE DELETE ON media FOR EACH ROW EXECUTE FUNCTION keep()",
        "gone",
    ),
    "a trigger makes it again": (
        "CREATE TABLE media (owner_id int REFERENCES users ON DELETE CASCADE); CREATE FUNCTION again() "
        "RETURNS "
        "trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO media VALUES (NULL); RETURN NULL; END $$; "
        "CREATE TRIGGER t AFTER DELETE ON media FOR EACH ROW EXECUTE FUNCTION again()",
        "null",
    ),
}
"""what is left of a row, and whose it is"""


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_of_the_rows_is_counted(name: str, connection: psycopg.Connection[Any]) -> None:
    statements, owner = LEFT[name]
    trial = try_media(connection, statements)
    assert (trial.obstacle, trial.blockers, trial.rows_left, trial.left_owner) == (None, (), 1, owner)


def test_an_owner_who_is_only_marked_as_deleted_is_kept(connection: psycopg.Connection[Any]) -> None:
    soft = (
        "CREATE FUNCTION soft() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE users SET email = 'gone' "
        "WHERE id = OLD.id; RETURN NULL; END $$; CREATE TRIGGER t BEFORE DELETE ON users FOR EACH ROW "
        "EXECUTE "
        "FUNCTION soft()"
    )
    trial = try_media(connection, MEDIA, soft)
    assert trial.keeps_owner
    assert (trial.blockers, trial.rows_left, trial.owner_refusal) == ((), 0, None)


def test_an_owner_who_cannot_be_deleted_at_all_is_a_fact_of_its_own(
    connection: psycopg.Connection[Any],
) -> None:
    trigger = "CREATE TRIGGER t BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION refuse()"
    trial = try_media(connection, MEDIA, RAISE, trigger)
    assert trial.owner_refusal is not None
    assert trial.owner_refusal.message == "never delete"
    assert trial.owner_refusal.context.startswith("PL/pgSQL function refuse()")
    assert trial.blockers == ()


UNMADE = {
    "a CHECK that nothing fulfils": (
        f"CREATE TABLE media (n int NOT NULL CHECK (n <> n), {OWNER})",
        "media_n_check",
    ),
    "a rule that only the application knows": (
        f"CREATE TABLE media (s text NOT NULL CHECK (md5(s) = 'd131dd02c5e6eec4'), {OWNER})",
        "media_s_check",
    ),
    "a circle without deferral": (
        f"CREATE TABLE media (id serial PRIMARY KEY, cover int NOT NULL, {OWNER}); CREATE TABLE page (id "
        "serial "
        "PRIMARY KEY, media int NOT NULL REFERENCES media); ALTER TABLE media ADD FOREIGN KEY (cover) "
        "REFERENCES page",
        "page_media_fkey",
    ),
}


@pytest.mark.parametrize("name", UNMADE)
def test_what_refuses_a_row_is_said(name: str, connection: psycopg.Connection[Any]) -> None:
    statements, constraint = UNMADE[name]
    trial = try_media(connection, statements)
    assert trial.obstacle is not None
    assert trial.obstacle.constraint == constraint


def test_a_key_whose_triggers_are_off_accepts_owners_who_are_not_there(
    connection: psycopg.Connection[Any],
) -> None:
    trial = try_media(connection, MEDIA, "ALTER TABLE media DISABLE TRIGGER ALL")
    assert trial.stranger_is_accepted


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("IF NEW.owner_id IS NULL THEN RAISE 'whose is it?'; END IF", "whose is it?"),
        ("NEW.owner_id := coalesce(NEW.owner_id, 1)", "it was given an owner by a trigger"),
    ],
)
def test_a_trigger_may_keep_rows_from_having_no_owner(
    body: str, message: str, connection: psycopg.Connection[Any]
) -> None:
    media = "CREATE TABLE media (id serial PRIMARY KEY, owner_id int REFERENCES users ON DELETE CASCADE)"
    assert try_media(connection, media).null_refusal is None
    user = "INSERT INTO users (email) VALUES ('first')"
    function = (
        f"CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$; "
        "CREATE TRIGGER t BEFORE INSERT ON media FOR EACH ROW EXECUTE FUNCTION own()"
    )
    connection.execute("truncate users restart identity cascade")
    trial = try_media(connection, function, users=user)
    assert trial.null_refusal is not None
    assert trial.null_refusal.message == message


def test_a_trigger_may_want_one_of_several_owners(connection: psycopg.Connection[Any]) -> None:
    media = "CREATE TABLE media (id serial PRIMARY KEY, owner_id int REFERENCES users, folder_id int {})"
    function = (
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.owner_id IS NULL AND "
        "NEW.folder_id IS NULL THEN RAISE 'whose is it?'; END IF; RETURN NEW; END $$; "
        "CREATE TRIGGER t BEFORE INSERT ON media FOR EACH ROW EXECUTE FUNCTION own()"
    )
    trial = try_media(connection, media.format("DEFAULT 1 REFERENCES users"), function)
    assert trial.null_refusal is not None
    assert (trial.null_refusal.message, trial.null_beside) == ("whose is it?", ("folder_id",))


def test_a_function_of_a_trigger_finds_the_tables_of_its_schema(connection: psycopg.Connection[Any]) -> None:
    statements = (
        "CREATE SCHEMA app; SET search_path = app",
        USERS,
        MEDIA,
        "CREATE TABLE log (what text)",
        "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('x'); "
        "RETURN OLD; END $$",
        "CREATE TRIGGER t BEFORE DELETE ON media FOR EACH ROW EXECUTE FUNCTION log()",
        "RESET search_path",
    )
    (trial,) = try_all(connection, *statements)
    assert trial == OwnershipTrial("app", "media", "owner_id", "app.users")


def test_without_owner_columns_nothing_is_run(connection: psycopg.Connection[Any]) -> None:
    assert try_all(connection, USERS, "CREATE TABLE t (id int)") == ()


def test_fifty_owned_tables_take_few_statements(connection: psycopg.Connection[Any]) -> None:
    tables = [
        f"CREATE TABLE t{n} (id serial PRIMARY KEY, {OWNER}, name text NOT NULL, at timestamptz NOT NULL)"
        for n in range(50)
    ]
    more = [f"CREATE TABLE d{n} (t_id int NOT NULL REFERENCES t{n} ON DELETE CASCADE)" for n in range(50)]
    trials = try_all(connection, USERS, *tables, *more)
    assert trials == tuple(
        OwnershipTrial("public", f"t{n}", "owner_id", "public.users") for n in sorted(range(50), key=str)
    )


@pytest.mark.parametrize(
    ("body", "when"),
    [
        ("PERFORM pg_sleep(600)", "BEFORE INSERT ON media"),
        ("PERFORM pg_sleep(600)", "BEFORE DELETE ON users"),
        ("IF NEW.owner_id IS NULL THEN PERFORM pg_sleep(600); END IF", "BEFORE INSERT ON media"),
        ("PERFORM pg_sleep(0.6)", "BEFORE INSERT ON media"),
    ],
    ids=["insert", "delete", "only without an owner", "each a little"],
)
def test_a_trigger_that_sleeps_is_no_verdict(
    connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, body: str, when: str
) -> None:
    monkeypatch.setattr(ownership_trials, "BEGIN", ownership_trials.BEGIN.replace("'4s'", "'1s'"))
    monkeypatch.setattr(trial_statements, "MAX_SLOW_SECONDS", 1.0)
    statements = (
        USERS,
        MEDIA.replace("NOT NULL ", ""),
        "CREATE TABLE before (id serial PRIMARY KEY, owner_id int REFERENCES users ON DELETE CASCADE)",
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body}; RETURN COALESCE(NEW, OLD); END $$",
        f"CREATE TRIGGER wait {when} FOR EACH ROW EXECUTE FUNCTION wait()",
    )
    connection.execute(";\n".join(statements).encode())
    trials = try_owner_columns(connection, read_snapshot(connection, ()), Owners())
    ended = next(trial for trial in trials.ownership_trials if trial.table == "media")
    assert ended.ended_by is not None
    assert ended == OwnershipTrial("public", "media", "owner_id", "public.users", ended_by=ended.ended_by)
    [unchecked] = trials.list_unchecked()
    assert "`media.owner_id`" in unchecked.why
    assert "took too long (57014" in unchecked.why
    assert ("`before.owner_id`" in unchecked.why) == ("users" in when)
