"""What is said of a failed revision: the object's own history, another dialect, another major version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.check import Finding
from migration_gate.checks import failing_upgrade
from migration_gate.facts import EnumType, Extension, Facts, Location, RevisionFile, Snapshot, SoftwareVersion
from tests.support.fact_builders import make_failure_facts, make_statement

ORDERS = 'CREATE TABLE "S"."Ord" (id SERIAL, "custName" TEXT)'
USERS = "CREATE TABLE users (id SERIAL, name TEXT, email TEXT, CONSTRAINT uq_name UNIQUE (name))"


def make_facts(message: str, *statements: str, **fields: object) -> Facts:
    """The third revision failed; the first ran the statements, in one transaction with it."""
    facts = make_failure_facts(message, **fields)
    steps = list(facts.replay.steps)
    steps[0] = replace(steps[0], statements=tuple(make_statement(sql) for sql in statements))
    versions = (SoftwareVersion("postgres", "local, PostgreSQL 15.18 (/usr)"),)
    return replace(facts, replay=replace(facts.replay, steps=tuple(steps), versions=versions))


def find_failure(facts: Facts) -> Finding:
    (finding,) = failing_upgrade.check(facts)
    return finding


def fix_of(message: str, sqlstate: str, statement: str, *statements: str) -> str:
    return find_failure(make_facts(message, *statements, sqlstate=sqlstate, statement=statement)).fix


MISSING = 'of relation "users" does not exist'
OBJECTS = {
    "a renamed column": (
        f'column "name" {MISSING}', "42703", "UPDATE users SET name = 'x'",
        (USERS, "ALTER TABLE users RENAME name TO full_name"),
        ["Revision `a1` renamed `name` of `users` to `full_name`", "It has these: id, full_name, email."],
    ),
    "a dropped column": (
        'column "name" does not exist', "42703", "CREATE INDEX ix ON users (name)",
        (USERS, "ALTER TABLE users DROP COLUMN name"),
        ["`name` of `users` was there until revision `a1` dropped it", "id, email."],
    ),
    "a misspelt column of an alias": (
        "column u.emial does not exist", "42703", "SELECT u.emial FROM public.users AS u", (USERS,),
        ["gives `users` a column `emial`", "Did you mean `email`?"],
    ),
    "a column of a foreign key": (
        'column "uid" referenced in foreign key constraint does not exist', "42703",
        "CREATE TABLE posts (u INTEGER, FOREIGN KEY(u) REFERENCES users (uid))", (USERS,),
        ["`users` a column `uid`", "It has these: id, name, email."],
    ),
    "a column that a foreign key is made of": (
        'column "uid" referenced in foreign key constraint does not exist', "42703",
        "ALTER TABLE posts ADD FOREIGN KEY(uid) REFERENCES users (id)",
        (USERS, "CREATE TABLE posts (user_id INTEGER)"), ["gives `posts` a column `uid`", "these: user_id."],
    ),
    "a column in a policy": (
        'column "owner" does not exist', "42703", "CREATE POLICY p ON users USING (owner = 1)", (USERS,),
        ["gives `users` a column `owner`"],
    ),
    "a column in the body of a function": (
        'column "owner" does not exist', "42703",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT owner FROM users $$", (USERS,),
        ["gives `users` a column `owner`"],
    ),
    "a column that a trigger's function uses": (
        'record "new" has no field "updated_at"', "42703", "INSERT INTO users (name) VALUES ('a')", (USERS,),
        [
            "uses `updated_at` of the row, and the trigger's table has no such column.",
            "The statement is about `users`. It has these: id, name, email.",
        ],
    ),
    "a renamed column that a trigger's function uses": (
        'record "new" has no field "name"', "42703", "UPDATE users SET email = 'a'",
        (USERS, "ALTER TABLE users RENAME name TO full_name"),
        ["Revision `a1` renamed `name` of `users` to `full_name`", "Correct the function,"],
    ),
    "a column that another table's trigger uses": (
        'record "new" has no field "name"', "42703",
        "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1", (USERS,),
        ["The statement is about `users`. It has these: id, name, email."],
    ),
    "a column of the table that an INSERT reads": (
        'column "emial" does not exist', "42703", "INSERT INTO logs (id) SELECT id FROM users ORDER BY emial",
        (USERS, "CREATE TABLE logs (id int)"), ["gives `users` a column `emial`. It has these"],
    ),
    "a column of the second of two tables": (
        'column "emial" does not exist', "42703", "SELECT emial FROM logs l JOIN users u ON u.id = l.id",
        (USERS, "CREATE TABLE logs (id int)"), ["gives `users` a column `emial`"],
    ),
    "a column of the second table of a list": (
        'column "emial" does not exist', "42703",
        "SELECT emial FROM greatest(1, 2) g(a, b), ONLY public.logs AS l, users WHERE l.id = 1 ORDER BY 1, 2",
        (USERS, "CREATE TABLE logs (id int)"), ["gives `users` a column `emial`", "Did you mean `email`?"],
    ),
    "a column of the second table of a list of USING": (
        'column "emial" does not exist', "42703",
        "DELETE FROM posts USING logs l, users u WHERE u.id = l.id AND emial = ''",
        (USERS, "CREATE TABLE logs (id int)", "CREATE TABLE posts (id int)"), ["`users` a column `emial`"],
    ),
    "a column of the tables of a list, which do not go on behind it": (
        'column "zip" does not exist', "42703", "SELECT 1 FROM users, logs GROUP BY zip, name, posts",
        (USERS, "CREATE TABLE logs (id int)", "CREATE TABLE posts (id int)"), ["`users` or `logs` a column"],
    ),
    "a column of one of two tables": (
        'column "zip" does not exist', "42703", "UPDATE users SET name = (SELECT zip FROM logs)",
        (USERS, "CREATE TABLE logs (id int)"), ["gives `users` or `logs` a column `zip`. If the revision"],
    ),
    "a column of the row that is inserted": (
        "column excluded.nam does not exist", "42703",
        "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.nam", (USERS,),
        ["gives `users` a column `nam`", "Did you mean `name`?"],
    ),
    "a column of the row of a trigger": (
        "column new.nam does not exist", "42703",
        "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW WHEN (new.nam = 1) EXECUTE FUNCTION f()",
        (USERS,), ["gives `users` a column `nam`"],
    ),
    "a column of an alias behind USING": (
        "column l.mesg does not exist", "42703",
        "MERGE INTO users u USING logs l ON l.id = u.id WHEN MATCHED THEN UPDATE SET name = l.mesg",
        (USERS, "CREATE TABLE logs (id int, msg text)"), ["gives `logs` a column `mesg`"],
    ),
    "a column of a conversion": (
        'column "nam" does not exist', "42703", "ALTER TABLE users ALTER id TYPE int USING +nam", (USERS,),
        ["gives `users` a column `nam`"],
    ),
    "a column behind ON UPDATE": (
        'column "age" does not exist', "42703",
        "CREATE TABLE posts (u int REFERENCES users (id) ON UPDATE CASCADE, CHECK (age > 0))", (USERS,),
        ["gives `posts` a column `age`"],
    ),
    "a column of a function that has a FROM": (
        'column "born" does not exist', "42703", "SELECT extract(year FROM born) FROM users", (USERS,),
        ["gives `users` a column `born`"],
    ),
    "a column of a function that returns a table": (
        'column "owner" does not exist', "42703",
        "CREATE FUNCTION f() RETURNS TABLE (a int) LANGUAGE sql AS $$ SELECT owner FROM users $$", (USERS,),
        ["gives `users` a column `owner`"],
    ),
    "a text in double quotes": (
        'column "Bob" does not exist', "42703", 'UPDATE users SET name = "Bob" WHERE id = 1', (USERS,),
        ["a column to PostgreSQL, and `users` has no such one", "in single quotes, `'Bob'`. It has these"],
    ),
    "a renamed column in double quotes": (
        'column "name" does not exist', "42703", 'UPDATE users SET email = "name"',
        (USERS, "ALTER TABLE users RENAME name TO full_name"),
        ["Revision `a1` renamed `name` of `users` to `full_name`"],
    ),
    "a misspelt column in double quotes": (
        'column "emial" does not exist', "42703", 'UPDATE users SET name = "emial"', (USERS,),
        ["gives `users` a column `emial`", "Did you mean `email`?"],
    ),
    "a column whose name has capital letters": (
        'column "custname" of relation "Ord" does not exist', "42703",
        'UPDATE "S"."Ord" SET custname = 1', (ORDERS,),
        ["gives `Ord` a column `custname`", "It has these: id, custName.",
         'Did you mean `"custName"`? A name'],
    ),
    "a column of an alias of such a table": (
        "column o.Total does not exist", "42703", 'SELECT o."Total" FROM "S"."Ord" o', (ORDERS,),
        ["gives `Ord` a column `Total`", "It has these: id, custName."],
    ),
    "a column of an alias of a table in capital letters without quotes": (
        "column u.emial does not exist", "42703", "SELECT u.emial FROM USERS u", (USERS,),
        ["gives `users` a column `emial`", "Did you mean `email`?"],
    ),
    "a table of such a name that is made twice": (
        'relation "Ord" already exists', "42P07", ORDERS, (ORDERS,), ["Revision `a1` has made it already"],
    ),
    "a column of such a name that is added twice": (
        'column "custName" of relation "Ord" already exists', "42701",
        'ALTER TABLE "S"."Ord" ADD "custName" TEXT', (ORDERS,), ["Revision `a1` has made it already"],
    ),
    "a renamed table of such a name": (
        'relation "S.Ord" does not exist', "42P01", 'SELECT FROM "S"."Ord"',
        (ORDERS, 'ALTER TABLE "S"."Ord" RENAME TO "Orders"'), ["Revision `a1` renamed `S.Ord` to `Orders`"],
    ),
    "a constraint whose name has a blank": (
        'constraint "Uq Nam" of relation "Ord" does not exist', "42704",
        'ALTER TABLE "S"."Ord" DROP CONSTRAINT "Uq Nam"',
        (ORDERS, 'ALTER TABLE "S"."Ord" ADD CONSTRAINT "Uq Name" UNIQUE (id)'), ["Did you mean `Uq Name`?"],
    ),
    "a renamed table": (
        'relation "users" does not exist', "42P01", "SELECT FROM users",
        (USERS, "ALTER TABLE users RENAME TO accounts"), ["Revision `a1` renamed `users` to `accounts`"],
    ),
    "a table of another schema": (
        'relation "things" does not exist', "42P01", "SELECT FROM things",
        ("CREATE TABLE s.things (id int)",),
        ["Revision `a1` made `s.things`", "Write its schema"],
    ),
    "a misspelt table": (
        'relation "userz" does not exist', "42P01", "SELECT FROM userz", (USERS,), ["Did you mean `users`?"],
    ),
    "a table made twice": (
        'relation "users" already exists', "42P07", USERS, (USERS,), ["Revision `a1` has made it already"],
    ),
    "a table made by nothing that is seen": (
        'relation "users" already exists', "42P07", USERS, (), ["a DO block or function", "as far as"],
    ),
    "a name that Postgres gave": (
        'relation "users_pkey" already exists', "42P07", "CREATE INDEX users_pkey ON users (name)", (USERS,),
        ["a part of the table `users`, which revision `a1` made"],
    ),
    "a misspelt constraint": (
        f'constraint "uq_nam" {MISSING}', "42704", "ALTER TABLE users DROP CONSTRAINT uq_nam", (USERS,),
        ["Did you mean `uq_name`?"],
    ),
    "a dropped type": (
        'type "st" does not exist', "42704", "CREATE TABLE t (s st)",
        ("CREATE TYPE st AS ENUM ('a')", "DROP TYPE st"), ["`st` was there until revision `a1` dropped it"],
    ),
    "a number for a boolean": (
        'column "b" is of type boolean but expression is of type integer', "42804",
        "UPDATE users SET b = 1", (USERS,), ["write `true` or `false`"],
    ),
    "a value of another type": (
        'column "b" is of type jsonb but expression is of type text', "42804",
        "UPDATE users SET b = name", (USERS,), ["write `CAST(... AS jsonb)`"],
    ),
    "a role that a revision takes": (
        'role "app" does not exist', "22023", "SET LOCAL ROLE app", (USERS,),
        ["is not tried", "- sql: CREATE ROLE app SUPERUSER"],
    ),
    "an index of plain values in GiST": (
        'data type integer has no default operator class for access method "gist"', "42704",
        "CREATE INDEX ix ON users USING gist (id)", (USERS,),
        [
            "An operator class of gist for `integer` comes with the extension btree_gist",
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
        ],
    ),
    "an index of an enum in GIN": (
        'data type shop."Mood" has no default operator class for access method "gin"', "42704",
        "CREATE INDEX ix ON users USING gin (mood)", (USERS, """CREATE TYPE shop."Mood" AS ENUM ('a')"""),
        ["CREATE EXTENSION IF NOT EXISTS btree_gin"],
    ),
    "a value of a type that is not converted": (
        'column "b" is of type boolean but expression is of type bigint', "42804",
        "UPDATE users SET b = id", (USERS,), ["(boolean) a value of type bigint: write one of its own type."],
    ),
    "a number as the default of a boolean": (
        'column "b" is of type boolean but default expression is of type integer', "42804",
        "ALTER TABLE users ALTER b SET DEFAULT 1", (USERS,), ["write `true` or `false`"],
    ),
    "a default that is not converted": (
        'default for column "b" cannot be cast automatically to type mood', "42804",
        "ALTER TABLE users ALTER b TYPE mood USING b::mood", (USERS,),
        ["op.alter_column(..., server_default=None)", 'postgresql_using="b::mood"', "server_default=...)"],
    ),
    "an index of values without an order": (
        'data type mood has no default operator class for access method "gin"', "42704",
        "CREATE INDEX ix ON users USING gin (m)", (USERS, "CREATE TYPE mood AS (a int)"),
        ["`mood` has no operator class of its own for gin: name one"],
    ),
    "a condition that is no truth value": (
        "argument of WHERE must be type boolean, not type integer", "42804", "DELETE FROM users WHERE 1",
        (USERS,), ["Fix the revision, and run the gate again"],
    ),
    "a truth value for a number": (
        'column "b" is of type integer but expression is of type boolean', "42804",
        "UPDATE users SET b = true", (USERS,), ["write `CAST(... AS integer)`"],
    ),
    "a column of the second foreign key": (
        'column "uid" referenced in foreign key constraint does not exist', "42703",
        "CREATE TABLE posts (u INTEGER REFERENCES teams (id), v INTEGER REFERENCES users (uid))",
        (USERS, "CREATE TABLE teams (id INTEGER)"), ["gives `users` a column `uid`", "these: id, name,"],
    ),
    "a column that a foreign key has on both sides": (
        'column "email" referenced in foreign key constraint does not exist', "42703",
        "ALTER TABLE posts ADD FOREIGN KEY(email) REFERENCES users (email)",
        (USERS, "CREATE TABLE posts (user_id INTEGER)"), ["gives `posts` a column `email`"],
    ),
    "a column of a trigger that replaces one": (
        'column "owner" does not exist', "42703",
        "CREATE OR REPLACE TRIGGER t BEFORE UPDATE OF owner ON users FOR EACH ROW EXECUTE FUNCTION f()",
        (USERS,), ["gives `users` a column `owner`"],
    ),
    "a row that is written": (
        'null value in column "id"', "23502", "INSERT INTO users (id) VALUES (NULL)", (USERS,),
        ["The rows that this statement writes break it"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("message", "sqlstate", "statement", "before", "words"), OBJECTS.values(), ids=OBJECTS
)
def test_an_object_is_explained_by_its_own_history(
    message: str, sqlstate: str, statement: str, before: tuple[str, ...], words: list[str]
) -> None:
    fix = fix_of(message, sqlstate, statement, *before)
    assert [word for word in words if word not in fix] == [], fix


def test_a_column_of_a_later_revision_is_traced_to_it() -> None:
    facts = make_facts(
        'column "nick" does not exist', USERS, sqlstate="42703", statement="SELECT nick FROM users"
    )
    file = RevisionFile("v/d4.py", "d4", ("c3",), added_columns=("users.nick",))
    history = replace(facts.replay.history, files=(file,))
    finding = find_failure(replace(facts, replay=replace(facts.replay, history=history)))
    assert "comes with revision `d4` (v/d4.py), which does not run before this one" in finding.fix


def test_dependents_are_listed_with_their_revisions() -> None:
    facts = make_facts(
        "cannot drop column name of table users because other objects depend on it",
        USERS,
        "CREATE VIEW v AS SELECT name FROM users",
        sqlstate="2BP01",
        detail="view v depends on column name of table users",
    )
    assert "view v (revision a1)" in find_failure(facts).fix


OTHERS = {
    "uuidv7": ("function uuidv7() does not exist", "42883", "SELECT uuidv7()", "postgres: 18"),
    "any_value": (
        "function any_value(integer) does not exist",
        "42883",
        "SELECT any_value(1)",
        "postgres: 16",
    ),
    "WITHOUT OVERLAPS": ("syntax error", "42601", "UNIQUE (a, v WITHOUT OVERLAPS)", "postgres: 18"),
    "NOT ENFORCED": ("syntax error", "42601", "CHECK (a > 0) NOT ENFORCED", "postgres: 18"),
    "VIRTUAL": (
        "syntax error",
        "42601",
        "GENERATED ALWAYS AS (upper(a)) VIRTUAL",
        "of PostgreSQL 18; this server",
    ),
    "JSON_TABLE": ("syntax error", "42601", "FROM JSON_TABLE(a, '$' COLUMNS (b int))", "postgres: 17"),
    "WITH OIDS": ("syntax error", "42601", "CREATE TABLE t (a int) WITH OIDS", "PostgreSQL 11 was the last"),
    "abstime": ('type "abstime" does not exist', "42704", "CREATE TABLE t (a abstime)", "postgres: 11"),
    "MySQL's back quotes": ("syntax error", "42601", "ALTER TABLE `a` ADD b int", "MySQL's SQL"),
    "MySQL's ON UPDATE": ("syntax error", "42601", "a timestamp ON UPDATE CURRENT_TIMESTAMP", "MySQL's SQL"),
    "MySQL's place of a column": ("syntax error", "42601", "ALTER TABLE a ADD b int AFTER c", "MySQL's SQL"),
    "MySQL's function": (
        "function ifnull(integer) does not exist",
        "42883",
        "SELECT ifnull(1)",
        "MySQL's SQL",
    ),
    "SQLite's PRAGMA": ("syntax error", "42601", "PRAGMA foreign_keys = OFF", "SQLite's SQL"),
    "SQLite's catalog": (
        'relation "sqlite_master" does not exist',
        "42P01",
        "FROM sqlite_master",
        "SQLite's SQL",
    ),
}


@pytest.mark.parametrize(("message", "sqlstate", "statement", "word"), OTHERS.values(), ids=OTHERS)
def test_sql_of_another_server_is_recognised(message: str, sqlstate: str, statement: str, word: str) -> None:
    assert word in fix_of(message, sqlstate, statement)


def test_syntax_that_this_server_has_is_not_blamed_on_its_version() -> None:
    assert "postgres:" not in fix_of(
        "syntax error", "42601", "MERGE INTO a USING b ON true WHEN MATCHED THEN"
    )


def test_an_extension_that_the_server_lacks_is_named_with_its_image() -> None:
    facts = make_facts('type "vector" does not exist', sqlstate="42704")
    facts = replace(facts, replay=replace(facts.replay, available_extensions=("hstore",)))
    fix = find_failure(facts).fix
    assert "postgres: pgvector/pgvector:pg15" in fix
    assert "CREATE EXTENSION IF NOT EXISTS vector" in fix


def test_a_type_of_another_dialect_is_replaced() -> None:
    message = "CompileError: Compiler <PGTypeCompiler object> can't render element of type LONGTEXT"
    fix = find_failure(make_facts(message, exception_class="CompileError")).fix
    assert "the generic type `sa.Text()`" in fix


def test_a_default_in_quotes_is_shown_as_an_expression() -> None:
    message = 'invalid input syntax for type timestamp: "CURRENT_TIMESTAMP"'
    statement = "ALTER TABLE t ADD COLUMN a TIMESTAMP DEFAULT 'CURRENT_TIMESTAMP'"
    assert "write `server_default=sa.func.now()`" in fix_of(message, "22007", statement)
    assert "server_default" not in fix_of(message, "22007", "INSERT INTO t VALUES ('CURRENT_TIMESTAMP')")


def test_a_long_revision_id_is_shown_on_its_line() -> None:
    facts = make_facts(
        "value too long for type character varying(32)",
        sqlstate="22001",
        statement="UPDATE alembic_version SET version_num='c3'",
    )
    history = replace(facts.replay.history, files=(RevisionFile("v/c3.py", "c3", ("b2",), line=6),))
    finding = find_failure(replace(facts, replay=replace(facts.replay, history=history)))
    assert finding.location == Location("v/c3.py", 6)
    assert "holds 32 characters" in finding.fix


def test_the_types_of_both_ends_of_a_key_are_told() -> None:
    message = 'foreign key constraint "fk" cannot be implemented'
    detail = 'Key columns "user_id" and "id" are of incompatible types: text and integer.'
    fix = find_failure(make_facts(message, sqlstate="42804", statement="ALTER TABLE a", detail=detail)).fix
    assert "`user_id` is text, and `id` is integer" in fix


def test_an_order_of_labels_is_no_sql_of_mysql() -> None:
    assert "MySQL" not in fix_of("syntax error", "42601", "ALTER TYPE mood ADD VALUE x AFTER y")


def test_an_extension_that_is_there_is_not_advised() -> None:
    message = 'data type boolean has no default operator class for access method "gist"'
    facts = make_facts(message, sqlstate="42704", statement="CREATE INDEX ix ON users USING gist (id)")
    catalog = Snapshot(extensions=(Extension("btree_gist", "public", "1.5"),))
    assert "btree_gist" not in find_failure(replace(facts, replay=replace(facts.replay, catalog=catalog))).fix


@pytest.mark.parametrize("type_name", ["json", "place"])
def test_an_extension_is_not_advised_for_a_type_that_it_has_nothing_for(type_name: str) -> None:
    message = f'data type {type_name} has no default operator class for access method "gin"'
    statements = (USERS, "CREATE TYPE place AS (x int)", "CREATE TYPE place_kind AS ENUM ('a')")
    assert "btree_gin" not in fix_of(message, "42704", "CREATE INDEX ix ON users USING gin (a)", *statements)


def test_an_enum_of_an_earlier_revision_is_known_by_the_catalog() -> None:
    message = 'data type mood has no default operator class for access method "gist"'
    facts = make_facts(message, sqlstate="42704", statement="CREATE INDEX ix ON users USING gist (mood)")
    catalog = Snapshot(enums=(EnumType("public", "mood", ("a",)),))
    assert "btree_gist" in find_failure(replace(facts, replay=replace(facts.replay, catalog=catalog))).fix
