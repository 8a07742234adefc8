"""Revisions that lose, cut, duplicate or refuse rows, and revisions that do not."""

from __future__ import annotations

from benchmarks.rehearsal.row_case import RowCase

BASE = """
CREATE TYPE state AS ENUM ('new', 'paid', 'sent', 'returned')
CREATE TABLE users (id serial PRIMARY KEY, email varchar(120) NOT NULL, name text, nick varchar(50), age integer, plan text NOT NULL DEFAULT 'free', is_active boolean NOT NULL DEFAULT true, joined timestamptz NOT NULL, settings jsonb, updated_at timestamptz)
CREATE TABLE addresses (id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users ON DELETE CASCADE, city text NOT NULL, zip varchar(10))
CREATE TABLE orders (id serial PRIMARY KEY, user_id integer NOT NULL, state state NOT NULL, amount numeric(12,4) NOT NULL, cents integer NOT NULL, placed timestamp NOT NULL, coupon text, note text, parent_id integer REFERENCES orders)
CREATE TABLE items (order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE, line integer NOT NULL, sku varchar(30) NOT NULL, price double precision, weight numeric, tags text[], PRIMARY KEY (order_id, line))
CREATE TABLE codes (code text, label text)
CREATE TABLE profiles (user_id integer PRIMARY KEY REFERENCES users, bio text, birthday date)
CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text NOT NULL, at timestamptz NOT NULL DEFAULT now(), payload json)
CREATE TABLE roles (id serial PRIMARY KEY, name text NOT NULL UNIQUE)
INSERT INTO roles (name) VALUES ('admin'), ('guest'), ('legacy')
CREATE TABLE days (day date NOT NULL, visits integer) PARTITION BY RANGE (day)
CREATE TABLE days_2024 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
CREATE TABLE days_2025 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
CREATE TYPE spot AS (street text, town text, nr integer)
CREATE TABLE shops (id serial PRIMARY KEY, spot spot, spots spot[])
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at = now(); RETURN NEW; END'
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()
"""


def _case(name: str, *lines: str, check: str = "") -> RowCase:
    return RowCase(name, "\n".join(lines), check)


HARMFUL = (
    # Rows refuse it.
    _case(
        "NOT NULL column without a value",
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=False))',
        check="fails-on-rows",
    ),
    _case(
        "NOT NULL without backfill", 'op.alter_column("users", "name", nullable=False)', check="fails-on-rows"
    ),
    _case(
        "NOT NULL after a backfill of another column",
        "UPDATE users SET nick = '' WHERE nick IS NULL",
        'op.alter_column("users", "name", nullable=False)',
        check="fails-on-rows",
    ),
    _case(
        "NOT NULL after a backfill from a column that is NULL too",
        "UPDATE users SET name = nick WHERE name IS NULL",
        'op.alter_column("users", "name", nullable=False)',
        check="fails-on-rows",
    ),
    _case(
        "unique constraint over duplicates",
        'op.create_unique_constraint("uq_nick", "users", ["nick"])',
        check="fails-on-rows",
    ),
    _case(
        "unique index over duplicates",
        'op.create_index("ux_city", "addresses", ["city"], unique=True)',
        check="fails-on-rows",
    ),
    _case(
        "unique index over an expression",
        "CREATE UNIQUE INDEX ux_email ON users (lower(email))",
        check="fails-on-rows",
    ),
    _case(
        "unique partial index",
        "CREATE UNIQUE INDEX ux_coupon ON orders (coupon) WHERE coupon IS NOT NULL",
        check="fails-on-rows",
    ),
    _case("primary key over NULLs", "ALTER TABLE codes ADD PRIMARY KEY (code)", check="fails-on-rows"),
    _case(
        "foreign key that orders break",
        'op.create_foreign_key("fk_user", "orders", "users", ["user_id"], ["id"])',
        check="fails-on-rows",
    ),
    _case(
        "CHECK that rows break",
        'op.create_check_constraint("positive", "users", "age >= 0")',
        check="fails-on-rows",
    ),
    _case("CHECK about empty texts", "ALTER TABLE addresses ADD CHECK (city <> '')", check="fails-on-rows"),
    _case(
        "text to integer",
        "ALTER TABLE orders ALTER COLUMN coupon TYPE integer USING coupon::integer",
        check="fails-on-rows",
    ),
    _case(
        "bigger numbers than smallint",
        "ALTER TABLE orders ALTER COLUMN cents TYPE smallint",
        check="fails-on-rows",
    ),
    _case("shorter varchar", 'op.alter_column("users", "nick", type_=sa.String(20))', check="fails-on-rows"),
    _case(
        "text to varchar", 'op.alter_column("orders", "note", type_=sa.String(100))', check="fails-on-rows"
    ),
    _case(
        "text to an enum",
        "CREATE TYPE plan AS ENUM ('free', 'paid')",
        "ALTER TABLE users ALTER COLUMN plan DROP DEFAULT",
        "ALTER TABLE users ALTER COLUMN plan TYPE plan USING plan::plan",
        check="fails-on-rows",
    ),
    _case(
        "an enum without a label that rows have",
        "CREATE TYPE state2 AS ENUM ('new', 'paid')",
        "ALTER TABLE orders ALTER COLUMN state TYPE state2 USING state::text::state2",
        check="fails-on-rows",
    ),
    _case(
        "copy into a table that refuses NULL",
        "CREATE TABLE names (user_id integer, name text NOT NULL)",
        "INSERT INTO names SELECT id, name FROM users",
        check="fails-on-rows",
    ),
    _case(
        "copy of duplicates into a unique column",
        "CREATE TABLE cities (name text PRIMARY KEY)",
        "INSERT INTO cities SELECT city FROM addresses",
        check="fails-on-rows",
    ),
    _case(
        "exclusion over rows",
        "ALTER TABLE profiles ADD EXCLUDE USING btree (birthday WITH =)",
        check="fails-on-rows",
    ),
    _case(
        "text to a domain",
        "CREATE DOMAIN zip AS varchar(10) CHECK (VALUE ~ '^[0-9]+$')",
        "ALTER TABLE addresses ALTER COLUMN zip TYPE zip",
        check="fails-on-rows",
    ),
    _case(
        "numeric with fewer digits",
        "ALTER TABLE orders ALTER COLUMN amount TYPE numeric(5,2)",
        check="fails-on-rows",
    ),
    _case(
        "python that trips over NULL",
        "bind = op.get_bind()",
        'for row in bind.execute(sa.text("SELECT id, name FROM users")).all():',
        '    bind.execute(sa.text("UPDATE users SET nick = :n WHERE id = :i"), {"n": row.name.upper()[:50], "i": row.id})',
        check="fails-on-rows",
    ),
    # Rows are gone.
    _case("DELETE of all", "DELETE FROM audit", check="lost-rows"),
    _case("DELETE of some", "DELETE FROM codes WHERE label IS NULL", check="lost-rows"),
    _case("TRUNCATE", "TRUNCATE audit", check="lost-rows"),
    _case("TRUNCATE with CASCADE", "TRUNCATE orders CASCADE", check="lost-rows"),
    _case(
        "DELETE of duplicates before a unique constraint",
        "DELETE FROM addresses a USING addresses b WHERE a.id > b.id AND a.city = b.city",
        'op.create_unique_constraint("uq_city", "addresses", ["city"])',
        check="lost-rows",
    ),
    _case(
        "DELETE of orphans before a foreign key",
        "DELETE FROM orders WHERE user_id NOT IN (SELECT id FROM users)",
        'op.create_foreign_key("fk_user", "orders", "users", ["user_id"], ["id"])',
        check="lost-rows",
    ),
    _case("a partition dropped", 'op.drop_table("days_2024")', check="lost-rows"),
    _case(
        "a table made anew with fewer rows",
        "CREATE TABLE items_new (LIKE items INCLUDING ALL)",
        "INSERT INTO items_new SELECT * FROM items WHERE price > 0",
        "DROP TABLE items",
        "ALTER TABLE items_new RENAME TO items",
        check="lost-rows",
    ),
    # Values are gone.
    _case(
        "cut by the cast",
        "ALTER TABLE users ALTER COLUMN nick TYPE varchar(20) USING left(nick, 20)",
        check="lost-values",
    ),
    _case("rounded", "ALTER TABLE orders ALTER COLUMN amount TYPE numeric(12,2)", check="lost-values"),
    _case(
        "float to integer",
        "ALTER TABLE items ALTER COLUMN price TYPE integer USING round(price)",
        check="lost-values",
    ),
    _case("double to real", "ALTER TABLE items ALTER COLUMN price TYPE real", check="lost-values"),
    _case("time to date", "ALTER TABLE orders ALTER COLUMN placed TYPE date", check="lost-values"),
    _case(
        "milliseconds cut", "ALTER TABLE orders ALTER COLUMN placed TYPE timestamp(0)", check="lost-values"
    ),
    _case("an overwriting backfill", "UPDATE users SET plan = 'basic'", check="lost-values"),
    _case("a flag that is set for all", "UPDATE users SET is_active = true", check="lost-values"),
    _case(
        "a backfill that also overwrites values",
        "UPDATE users SET nick = 'anonymous' WHERE nick IS NULL OR nick <> ''",
        check="lost-values",
    ),
    _case("set to NULL", "UPDATE orders SET note = NULL", check="lost-values"),
    _case("set to NULL by hand before a key", "UPDATE orders SET parent_id = NULL", check="lost-values"),
    _case(
        "enum labels merged",
        "UPDATE orders SET state = 'sent' WHERE state IN ('new', 'paid')",
        check="lost-values",
    ),
    _case("JSON emptied", "UPDATE users SET settings = '{}'", check="lost-values"),
    _case(
        "integer to boolean",
        "ALTER TABLE users ALTER COLUMN age TYPE boolean USING age > 0",
        check="lost-values",
    ),
    # Dropped with what is in it.
    _case("a column dropped", 'op.drop_column("users", "nick")', check="destructive"),
    _case("a table dropped", 'op.drop_table("profiles")', check="destructive"),
    _case(
        "a column dropped and made anew",
        'op.drop_column("orders", "note")',
        'op.add_column("orders", sa.Column("note", sa.String(200)))',
        check="destructive",
    ),
    _case(
        "a rename by drop and add",
        'op.drop_column("users", "nick")',
        'op.add_column("users", sa.Column("nickname", sa.String(50)))',
        check="destructive",
    ),
    _case(
        "a column dropped whose copy is for some rows only",
        'op.add_column("orders", sa.Column("remark", sa.Text()))',
        "UPDATE orders SET remark = note WHERE coupon IS NOT NULL",
        'op.drop_column("orders", "note")',
        check="destructive",
    ),
    _case(
        "a table whose rows were moved without one column",
        "CREATE TABLE people (user_id integer PRIMARY KEY, bio text)",
        "INSERT INTO people SELECT user_id, bio FROM profiles",
        "DROP TABLE profiles",
        check="destructive",
    ),
    _case("a schema of tables dropped", "DROP TABLE items, orders", check="destructive"),
    # Rules that rows break.
    _case(
        "CHECK that is NOT VALID",
        "ALTER TABLE users ADD CONSTRAINT grown CHECK (age >= 18) NOT VALID",
        check="violated-rule",
    ),
    _case(
        "foreign key that is NOT VALID",
        "ALTER TABLE orders ADD CONSTRAINT fk_user FOREIGN KEY (user_id) REFERENCES users NOT VALID",
        check="violated-rule",
    ),
    _case(
        "triggers off during an UPDATE",
        "ALTER TABLE addresses DISABLE TRIGGER ALL",
        "UPDATE addresses SET user_id = user_id + 100000",
        "ALTER TABLE addresses ENABLE TRIGGER ALL",
        check="violated-rule",
    ),
    _case(
        "an attribute of a composite type dropped", "ALTER TYPE spot DROP ATTRIBUTE town", check="lost-values"
    ),
    _case(
        "a composite type made anew without an attribute",
        "ALTER TABLE shops DROP COLUMN spots",
        "CREATE TYPE place AS (street text, nr integer)",
        "ALTER TABLE shops ALTER COLUMN spot TYPE place USING row((spot).street, (spot).nr)::place",
        check="lost-values",
    ),
)
HARMLESS = (
    _case("a nullable column", 'op.add_column("users", sa.Column("phone", sa.Text()))'),
    _case(
        "a NOT NULL column with a server default",
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=False, server_default=""))',
    ),
    _case(
        "a column that is filled and then NOT NULL",
        'op.add_column("users", sa.Column("phone", sa.Text()))',
        "UPDATE users SET phone = ''",
        'op.alter_column("users", "phone", nullable=False)',
    ),
    _case(
        "NOT NULL with backfill",
        "UPDATE users SET name = '' WHERE name IS NULL",
        'op.alter_column("users", "name", nullable=False)',
    ),
    _case(
        "a new table",
        'op.create_table("tags", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text, nullable=False, unique=True))',
    ),
    _case(
        "a new table with rows",
        "CREATE TABLE plans (name text PRIMARY KEY)",
        "INSERT INTO plans VALUES ('free'), ('paid')",
    ),
    _case(
        "a table made and dropped",
        "CREATE TABLE scratch (id integer)",
        "INSERT INTO scratch SELECT id FROM users",
        "DROP TABLE scratch",
    ),
    _case("an index", 'op.create_index("ix_city", "addresses", ["city"])'),
    _case("a table renamed", 'op.rename_table("profiles", "people")'),
    _case("a column renamed", 'op.alter_column("users", "nick", new_column_name="nickname")'),
    _case(
        "a column renamed, and one of the old name made",
        'op.alter_column("users", "nick", new_column_name="nickname")',
        'op.add_column("users", sa.Column("nick", sa.Text()))',
    ),
    _case("a table in another schema", "CREATE SCHEMA people", "ALTER TABLE profiles SET SCHEMA people"),
    _case("integer to bigint", 'op.alter_column("orders", "cents", type_=sa.BigInteger())'),
    _case("varchar to text", 'op.alter_column("users", "email", type_=sa.Text())'),
    _case("a longer varchar", 'op.alter_column("users", "nick", type_=sa.String(200))'),
    _case("integer to text", "ALTER TABLE users ALTER COLUMN age TYPE text"),
    _case("integer to numeric", "ALTER TABLE orders ALTER COLUMN cents TYPE numeric(14,2)"),
    _case("an enum to text", "ALTER TABLE orders ALTER COLUMN state TYPE text"),
    _case(
        "timestamp to timestamptz",
        "ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz USING placed AT TIME ZONE 'UTC'",
    ),
    _case("date to timestamp", "ALTER TABLE profiles ALTER COLUMN birthday TYPE timestamp"),
    _case("json to jsonb", "ALTER TABLE audit ALTER COLUMN payload TYPE jsonb"),
    _case(
        "text to an array of one",
        "ALTER TABLE codes ALTER COLUMN label TYPE text[] USING CASE WHEN label IS NULL THEN NULL ELSE ARRAY[label] END",
    ),
    _case(
        "boolean to text",
        "ALTER TABLE users ALTER COLUMN is_active DROP DEFAULT",
        "ALTER TABLE users ALTER COLUMN is_active TYPE text",
    ),
    _case("an enum label added", "ALTER TYPE state ADD VALUE 'lost'"),
    _case("an enum label renamed", "ALTER TYPE state RENAME VALUE 'new' TO 'open'"),
    _case(
        "an enum made anew with more labels",
        "ALTER TYPE state RENAME TO state_old",
        "CREATE TYPE state AS ENUM ('new', 'paid', 'sent', 'returned', 'lost')",
        "ALTER TABLE orders ALTER COLUMN state TYPE state USING state::text::state",
        "DROP TYPE state_old",
    ),
    _case(
        "a column copied and dropped",
        'op.add_column("users", sa.Column("handle", sa.Text()))',
        "UPDATE users SET handle = nick",
        'op.drop_column("users", "nick")',
    ),
    _case(
        "a column converted into another one",
        'op.add_column("orders", sa.Column("euros", sa.Numeric(14, 2)))',
        "UPDATE orders SET euros = cents / 100.0",
        'op.drop_column("orders", "cents")',
    ),
    _case(
        "columns moved into JSON",
        'op.add_column("addresses", sa.Column("place", postgresql.JSONB()))',
        "UPDATE addresses SET place = jsonb_build_object('city', city, 'zip', zip)",
        'op.drop_column("addresses", "city")',
        'op.drop_column("addresses", "zip")',
    ),
    _case(
        "two columns joined",
        'op.add_column("codes", sa.Column("whole", sa.Text()))',
        "UPDATE codes SET whole = coalesce(code, '') || ' ' || coalesce(label, '')",
        'op.drop_column("codes", "code")',
        'op.drop_column("codes", "label")',
    ),
    _case(
        "a table copied and dropped",
        "CREATE TABLE people (user_id integer PRIMARY KEY, bio text, birthday date)",
        "INSERT INTO people SELECT user_id, bio, birthday FROM profiles",
        "DROP TABLE profiles",
    ),
    _case(
        "a table made anew",
        "CREATE TABLE codes_new (code text, label text, extra text)",
        "INSERT INTO codes_new (code, label) SELECT code, label FROM codes",
        "DROP TABLE codes",
        "ALTER TABLE codes_new RENAME TO codes",
    ),
    _case(
        "rows moved into an archive",
        "CREATE TABLE audit_archive (LIKE audit)",
        "INSERT INTO audit_archive SELECT * FROM audit",
        "DELETE FROM audit",
    ),
    _case(
        "a column moved into a table of its own",
        "CREATE TABLE bios (user_id integer PRIMARY KEY REFERENCES users, bio text)",
        "INSERT INTO bios SELECT user_id, bio FROM profiles",
        'op.drop_column("profiles", "bio")',
    ),
    _case(
        "a primary key of another kind",
        'op.add_column("codes", sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False))',
        "ALTER TABLE codes ADD PRIMARY KEY (id)",
    ),
    _case("rows that the migrations made are deleted", "DELETE FROM roles WHERE name = 'legacy'"),
    _case(
        "rows that the migrations made are changed",
        "UPDATE roles SET name = 'administrator' WHERE name = 'admin'",
    ),
    _case("further rows", "INSERT INTO roles (name) VALUES ('editor')"),
    _case("texts normalised", "UPDATE users SET email = lower(email)"),
    _case("one label replaced by another", "UPDATE orders SET state = 'sent' WHERE state = 'paid'"),
    _case("empty texts to NULL", "UPDATE users SET nick = NULL WHERE nick = ''"),
    _case("a backfill of NULLs", "UPDATE orders SET note = '' WHERE note IS NULL"),
    _case(
        "unique over a key and more", 'op.create_unique_constraint("uq_both", "addresses", ["id", "city"])'
    ),
    _case(
        "a unique column that the revision makes",
        'op.add_column("users", sa.Column("token", sa.Text()))',
        "UPDATE users SET token = md5(id::text)",
        'op.create_unique_constraint("uq_token", "users", ["token"])',
    ),
    _case(
        "a foreign key that holds",
        'op.create_foreign_key("fk_again", "addresses", "users", ["user_id"], ["id"])',
    ),
    _case("a CHECK that holds", "ALTER TABLE users ADD CHECK (length(email) <= 120)"),
    _case(
        "a CHECK validated after a backfill",
        "ALTER TABLE users ADD CONSTRAINT named CHECK (name IS NOT NULL) NOT VALID",
        "UPDATE users SET name = '' WHERE name IS NULL",
        "ALTER TABLE users VALIDATE CONSTRAINT named",
    ),
    _case(
        "a generated column",
        "ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (cents % 1000 * 2) STORED",
    ),
    _case(
        "a partition more",
        "CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    ),
    _case("a partition detached", "ALTER TABLE days DETACH PARTITION days_2025"),
    _case("a default", 'op.alter_column("orders", "note", server_default="")'),
    _case(
        "a comment and a view",
        "COMMENT ON TABLE users IS 'people'",
        "CREATE VIEW names AS SELECT name FROM users",
    ),
    _case("an attribute of a composite type more", "ALTER TYPE spot ADD ATTRIBUTE zip text"),
    _case("an attribute of a composite type renamed", "ALTER TYPE spot RENAME ATTRIBUTE town TO city"),
    _case("a constraint dropped", "ALTER TABLE addresses DROP CONSTRAINT addresses_user_id_fkey"),
    _case(
        "a serial made an identity",
        "ALTER TABLE roles ALTER COLUMN id DROP DEFAULT",
        "ALTER TABLE roles ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 1000)",
    ),
)
CASES = (*HARMFUL, *HARMLESS)
