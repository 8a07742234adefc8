"""Migrations over all kinds of locks and work: what each does with 100,000 rows stands in `truth.json`."""

from __future__ import annotations

from benchmarks.locks.lock_case import LockCase

BASE_UPGRADE = """
CREATE TYPE phase AS ENUM ('draft', 'sent')
CREATE DOMAIN positive AS integer CHECK (VALUE > 0)
CREATE DOMAIN free_text AS text
CREATE FUNCTION roll() RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN (random() * 6)::int; END'
CREATE FUNCTION fixed() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 7'
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
CREATE FUNCTION add_index() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE INDEX ix_made ON account (score); END'
CREATE FUNCTION add_plain() RETURNS void LANGUAGE plpgsql AS 'BEGIN ALTER TABLE account ADD COLUMN made text; END'
CREATE TABLE account (id serial PRIMARY KEY, email varchar(80) NOT NULL, region text NOT NULL DEFAULT 'eu', joined timestamp NOT NULL DEFAULT now(), score integer NOT NULL DEFAULT 0, balance numeric(12,2) NOT NULL DEFAULT 0, profile json, nick varchar(30), note text, rank positive, remark free_text, place phase NOT NULL DEFAULT 'draft')
CREATE INDEX ix_account_region ON account (region)
ALTER TABLE account ADD CONSTRAINT account_email UNIQUE (email)
ALTER TABLE account ADD CONSTRAINT account_score CHECK (score >= 0)
ALTER TABLE account ADD CONSTRAINT account_note CHECK (note IS NOT NULL)
ALTER TABLE account ADD CONSTRAINT account_nick CHECK (length(nick) < 31) NOT VALID
CREATE TABLE purchase (id bigserial PRIMARY KEY, account_id integer NOT NULL, code varchar(20), total integer NOT NULL DEFAULT 0, state text NOT NULL DEFAULT 'new', placed timestamp NOT NULL DEFAULT now(), memo text, extra varchar(40))
ALTER TABLE purchase ADD CONSTRAINT purchase_account FOREIGN KEY (account_id) REFERENCES account (id)
CREATE INDEX ix_purchase_state ON purchase (state)
CREATE INDEX ix_purchase_open ON purchase (total) WHERE code = 'open'
CREATE INDEX ix_purchase_memo ON purchase (lower(memo))
CREATE INDEX ix_purchase_placed ON purchase (placed)
CREATE TABLE line (purchase_id bigint NOT NULL, position integer NOT NULL, sku text, amount integer)
CREATE UNIQUE INDEX ux_line ON line (purchase_id, position)
CREATE UNIQUE INDEX ux_line_sku ON line (sku)
CREATE TABLE small_log (at timestamp, message text, number integer)
CREATE TABLE measure (day date NOT NULL, value integer) PARTITION BY RANGE (day)
CREATE TABLE measure_2024 PARTITION OF measure FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
CREATE TABLE measure_2025 (day date NOT NULL, value integer)
CREATE TABLE measure_2026 (day date NOT NULL, value integer, CONSTRAINT measure_day CHECK (day >= '2026-01-01' AND day < '2027-01-01'))
CREATE TABLE visit (day date NOT NULL, place text) PARTITION BY RANGE (day)
CREATE TABLE visit_2024 PARTITION OF visit FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
CREATE TABLE visit_rest PARTITION OF visit DEFAULT
CREATE TABLE visit_2025 (day date NOT NULL, place text, CONSTRAINT visit_day CHECK (day >= '2025-01-01' AND day < '2026-01-01'))
CREATE TABLE booking (day date NOT NULL, place text) PARTITION BY RANGE (day)
CREATE TABLE booking_rest PARTITION OF booking DEFAULT
ALTER TABLE booking_rest ADD CONSTRAINT booking_day CHECK (day >= '2030-01-01')
CREATE VIEW account_names AS SELECT id, email FROM account
CREATE MATERIALIZED VIEW line_counts AS SELECT purchase_id, count(*) AS lines FROM line GROUP BY purchase_id
CREATE UNIQUE INDEX ux_line_counts ON line_counts (purchase_id)
CREATE SCHEMA ledger
CREATE TABLE ledger."Entry Log" (id integer PRIMARY KEY, "Amount" integer)
CREATE SEQUENCE ticket_numbers
"""
FILL = """
INSERT INTO account (email, nick, note, rank, remark, profile) SELECT 'a' || i || '@example.org', 'n' || i, 'x', i, 'r', '{"a": 1}' FROM generate_series(1, {rows}) i
INSERT INTO purchase (account_id, code, total, memo, extra) SELECT i, 'c' || i, i, 'memo ' || i, '12' FROM generate_series(1, {rows}) i
INSERT INTO line SELECT i, 1, 'sku' || i, 1 FROM generate_series(1, {rows}) i
INSERT INTO small_log SELECT now(), 'm', i FROM generate_series(1, {rows}) i
INSERT INTO measure SELECT date '2024-01-01' + i % 300, i FROM generate_series(1, {rows}) i
INSERT INTO measure_2025 SELECT date '2025-01-01' + i % 300, i FROM generate_series(1, {rows}) i
INSERT INTO measure_2026 SELECT date '2026-01-01' + i % 300, i FROM generate_series(1, {rows}) i
INSERT INTO visit SELECT date '2030-01-01' + i % 300, 'p' FROM generate_series(1, {rows}) i
INSERT INTO visit_2025 SELECT date '2025-01-01' + i % 300, 'p' FROM generate_series(1, {rows}) i
INSERT INTO booking SELECT date '2030-01-01' + i % 300, 'p' FROM generate_series(1, {rows}) i
INSERT INTO ledger."Entry Log" SELECT i, i FROM generate_series(1, {rows}) i
"""
AUTOCOMMIT = "with op.get_context().autocommit_block():\n    "


def _case(kind: str, name: str, *revisions: str, own: bool = False, since: int = 0) -> LockCase:
    return LockCase(kind, name, revisions, transaction_per_migration=own, since_major=since)


CASES: tuple[LockCase, ...] = (
    _case("column", "nullable", 'op.add_column("account", sa.Column("phone", sa.Text()))'),
    _case(
        "column",
        "with a constant default",
        'op.add_column("account", sa.Column("plan", sa.Text(), nullable=False, server_default="free"))',
    ),
    _case(
        "column",
        "with the time of the statement",
        'op.add_column("purchase", sa.Column("seen", sa.DateTime(), server_default=sa.func.now(), nullable=False))',
    ),
    _case(
        "column",
        "with clock_timestamp()",
        "ALTER TABLE purchase ADD COLUMN seen timestamptz DEFAULT clock_timestamp()",
    ),
    _case(
        "column",
        "with a random UUID",
        "ALTER TABLE account ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()",
    ),
    _case(
        "column",
        "with a volatile function of the project's",
        "ALTER TABLE account ADD COLUMN dice integer DEFAULT roll()",
    ),
    _case(
        "column",
        "with an immutable function of the project's",
        "ALTER TABLE account ADD COLUMN dice integer DEFAULT fixed()",
    ),
    _case(
        "column", "with a computed constant", "ALTER TABLE account ADD COLUMN word text DEFAULT upper('abc')"
    ),
    _case(
        "column",
        "default that is set afterwards",
        "ALTER TABLE account ADD COLUMN token uuid\nALTER TABLE account ALTER COLUMN token SET DEFAULT gen_random_uuid()",
    ),
    _case("column", "bigserial", "ALTER TABLE line ADD COLUMN number bigserial"),
    _case(
        "column",
        "identity",
        'op.add_column("line", sa.Column("number", sa.BigInteger(), sa.Identity(always=True)))',
    ),
    _case(
        "column",
        "stored generated",
        'op.add_column("purchase", sa.Column("double_total", sa.Integer(), sa.Computed("total * 2", persisted=True)))',
    ),
    _case(
        "column",
        "virtual generated",
        "ALTER TABLE purchase ADD COLUMN double_total integer GENERATED ALWAYS AS (total * 2) VIRTUAL",
        since=18,
    ),
    _case("column", "of a domain with a rule", "ALTER TABLE purchase ADD COLUMN rank positive"),
    _case("column", "of a domain without a rule", "ALTER TABLE purchase ADD COLUMN remark free_text"),
    _case(
        "column",
        "of an enum with a default",
        "ALTER TABLE purchase ADD COLUMN place phase NOT NULL DEFAULT 'draft'",
    ),
    _case(
        "column",
        "with a foreign key",
        'op.add_column("purchase", sa.Column("payer_id", sa.Integer(), sa.ForeignKey("account.id")))',
    ),
    _case("column", "that is unique", "ALTER TABLE purchase ADD COLUMN slug text UNIQUE"),
    _case(
        "column",
        "with a CHECK and a default",
        "ALTER TABLE purchase ADD COLUMN weight integer DEFAULT 2 CHECK (weight > 1)",
    ),
    _case(
        "column",
        "with a CHECK, without a default",
        "ALTER TABLE purchase ADD COLUMN weight integer\nALTER TABLE purchase ADD CONSTRAINT purchase_weight CHECK (weight > 1) NOT VALID",
    ),
    _case("column", "IF NOT EXISTS that is there", "ALTER TABLE account ADD COLUMN IF NOT EXISTS note text"),
    _case("column", "dropped", 'op.drop_column("account", "profile")'),
    _case("column", "renamed", 'op.alter_column("account", "nick", new_column_name="alias")'),
    _case("not null", "set", 'op.alter_column("purchase", "memo", nullable=False)'),
    _case("not null", "proven by a valid CHECK", 'op.alter_column("account", "note", nullable=False)'),
    _case("not null", "dropped", 'op.alter_column("purchase", "state", nullable=True)'),
    _case(
        "not null",
        "in three steps of one transaction",
        "ALTER TABLE purchase ADD CONSTRAINT memo_there CHECK (memo IS NOT NULL) NOT VALID\nALTER TABLE purchase VALIDATE CONSTRAINT memo_there\nALTER TABLE purchase ALTER COLUMN memo SET NOT NULL\nALTER TABLE purchase DROP CONSTRAINT memo_there",
    ),
    _case(
        "not null",
        "in steps of their own",
        "ALTER TABLE purchase ADD CONSTRAINT memo_there CHECK (memo IS NOT NULL) NOT VALID",
        "ALTER TABLE purchase VALIDATE CONSTRAINT memo_there",
        "ALTER TABLE purchase ALTER COLUMN memo SET NOT NULL",
        own=True,
    ),
    _case(
        "not null",
        "in a batch with another column",
        'with op.batch_alter_table("purchase") as batch:\n    batch.alter_column("code", nullable=False)\n    batch.add_column(sa.Column("place", sa.Text()))',
    ),
    _case(
        "default",
        "set and dropped",
        "ALTER TABLE purchase ALTER COLUMN total SET DEFAULT 5\nALTER TABLE purchase ALTER COLUMN state DROP DEFAULT",
    ),
    _case("type", "integer to bigint", 'op.alter_column("purchase", "total", type_=sa.BigInteger())'),
    _case(
        "type",
        "longer varchar",
        'op.alter_column("account", "nick", type_=sa.String(300), existing_type=sa.String(30))\n',
    ),
    _case(
        "type",
        "longer varchar without a CHECK",
        'op.alter_column("purchase", "extra", type_=sa.String(400), existing_type=sa.String(40))',
    ),
    _case(
        "type",
        "varchar to text in an index",
        'op.execute("DROP VIEW account_names")\nop.alter_column("account", "email", type_=sa.Text())',
    ),
    _case("type", "shorter varchar", 'op.alter_column("purchase", "extra", type_=sa.String(20))'),
    _case("type", "wider numeric", "ALTER TABLE account ALTER COLUMN balance TYPE numeric(16, 2)"),
    _case("type", "numeric of another scale", "ALTER TABLE account ALTER COLUMN balance TYPE numeric(16, 4)"),
    _case(
        "type",
        "json to jsonb",
        'op.execute("ALTER TABLE account ALTER COLUMN profile TYPE jsonb USING profile::jsonb")',
    ),
    _case(
        "type", "text to integer", "ALTER TABLE purchase ALTER COLUMN extra TYPE integer USING extra::integer"
    ),
    _case(
        "type",
        "enum to text",
        "ALTER TABLE account ALTER COLUMN place DROP DEFAULT\nALTER TABLE account ALTER COLUMN place TYPE text USING place::text",
    ),
    _case(
        "type", "varchar in the WHERE of an index", "ALTER TABLE purchase ALTER COLUMN code TYPE varchar(60)"
    ),
    _case(
        "type",
        "collation of a column in an index",
        'ALTER TABLE purchase ALTER COLUMN state TYPE text COLLATE "C"',
    ),
    _case(
        "type",
        "collation of a column without an index",
        "ALTER TABLE account ALTER COLUMN remark TYPE free_text",
    ),
    _case(
        "type",
        "timestamp to timestamptz in UTC",
        "SET LOCAL timezone TO 'UTC'\nALTER TABLE account ALTER COLUMN joined TYPE timestamptz",
    ),
    _case(
        "type",
        "timestamp to timestamptz elsewhere",
        "SET LOCAL timezone TO 'Asia/Tokyo'\nALTER TABLE account ALTER COLUMN joined TYPE timestamptz",
    ),
    _case(
        "type",
        "of a key that is referenced",
        "DROP VIEW account_names\nALTER TABLE account ALTER COLUMN id TYPE bigint",
    ),
    _case(
        "foreign key",
        "valid",
        'op.create_foreign_key("line_purchase", "line", "purchase", ["purchase_id"], ["id"])',
    ),
    _case(
        "foreign key",
        "not valid",
        "ALTER TABLE line ADD CONSTRAINT line_purchase FOREIGN KEY (purchase_id) REFERENCES purchase (id) NOT VALID",
    ),
    _case(
        "foreign key",
        "validated in the same transaction",
        "ALTER TABLE line ADD CONSTRAINT line_purchase FOREIGN KEY (purchase_id) REFERENCES purchase (id) NOT VALID\nALTER TABLE line VALIDATE CONSTRAINT line_purchase",
    ),
    _case(
        "foreign key",
        "validated in a revision of its own, by default",
        "ALTER TABLE line ADD CONSTRAINT line_purchase FOREIGN KEY (purchase_id) REFERENCES purchase (id) NOT VALID",
        "ALTER TABLE line VALIDATE CONSTRAINT line_purchase",
    ),
    _case(
        "foreign key",
        "validated in a transaction of its own",
        "ALTER TABLE line ADD CONSTRAINT line_purchase FOREIGN KEY (purchase_id) REFERENCES purchase (id) NOT VALID",
        "ALTER TABLE line VALIDATE CONSTRAINT line_purchase",
        own=True,
    ),
    _case(
        "foreign key",
        "validated in an autocommit block",
        "ALTER TABLE line ADD CONSTRAINT line_purchase FOREIGN KEY (purchase_id) REFERENCES purchase (id) NOT VALID\n"
        + AUTOCOMMIT
        + 'op.execute("ALTER TABLE line VALIDATE CONSTRAINT line_purchase")',
    ),
    _case("foreign key", "dropped", 'op.drop_constraint("purchase_account", "purchase")'),
    _case(
        "foreign key",
        "of a new table",
        'op.create_table("refund", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("purchase_id", sa.BigInteger(), sa.ForeignKey("purchase.id")))',
    ),
    _case("check", "valid", 'op.create_check_constraint("total_there", "purchase", "total >= 0")'),
    _case(
        "check", "not valid", "ALTER TABLE purchase ADD CONSTRAINT total_there CHECK (total >= 0) NOT VALID"
    ),
    _case(
        "check",
        "that stood as not valid is validated",
        "ALTER TABLE account VALIDATE CONSTRAINT account_nick",
    ),
    _case("check", "dropped", 'op.drop_constraint("account_score", "account")'),
    _case("check", "of a domain", "ALTER DOMAIN free_text ADD CONSTRAINT not_empty CHECK (VALUE <> '')"),
    _case(
        "check",
        "of a domain, not valid",
        "ALTER DOMAIN free_text ADD CONSTRAINT not_empty CHECK (VALUE <> '') NOT VALID",
    ),
    _case("unique", "constraint", 'op.create_unique_constraint("memo_once", "purchase", ["memo"])'),
    _case(
        "unique",
        "on an index that is there",
        "ALTER TABLE line ADD CONSTRAINT line_sku UNIQUE USING INDEX ux_line_sku",
    ),
    _case("unique", "exclusion", "ALTER TABLE purchase ADD CONSTRAINT alone EXCLUDE USING btree (id WITH =)"),
    _case(
        "primary key", "of a heap", 'op.create_primary_key("line_pkey", "line", ["purchase_id", "position"])'
    ),
    _case(
        "primary key",
        "on an index of NOT NULL columns",
        "ALTER TABLE line ADD CONSTRAINT line_pkey PRIMARY KEY USING INDEX ux_line",
    ),
    _case(
        "primary key",
        "on an index of a column that accepts NULL",
        "ALTER TABLE line ADD CONSTRAINT line_pkey PRIMARY KEY USING INDEX ux_line_sku",
    ),
    _case(
        "primary key",
        "dropped",
        "ALTER TABLE small_log ADD COLUMN tag text\nALTER TABLE purchase DROP CONSTRAINT purchase_pkey",
    ),
    _case("index", "built", 'op.create_index("ix_total", "purchase", ["total"])'),
    _case(
        "index",
        "built concurrently",
        AUTOCOMMIT + 'op.create_index("ix_total", "purchase", ["total"], postgresql_concurrently=True)',
    ),
    _case(
        "index",
        "that is there, IF NOT EXISTS",
        "CREATE INDEX IF NOT EXISTS ix_purchase_state ON purchase (state)",
    ),
    _case("index", "of expressions, unique", "CREATE UNIQUE INDEX ux_lower ON account (lower(email))"),
    _case("index", "of a partitioned table", "CREATE INDEX ix_value ON measure (value)"),
    _case("index", "of a partitioned table alone", "CREATE INDEX ix_value ON ONLY measure (value)"),
    _case("index", "dropped", 'op.drop_index("ix_purchase_state", "purchase")'),
    _case(
        "index",
        "dropped concurrently",
        AUTOCOMMIT + 'op.drop_index("ix_purchase_state", "purchase", postgresql_concurrently=True)',
    ),
    _case("index", "renamed", "ALTER INDEX ix_purchase_state RENAME TO ix_state"),
    _case("index", "built anew", "REINDEX INDEX ix_purchase_state"),
    _case(
        "index",
        "built anew concurrently",
        AUTOCOMMIT + 'op.execute("REINDEX INDEX CONCURRENTLY ix_purchase_state")',
    ),
    _case(
        "index",
        "of a new table",
        'op.create_table("tag", sa.Column("id", sa.Integer()), sa.Column("name", sa.Text()))\nop.create_index("ix_tag", "tag", ["name"])\nop.create_unique_constraint("tag_name", "tag", ["name"])\nop.alter_column("tag", "name", nullable=False)\nop.alter_column("tag", "id", type_=sa.BigInteger())',
    ),
    _case(
        "index",
        "of a new table that takes the name of an old one",
        "ALTER TABLE small_log RENAME TO old_log\nCREATE TABLE small_log (at timestamp, message text, number integer)\nCREATE INDEX ix_log ON small_log (number)",
    ),
    _case("maintenance", "CLUSTER", "CLUSTER purchase USING purchase_pkey"),
    _case("maintenance", "VACUUM FULL", AUTOCOMMIT + 'op.execute("VACUUM FULL small_log")'),
    _case("maintenance", "VACUUM", AUTOCOMMIT + 'op.execute("VACUUM small_log")'),
    _case("maintenance", "ANALYZE", "ANALYZE account"),
    _case("maintenance", "unlogged", "ALTER TABLE small_log SET UNLOGGED"),
    _case("maintenance", "fill factor", "ALTER TABLE account SET (fillfactor = 80)"),
    _case(
        "maintenance",
        "statistics",
        "ALTER TABLE account ALTER COLUMN region SET STATISTICS 500\nCREATE STATISTICS account_both ON region, score FROM account",
    ),
    _case(
        "partition",
        "attached",
        "ALTER TABLE measure ATTACH PARTITION measure_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    ),
    _case(
        "partition",
        "attached with a CHECK that proves it",
        "ALTER TABLE measure ATTACH PARTITION measure_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    ),
    _case(
        "partition",
        "created",
        "CREATE TABLE measure_2027 PARTITION OF measure FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    ),
    _case("partition", "detached", "ALTER TABLE measure DETACH PARTITION measure_2024"),
    _case(
        "partition",
        "column with a volatile default",
        "ALTER TABLE measure ADD COLUMN dice integer DEFAULT roll()",
    ),
    _case("partition", "column", "ALTER TABLE measure ADD COLUMN unit text DEFAULT 'm'"),
    _case("materialized view", "refreshed", "REFRESH MATERIALIZED VIEW line_counts"),
    _case(
        "materialized view",
        "made",
        "CREATE MATERIALIZED VIEW account_counts AS SELECT region, count(*) FROM account GROUP BY region",
    ),
    _case(
        "view", "replaced", "CREATE OR REPLACE VIEW account_names AS SELECT id, email, region FROM account"
    ),
    _case("table", "renamed", 'op.rename_table("small_log", "big_log")'),
    _case("table", "dropped", 'op.drop_table("purchase")'),
    _case("table", "truncated", "TRUNCATE small_log"),
    _case(
        "table",
        "truncated, then changed",
        "TRUNCATE small_log\nALTER TABLE small_log ALTER COLUMN number TYPE bigint\nCREATE INDEX ix_number ON small_log (number)",
    ),
    _case("table", "locked", "LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE"),
    _case(
        "table", "commented", "COMMENT ON TABLE account IS 'who'\nCOMMENT ON COLUMN account.email IS 'where'"
    ),
    _case(
        "table",
        "trigger",
        "CREATE TRIGGER account_keep BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION keep_row()",
    ),
    _case(
        "table",
        "row security",
        "ALTER TABLE account ENABLE ROW LEVEL SECURITY\nCREATE POLICY own ON account USING (true)",
    ),
    _case("table", "quoted, in a schema", 'ALTER TABLE ledger."Entry Log" ALTER COLUMN "Amount" TYPE bigint'),
    _case("table", "quoted, in a schema, column", 'ALTER TABLE ledger."Entry Log" ADD COLUMN "Note" text'),
    _case(
        "table",
        "copied",
        "CREATE TABLE account_copy AS SELECT * FROM account\nCREATE INDEX ix_copy ON account_copy (id)",
    ),
    _case("type", "label added", "ALTER TYPE phase ADD VALUE 'read'"),
    _case("rows", "all updated", "UPDATE purchase SET memo = 'x'"),
    _case("rows", "all deleted", "DELETE FROM small_log"),
    _case(
        "rows",
        "one updated after a column",
        "ALTER TABLE account ADD COLUMN phone text\nUPDATE account SET phone = '1' WHERE id = 5",
    ),
    _case(
        "rows",
        "inserted after a column",
        "ALTER TABLE account ADD COLUMN phone text\nINSERT INTO small_log VALUES (now(), 'x', 1)",
    ),
    _case(
        "rows",
        "all updated after a column",
        'op.add_column("account", sa.Column("phone", sa.Text()))\nop.execute("UPDATE account SET phone = email")',
    ),
    _case(
        "rows",
        "of another table updated after a column",
        "ALTER TABLE account ADD COLUMN phone text\nUPDATE small_log SET number = number + 1",
    ),
    _case(
        "rows",
        "updated in a later revision, by default",
        "ALTER TABLE account ADD COLUMN phone text",
        "UPDATE account SET phone = 'x'",
    ),
    _case(
        "rows",
        "updated in a later revision of its own",
        "ALTER TABLE account ADD COLUMN phone text",
        "UPDATE account SET phone = 'x'",
        own=True,
    ),
    _case(
        "rows",
        "updated in an autocommit block",
        "ALTER TABLE account ADD COLUMN phone text\n"
        + AUTOCOMMIT
        + "op.execute(\"UPDATE account SET phone = 'x'\")",
    ),
    _case(
        "rows",
        "copied after a column",
        "ALTER TABLE account ADD COLUMN phone text\nCREATE TABLE log_copy AS SELECT * FROM small_log",
    ),
    _case(
        "rows",
        "counted after a column",
        'ALTER TABLE account ADD COLUMN phone text\nbind = op.get_bind()\nbind.execute(sa.text("SELECT count(*) FROM small_log WHERE number > 3")).scalar()',
    ),
    _case(
        "rows",
        "looked for after a column",
        'ALTER TABLE account ADD COLUMN phone text\nbind = op.get_bind()\nbind.execute(sa.text("SELECT 1 FROM small_log LIMIT 1")).scalar()',
    ),
    _case(
        "rows",
        "updated before a column",
        "UPDATE small_log SET number = 1\nALTER TABLE account ADD COLUMN phone text",
    ),
    _case(
        "indirect",
        "DO block that builds",
        "DO $$ BEGIN EXECUTE 'CREATE INDEX ix_do ON account (score)'; END $$",
    ),
    _case(
        "indirect",
        "DO block that adds a column",
        "DO $$ BEGIN ALTER TABLE account ADD COLUMN phone text; END $$",
    ),
    _case(
        "indirect",
        "DO block that adds a column and fills it",
        "DO $$ BEGIN ALTER TABLE account ADD COLUMN phone text; UPDATE account SET phone = email; END $$",
    ),
    _case("indirect", "function that builds", "SELECT add_index()"),
    _case("indirect", "function that adds a column", "SELECT add_plain()"),
    _case(
        "indirect",
        "loop over tables",
        'for name in ("line", "small_log"):\n    op.execute(f"ALTER TABLE {name} ADD COLUMN tag text")\n    op.create_index(f"ix_{name}_tag", name, ["tag"])',
    ),
    _case(
        "indirect",
        "several statements in one text",
        "op.execute(\"ALTER TABLE account ADD COLUMN phone text; UPDATE account SET phone = email; COMMENT ON TABLE account IS 'x'\")",
    ),
    _case(
        "indirect",
        "driver's own cursor",
        'cursor = op.get_bind().connection.cursor()\ncursor.execute("CREATE INDEX ix_raw ON account (score)")',
    ),
    _case(
        "indirect",
        "driver's own cursor adds a column",
        'cursor = op.get_bind().connection.cursor()\ncursor.execute("ALTER TABLE account ADD COLUMN phone text")',
    ),
    _case(
        "partition",
        "created beside a default partition",
        "CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    ),
    _case(
        "partition",
        "created beside a default partition whose CHECK proves that no row belongs to it",
        "CREATE TABLE booking_2026 PARTITION OF booking FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    ),
    _case(
        "partition",
        "created beside a default partition that was proven before",
        "ALTER TABLE visit_rest ADD CONSTRAINT visit_rest_day CHECK (day < '2026-01-01' OR day >= '2027-01-01') NOT VALID",
        "ALTER TABLE visit_rest VALIDATE CONSTRAINT visit_rest_day",
        "CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        own=True,
    ),
    _case(
        "partition",
        "attached beside a default partition, with a CHECK that proves it",
        "ALTER TABLE visit ATTACH PARTITION visit_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    ),
    _case(
        "partition", "attached as the default", "ALTER TABLE measure ATTACH PARTITION measure_2025 DEFAULT"
    ),
    _case(
        "partition",
        "default partition of a table without one",
        "CREATE TABLE measure_rest PARTITION OF measure DEFAULT",
    ),
    _case(
        "partition",
        "detached concurrently",
        AUTOCOMMIT + 'op.execute("ALTER TABLE measure DETACH PARTITION measure_2024 CONCURRENTLY")',
    ),
    _case("partition", "dropped", "DROP TABLE visit_2024"),
    _case(
        "partition",
        "foreign key",
        "ALTER TABLE measure ADD CONSTRAINT measure_account FOREIGN KEY (value) REFERENCES account (id)",
    ),
    _case("partition", "not null", "ALTER TABLE measure ALTER COLUMN value SET NOT NULL"),
    _case(
        "materialized view",
        "refreshed concurrently",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY line_counts",
    ),
    _case("index", "of a table built anew", "REINDEX TABLE purchase"),
    _case(
        "index",
        "of a table built anew concurrently",
        AUTOCOMMIT + 'op.execute("REINDEX TABLE CONCURRENTLY purchase")',
    ),
    _case(
        "type",
        "of a key that is referenced, to what it is",
        "ALTER TABLE purchase ALTER COLUMN id TYPE bigint",
    ),
    _case("type", "label renamed", "ALTER TYPE phase RENAME VALUE 'sent' TO 'gone'"),
    _case("column", "without a default and NOT NULL", "ALTER TABLE purchase ADD COLUMN must text NOT NULL"),
    _case(
        "column",
        "expression dropped",
        "ALTER TABLE purchase ADD COLUMN twice integer GENERATED ALWAYS AS (total * 2) STORED",
        "ALTER TABLE purchase ALTER COLUMN twice DROP EXPRESSION",
        own=True,
    ),
    _case(
        "column",
        "expression changed",
        "ALTER TABLE account ADD COLUMN twice integer GENERATED ALWAYS AS (score * 2) STORED",
        "ALTER TABLE account ALTER COLUMN twice SET EXPRESSION AS (score * 3)",
        own=True,
        since=17,
    ),
    _case(
        "column",
        "identity of a NOT NULL column",
        "ALTER TABLE line ALTER COLUMN position ADD GENERATED BY DEFAULT AS IDENTITY",
    ),
    _case(
        "not null",
        "not valid, then validated",
        "ALTER TABLE purchase ADD CONSTRAINT memo_there NOT NULL memo NOT VALID",
        "ALTER TABLE purchase VALIDATE CONSTRAINT memo_there",
        own=True,
        since=18,
    ),
    _case(
        "not null",
        "valid, by a constraint",
        "ALTER TABLE purchase ADD CONSTRAINT memo_there NOT NULL memo",
        since=18,
    ),
    _case(
        "check",
        "of a domain, validated",
        "ALTER DOMAIN free_text ADD CONSTRAINT not_empty CHECK (VALUE <> '') NOT VALID",
        "ALTER DOMAIN free_text VALIDATE CONSTRAINT not_empty",
        own=True,
    ),
    _case("check", "domain that is NOT NULL", "ALTER DOMAIN free_text SET NOT NULL"),
    _case("maintenance", "access method", "ALTER TABLE small_log SET ACCESS METHOD heap"),
    _case("maintenance", "tablespace that it is in", "ALTER TABLE small_log SET TABLESPACE pg_default"),
    _case("table", "triggers disabled", "ALTER TABLE purchase DISABLE TRIGGER ALL"),
    _case("table", "moved to another schema", "ALTER TABLE small_log SET SCHEMA ledger"),
    _case("table", "like another", "CREATE TABLE account_like (LIKE account INCLUDING ALL)"),
    _case(
        "table",
        "child of another",
        "CREATE TABLE log_child (LIKE small_log)\nALTER TABLE log_child INHERIT small_log",
    ),
    _case("table", "rule", "CREATE RULE no_delete AS ON DELETE TO small_log DO INSTEAD NOTHING"),
    _case("table", "truncated with what references it", "TRUNCATE account CASCADE"),
    _case(
        "rows",
        "updated after a column and a COMMIT by hand",
        "ALTER TABLE account ADD COLUMN phone text\nCOMMIT\nUPDATE account SET phone = 'x'",
    ),
    _case(
        "rows",
        "updated after a column that was rolled back",
        "SAVEPOINT trial\nALTER TABLE account ADD COLUMN phone text\nROLLBACK TO SAVEPOINT trial\nUPDATE small_log SET number = 1",
    ),
    _case(
        "rows",
        "merged after a column",
        "ALTER TABLE account ADD COLUMN phone text\nMERGE INTO small_log USING account ON small_log.number = account.id WHEN MATCHED THEN UPDATE SET message = account.email",
    ),
    _case(
        "rows",
        "updated by a common table expression after a column",
        "ALTER TABLE account ADD COLUMN phone text\nWITH gone AS (DELETE FROM small_log WHERE number > 3 RETURNING number) SELECT count(*) FROM gone",
    ),
    _case(
        "rows",
        "updated after a lock by hand",
        "LOCK TABLE account IN SHARE MODE\nUPDATE small_log SET number = 1",
    ),
    _case(
        "rows",
        "looked at after a lock by hand that only readers of the schema feel",
        "LOCK TABLE account IN ROW EXCLUSIVE MODE\nUPDATE small_log SET number = 1",
    ),
    _case(
        "rows",
        "copied out after a column",
        'op.add_column("account", sa.Column("phone", sa.Text()))\nwith op.get_bind().connection.cursor() as cursor, cursor.copy("COPY small_log TO STDOUT") as copy:\n    all(copy)',
    ),
    _case(
        "indirect",
        "DO block that refreshes",
        "DO $$ BEGIN REFRESH MATERIALIZED VIEW line_counts; END $$",
    ),
    _case(
        "indirect",
        "second connection that builds",
        'with op.get_bind().engine.connect() as other:\n    other.execute(sa.text("CREATE INDEX ix_other ON small_log (number)"))\n    other.commit()',
    ),
)
