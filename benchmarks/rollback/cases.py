"""Downgrades over all kinds of objects: for each upgrade correct ones and broken ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.rollback.downgrade_case import DowngradeCase

BASE_UPGRADE = """
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL, name varchar(50), nick varchar(50), age integer)
CREATE TABLE orders (id serial PRIMARY KEY, user_id integer NOT NULL CONSTRAINT orders_user REFERENCES users, amount numeric(10,2) NOT NULL DEFAULT 0, status text NOT NULL, note text, cents integer NOT NULL DEFAULT 0)
CREATE INDEX ix_orders_status ON orders (status)
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount >= 0)
ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email)
CREATE TYPE mood AS ENUM ('sad', 'ok')
CREATE TABLE entries (id serial PRIMARY KEY, mood mood NOT NULL DEFAULT 'ok', body jsonb)
CREATE VIEW user_names AS SELECT id, name FROM users
CREATE MATERIALIZED VIEW order_counts AS SELECT user_id, count(*) AS orders FROM orders GROUP BY user_id
CREATE UNIQUE INDEX ix_order_counts ON order_counts (user_id)
CREATE FUNCTION add_one(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1'
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
CREATE TRIGGER users_keep BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION keep_row()
CREATE SEQUENCE tickets START 100
CREATE SCHEMA archive
CREATE DOMAIN short_text AS text CHECK (length(VALUE) < 100)
CREATE TABLE tags (name text PRIMARY KEY)
INSERT INTO tags (name) VALUES ('old')
COMMENT ON TABLE orders IS 'what was bought'
CREATE TABLE events (day date NOT NULL, what text) PARTITION BY RANGE (day)
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
"""
BASE_DOWNGRADE = """
DROP TABLE events
DROP TABLE tags
DROP DOMAIN short_text
DROP SCHEMA archive
DROP SEQUENCE tickets
DROP MATERIALIZED VIEW order_counts
DROP VIEW user_names
DROP TABLE entries
DROP TYPE mood
DROP TABLE orders
DROP TABLE users
DROP FUNCTION keep_row()
DROP FUNCTION add_one(integer)
"""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade, with downgrades by name."""

    kind: str
    upgrade: str
    correct: dict[str, str]
    broken: dict[str, str]


UPGRADES: tuple[Upgrade, ...] = (
    Upgrade(
        "table",
        """
        op.create_table("bills", sa.Column("id", sa.Integer, primary_key=True), sa.Column("order_id", sa.Integer, sa.ForeignKey("orders.id"), nullable=False))
        op.create_index("ix_bills_order", "bills", ["order_id"])
        """,
        {"dropped": 'op.drop_table("bills")'},
        {
            "nothing": "pass",
            "only its index dropped": 'op.drop_index("ix_bills_order", "bills")',
            "another table dropped as well": 'op.drop_table("bills")\nop.drop_table("tags")',
            "a wrong name": 'op.drop_table("bill")',
        },
    ),
    Upgrade(
        "table",
        'op.rename_table("tags", "labels")',
        {"renamed back": 'op.rename_table("labels", "tags")'},
        {"made anew without its key": 'op.drop_table("labels")\nCREATE TABLE tags (name text NOT NULL)'},
    ),
    Upgrade(
        "table",
        'op.drop_table("tags")',
        {
            "made anew": 'op.create_table("tags", sa.Column("name", sa.Text, primary_key=True))',
            "one-way": 'raise NotImplementedError("the tags are gone")',
        },
        {"a column less strict": "CREATE TABLE tags (name text)"},
    ),
    Upgrade(
        "table storage",
        "ALTER TABLE orders SET (fillfactor = 70)",
        {"reset": "ALTER TABLE orders RESET (fillfactor)"},
        {"set to the default's number": "ALTER TABLE orders SET (fillfactor = 100)"},
    ),
    Upgrade(
        "table persistence",
        "ALTER TABLE entries SET UNLOGGED",
        {"logged again": "ALTER TABLE entries SET LOGGED"},
        {"only a comment": "COMMENT ON TABLE entries IS 'logged'"},
    ),
    Upgrade(
        "column",
        'op.add_column("users", sa.Column("phone", sa.Text))',
        {
            "dropped": 'op.drop_column("users", "phone")',
            "dropped by SQL": "ALTER TABLE users DROP COLUMN IF EXISTS phone",
        },
        {
            "nothing": "pass",
            "a wrong name": 'op.drop_column("users", "phones")',
            "no column of that table": 'op.drop_column("orders", "note")\nop.drop_column("users", "phone")',
        },
    ),
    Upgrade(
        "column",
        'op.drop_column("users", "age")',
        {"added": 'op.add_column("users", sa.Column("age", sa.Integer))'},
        {
            "added with another type": 'op.add_column("users", sa.Column("age", sa.BigInteger))',
            "added with a default": 'op.add_column("users", sa.Column("age", sa.Integer, server_default="0"))',
        },
    ),
    Upgrade(
        "column",
        'op.drop_column("orders", "status")',
        {
            "added with a value": """
            op.add_column("orders", sa.Column("status", sa.Text, nullable=False, server_default="new"))
            op.alter_column("orders", "status", server_default=None)
            op.create_index("ix_orders_status", "orders", ["status"])
            """
        },
        {
            "NOT NULL without a value": 'op.add_column("orders", sa.Column("status", sa.Text, nullable=False))\nop.create_index("ix_orders_status", "orders", ["status"])',
            "without its index": 'op.add_column("orders", sa.Column("status", sa.Text, nullable=False, server_default="new"))\nop.alter_column("orders", "status", server_default=None)',
        },
    ),
    Upgrade(
        "column",
        'op.alter_column("orders", "note", new_column_name="remark")',
        {"renamed back": 'op.alter_column("orders", "remark", new_column_name="note")'},
        {
            "dropped and added": 'op.drop_column("orders", "remark")\nop.add_column("orders", sa.Column("note", sa.String))',
            "another name": 'op.alter_column("orders", "remark", new_column_name="notes")',
        },
    ),
    Upgrade(
        "type",
        'op.alter_column("users", "nick", type_=sa.String(100))',
        {"narrowed again": 'op.alter_column("users", "nick", type_=sa.String(50))'},
        {
            "narrowed too much": 'op.alter_column("users", "nick", type_=sa.String(40))',
            "to text": 'op.alter_column("users", "nick", type_=sa.Text())',
        },
    ),
    Upgrade(
        "type",
        'op.alter_column("users", "age", type_=sa.Text, postgresql_using="age::text")',
        {"cast back": 'op.alter_column("users", "age", type_=sa.Integer, postgresql_using="age::integer")'},
        {
            "no cast": 'op.alter_column("users", "age", type_=sa.Integer)',
            "values thrown away": 'op.alter_column("users", "age", type_=sa.Integer, postgresql_using="NULL::integer")',
        },
    ),
    Upgrade(
        "nullability",
        'op.alter_column("orders", "user_id", nullable=True)',
        {"NOT NULL again": 'op.alter_column("orders", "user_id", nullable=False)'},
        {
            "rows emptied first": "UPDATE orders SET note = NULL\nALTER TABLE orders ALTER user_id SET NOT NULL",
            "set on another column": 'op.alter_column("orders", "note", nullable=False)',
        },
    ),
    Upgrade(
        "default",
        'op.alter_column("orders", "status", server_default="new")',
        {"dropped": 'op.alter_column("orders", "status", server_default=None)'},
        {"another one": 'op.alter_column("orders", "status", server_default="")'},
    ),
    Upgrade(
        "identity",
        "ALTER TABLE tags ADD COLUMN id integer GENERATED ALWAYS AS IDENTITY",
        {"dropped": 'op.drop_column("tags", "id")'},
        {"only the identity": "ALTER TABLE tags ALTER id DROP IDENTITY"},
    ),
    Upgrade(
        "generated column",
        "ALTER TABLE orders ADD COLUMN total numeric GENERATED ALWAYS AS (amount * 2) STORED",
        {"dropped": 'op.drop_column("orders", "total")'},
        {"only the expression": "ALTER TABLE orders ALTER total DROP EXPRESSION"},
    ),
    Upgrade(
        "primary key",
        "ALTER TABLE tags DROP CONSTRAINT tags_pkey\nALTER TABLE tags ADD COLUMN id serial PRIMARY KEY",
        {"the old one again": "ALTER TABLE tags DROP COLUMN id\nALTER TABLE tags ADD PRIMARY KEY (name)"},
        {
            "no key any more": "ALTER TABLE tags DROP COLUMN id",
            "under another name": "ALTER TABLE tags DROP COLUMN id\nALTER TABLE tags ADD CONSTRAINT pk_tags PRIMARY KEY (name)",
        },
    ),
    Upgrade(
        "foreign key",
        'op.create_foreign_key("entries_user", "entries", "users", ["id"], ["id"])',
        {"dropped": 'op.drop_constraint("entries_user", "entries", type_="foreignkey")'},
        {
            "without a name": 'op.drop_constraint(None, "entries", type_="foreignkey")',
            "a wrong name": 'op.drop_constraint("entries_users", "entries", type_="foreignkey")',
        },
    ),
    Upgrade(
        "foreign key",
        "ALTER TABLE orders DROP CONSTRAINT orders_user\nALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE",
        {
            "without a cascade again": "ALTER TABLE orders DROP CONSTRAINT orders_user\nALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users"
        },
        {
            "no key any more": "ALTER TABLE orders DROP CONSTRAINT orders_user",
            "another action": "ALTER TABLE orders DROP CONSTRAINT orders_user\nALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users ON DELETE RESTRICT",
        },
    ),
    Upgrade(
        "foreign key",
        "ALTER TABLE orders DROP CONSTRAINT orders_user",
        {"made again": 'op.create_foreign_key("orders_user", "orders", "users", ["user_id"], ["id"])'},
        {
            "not validated": "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID",
            "deferrable": "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users DEFERRABLE",
        },
    ),
    Upgrade(
        "unique constraint",
        'op.create_unique_constraint("users_name", "users", ["name"])',
        {"dropped": 'op.drop_constraint("users_name", "users", type_="unique")'},
        {
            "as an index": 'op.drop_index("users_name")',
            "replaced by an index": 'op.drop_constraint("users_name", "users", type_="unique")\nop.create_index("users_name", "users", ["name"], unique=True)',
        },
    ),
    Upgrade(
        "unique constraint",
        'op.drop_constraint("users_email", "users", type_="unique")',
        {"made again": 'op.create_unique_constraint("users_email", "users", ["email"])'},
        {"only an index": 'op.create_index("users_email", "users", ["email"], unique=True)'},
    ),
    Upgrade(
        "check constraint",
        'op.create_check_constraint("users_age", "users", "age > 0")',
        {"dropped": 'op.drop_constraint("users_age", "users", type_="check")'},
        {
            "loosened": 'op.drop_constraint("users_age", "users", type_="check")\nop.create_check_constraint("users_age", "users", "age > -1")'
        },
    ),
    Upgrade(
        "check constraint",
        'op.drop_constraint("orders_amount", "orders", type_="check")',
        {"made again": 'op.create_check_constraint("orders_amount", "orders", "amount >= 0")'},
        {"another rule": 'op.create_check_constraint("orders_amount", "orders", "amount > 0")'},
    ),
    Upgrade(
        "exclusion constraint",
        "ALTER TABLE users ADD CONSTRAINT users_apart EXCLUDE (name WITH =)",
        {"dropped": 'op.drop_constraint("users_apart", "users")'},
        {"left": "COMMENT ON CONSTRAINT users_apart ON users IS 'gone'"},
    ),
    Upgrade(
        "index",
        'op.create_index("ix_orders_note", "orders", ["note"], postgresql_where=sa.text("note IS NOT NULL"))',
        {"dropped": 'op.drop_index("ix_orders_note", table_name="orders")'},
        {"another index dropped": 'op.drop_index("ix_orders_status", table_name="orders")'},
    ),
    Upgrade(
        "index",
        'op.drop_index("ix_orders_status", table_name="orders")',
        {"made again": 'op.create_index("ix_orders_status", "orders", ["status"])'},
        {
            "unique now": 'op.create_index("ix_orders_status", "orders", ["status"], unique=True)',
            "descending": 'op.create_index("ix_orders_status", "orders", [sa.text("status DESC")])',
        },
    ),
    Upgrade(
        "index",
        'with op.get_context().autocommit_block():\n    op.create_index("ix_users_age", "users", ["age"], postgresql_concurrently=True)',
        {
            "dropped concurrently": 'with op.get_context().autocommit_block():\n    op.drop_index("ix_users_age", table_name="users", postgresql_concurrently=True)'
        },
        {
            "concurrently in a transaction": 'op.drop_index("ix_users_age", table_name="users", postgresql_concurrently=True)'
        },
    ),
    Upgrade(
        "enum",
        'op.create_table("bills", sa.Column("id", sa.Integer, primary_key=True), sa.Column("state", sa.Enum("a", "b", name="bill_state")))',
        {
            "table and type dropped": 'op.drop_table("bills")\nDROP TYPE bill_state',
            "by sa.Enum": 'op.drop_table("bills")\nsa.Enum(name="bill_state").drop(op.get_bind())',
        },
        {"type left": 'op.drop_table("bills")'},
    ),
    Upgrade(
        "enum",
        "ALTER TYPE mood ADD VALUE 'happy'",
        {"nothing can be done": "pass"},
        {"the type of another table": "ALTER TYPE mood RENAME VALUE 'sad' TO 'bad'"},
    ),
    Upgrade(
        "enum",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
        {"renamed back": "ALTER TYPE mood RENAME VALUE 'blue' TO 'sad'"},
        {"another label": "ALTER TYPE mood RENAME VALUE 'blue' TO 'Sad'"},
    ),
    Upgrade(
        "enum",
        """
        ALTER TABLE entries ALTER mood DROP DEFAULT
        ALTER TYPE mood RENAME TO mood_old
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')
        ALTER TABLE entries ALTER mood TYPE mood USING mood::text::mood
        ALTER TABLE entries ALTER mood SET DEFAULT 'ok'
        DROP TYPE mood_old
        """,
        {
            "made anew": """
            ALTER TABLE entries ALTER mood DROP DEFAULT
            ALTER TYPE mood RENAME TO mood_new
            CREATE TYPE mood AS ENUM ('sad', 'ok')
            ALTER TABLE entries ALTER mood TYPE mood USING mood::text::mood
            ALTER TABLE entries ALTER mood SET DEFAULT 'ok'
            DROP TYPE mood_new
            """
        },
        {
            "default lost": """
            ALTER TABLE entries ALTER mood DROP DEFAULT
            ALTER TYPE mood RENAME TO mood_new
            CREATE TYPE mood AS ENUM ('sad', 'ok')
            ALTER TABLE entries ALTER mood TYPE mood USING mood::text::mood
            DROP TYPE mood_new
            """,
            "a type left": """
            ALTER TABLE entries ALTER mood DROP DEFAULT
            ALTER TYPE mood RENAME TO mood_new
            CREATE TYPE mood AS ENUM ('sad', 'ok')
            ALTER TABLE entries ALTER mood TYPE mood USING mood::text::mood
            ALTER TABLE entries ALTER mood SET DEFAULT 'ok'
            """,
        },
    ),
    Upgrade(
        "domain",
        "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)\nALTER TABLE users ADD COLUMN score positive",
        {"column and domain dropped": 'op.drop_column("users", "score")\nDROP DOMAIN positive'},
        {"domain left": 'op.drop_column("users", "score")'},
    ),
    Upgrade(
        "domain",
        "ALTER DOMAIN short_text SET DEFAULT ''",
        {"default dropped": "ALTER DOMAIN short_text DROP DEFAULT"},
        {"made stricter": "ALTER DOMAIN short_text DROP DEFAULT\nALTER DOMAIN short_text SET NOT NULL"},
    ),
    Upgrade(
        "composite type",
        "CREATE TYPE pair AS (a integer, b text)",
        {"dropped": "DROP TYPE pair"},
        {"renamed": "ALTER TYPE pair RENAME TO old_pair"},
    ),
    Upgrade(
        "sequence",
        "CREATE SEQUENCE bill_numbers",
        {"dropped": "DROP SEQUENCE bill_numbers"},
        {"left": "SELECT setval('bill_numbers', 1)"},
    ),
    Upgrade(
        "sequence",
        "ALTER SEQUENCE tickets INCREMENT 10",
        {"by one again": "ALTER SEQUENCE tickets INCREMENT 1"},
        {"restarted alone": "ALTER SEQUENCE tickets RESTART"},
    ),
    Upgrade(
        "view",
        "CREATE OR REPLACE VIEW user_names AS SELECT id, name, email FROM users",
        {"the old one": "DROP VIEW user_names\nCREATE VIEW user_names AS SELECT id, name FROM users"},
        {
            "columns cannot be removed so": "CREATE OR REPLACE VIEW user_names AS SELECT id, name FROM users",
            "no view any more": "DROP VIEW user_names",
            "another condition": "DROP VIEW user_names\nCREATE VIEW user_names AS SELECT id, name FROM users WHERE name IS NOT NULL",
        },
    ),
    Upgrade(
        "materialized view",
        "DROP MATERIALIZED VIEW order_counts",
        {
            "made again": "CREATE MATERIALIZED VIEW order_counts AS SELECT user_id, count(*) AS orders FROM orders GROUP BY user_id\nCREATE UNIQUE INDEX ix_order_counts ON order_counts (user_id)"
        },
        {
            "without its index": "CREATE MATERIALIZED VIEW order_counts AS SELECT user_id, count(*) AS orders FROM orders GROUP BY user_id"
        },
    ),
    Upgrade(
        "function",
        "CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 * 2'",
        {"dropped": "DROP FUNCTION twice(integer)"},
        {"another signature": "DROP FUNCTION IF EXISTS twice(text)"},
    ),
    Upgrade(
        "function",
        "CREATE OR REPLACE FUNCTION add_one(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 2'",
        {
            "the old body": "CREATE OR REPLACE FUNCTION add_one(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1'"
        },
        {
            "dropped": "DROP FUNCTION add_one(integer)",
            "another volatility": "CREATE OR REPLACE FUNCTION add_one(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1'",
        },
    ),
    Upgrade(
        "trigger",
        "CREATE TRIGGER orders_keep BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION keep_row()",
        {"dropped": "DROP TRIGGER orders_keep ON orders"},
        {"disabled": "ALTER TABLE orders DISABLE TRIGGER orders_keep"},
    ),
    Upgrade(
        "trigger",
        "ALTER TABLE users DISABLE TRIGGER users_keep",
        {"enabled": "ALTER TABLE users ENABLE TRIGGER users_keep"},
        {"always": "ALTER TABLE users ENABLE ALWAYS TRIGGER users_keep"},
    ),
    Upgrade(
        "policy",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY\nCREATE POLICY own_orders ON orders USING (user_id = 1)",
        {"both removed": "DROP POLICY own_orders ON orders\nALTER TABLE orders DISABLE ROW LEVEL SECURITY"},
        {
            "row security left": "DROP POLICY own_orders ON orders",
            "policy left": "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
        },
    ),
    Upgrade(
        "grant",
        "GRANT SELECT ON orders TO PUBLIC",
        {"revoked": "REVOKE SELECT ON orders FROM PUBLIC"},
        {"another right revoked": "REVOKE INSERT ON orders FROM PUBLIC"},
    ),
    Upgrade(
        "grant",
        "GRANT UPDATE (note) ON orders TO PUBLIC",
        {"revoked": "REVOKE UPDATE (note) ON orders FROM PUBLIC"},
        {"of the table alone": "REVOKE DELETE ON orders FROM PUBLIC"},
    ),
    Upgrade(
        "comment",
        'op.create_table_comment("orders", "purchases", existing_comment="what was bought")',
        {"the old one": 'op.create_table_comment("orders", "what was bought", existing_comment="purchases")'},
        {"dropped": 'op.drop_table_comment("orders", existing_comment="purchases")'},
    ),
    Upgrade(
        "comment",
        "COMMENT ON FUNCTION add_one(integer) IS 'adds one'",
        {"removed": "COMMENT ON FUNCTION add_one(integer) IS NULL"},
        {"of another function": "COMMENT ON FUNCTION keep_row() IS NULL"},
    ),
    Upgrade(
        "extension",
        "CREATE EXTENSION pg_trgm",
        {"dropped": "DROP EXTENSION pg_trgm"},
        {"left": "SELECT 1"},
    ),
    Upgrade(
        "schema",
        "CREATE SCHEMA reports\nCREATE TABLE reports.daily (day date PRIMARY KEY)",
        {
            "both dropped": "DROP TABLE reports.daily\nDROP SCHEMA reports",
            "with a cascade": "DROP SCHEMA reports CASCADE",
        },
        {
            "schema left": "DROP TABLE reports.daily",
            "the wrong order": "DROP SCHEMA reports\nDROP TABLE reports.daily",
        },
    ),
    Upgrade(
        "schema",
        "ALTER TABLE tags SET SCHEMA archive",
        {"moved back": "ALTER TABLE archive.tags SET SCHEMA public"},
        {"copied back": "CREATE TABLE tags (name text)\nDROP TABLE archive.tags"},
    ),
    Upgrade(
        "partition",
        "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        {"dropped": "DROP TABLE events_2025"},
        {"detached": "ALTER TABLE events DETACH PARTITION events_2025"},
    ),
    Upgrade(
        "statistics",
        "CREATE STATISTICS orders_both ON user_id, status FROM orders",
        {"dropped": "DROP STATISTICS orders_both"},
        {"left": "ALTER STATISTICS orders_both SET STATISTICS 10"},
    ),
    Upgrade(
        "rows",
        "INSERT INTO tags (name) VALUES ('new'), ('best')",
        {"the same deleted": "DELETE FROM tags WHERE name IN ('new', 'best')"},
        {"all deleted": "DELETE FROM tags", "nothing": "SELECT 1"},
    ),
    Upgrade(
        "rows",
        "UPDATE orders SET cents = cents * 100",
        {"divided": "UPDATE orders SET cents = cents / 100"},
        {
            "multiplied again": "UPDATE orders SET cents = cents * 100",
            "set to zero": "UPDATE orders SET cents = 0",
        },
    ),
    Upgrade(
        "rows",
        "UPDATE orders SET status = lower(status)",
        {"nothing can be done": "pass"},
        {"all cut": "UPDATE orders SET status = left(status, 1)"},
    ),
    Upgrade(
        "rows",
        """
        op.add_column("users", sa.Column("first_name", sa.Text))
        UPDATE users SET first_name = name
        DROP VIEW user_names
        ALTER TABLE users DROP COLUMN name
        CREATE VIEW user_names AS SELECT id, first_name AS name FROM users
        """,
        {
            "copied back": "DROP VIEW user_names\nALTER TABLE users ADD COLUMN name varchar(50)\nUPDATE users SET name = first_name\nALTER TABLE users DROP COLUMN first_name\nCREATE VIEW user_names AS SELECT id, name FROM users"
        },
        {
            "the view forgotten": "DROP VIEW user_names\nALTER TABLE users ADD COLUMN name varchar(50)\nUPDATE users SET name = first_name\nALTER TABLE users DROP COLUMN first_name"
        },
    ),
)


def _list_cases() -> Iterator[DowngradeCase]:
    for item in UPGRADES:
        for name, downgrade in item.correct.items():
            yield DowngradeCase(item.kind, name, item.upgrade, downgrade, is_broken=False)
        for name, downgrade in item.broken.items():
            yield DowngradeCase(item.kind, name, item.upgrade, downgrade, is_broken=True)


CASES = tuple(_list_cases())
