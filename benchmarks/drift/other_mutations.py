"""What is no drift: what models cannot express, and what only looks like a difference."""

# ruff: noqa: E501
from __future__ import annotations

from benchmarks.drift.mutation import Mutation

UNMANAGED_MUTATIONS: tuple[Mutation, ...] = (
    Mutation("unmanaged", "view", "CREATE VIEW v AS SELECT id FROM users"),
    Mutation(
        "unmanaged",
        "materialized view with an index",
        "CREATE MATERIALIZED VIEW m AS SELECT id FROM users; CREATE INDEX ON m (id)",
    ),
    Mutation(
        "unmanaged", "function", "CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1'"
    ),
    Mutation("unmanaged", "procedure", "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'"),
    Mutation(
        "unmanaged",
        "trigger",
        "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    Mutation(
        "unmanaged",
        "row security and policy",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON users USING (active)",
    ),
    Mutation("unmanaged", "rule", "CREATE RULE r AS ON DELETE TO audit DO INSTEAD NOTHING"),
    Mutation("unmanaged", "grant", "GRANT SELECT ON users TO PUBLIC"),
    Mutation("unmanaged", "column grant", "GRANT SELECT (name) ON users TO PUBLIC"),
    Mutation("unmanaged", "schema grant", "GRANT USAGE ON SCHEMA billing TO PUBLIC"),
    Mutation("unmanaged", "statistics", "CREATE STATISTICS s ON artist_id, released FROM albums"),
    Mutation("unmanaged", "schema", "CREATE SCHEMA extra"),
    Mutation("unmanaged", "composite type", "CREATE TYPE pair AS (a integer, b text)"),
    Mutation("unmanaged", "replica identity", "ALTER TABLE users REPLICA IDENTITY FULL"),
    Mutation("unmanaged", "column storage", "ALTER TABLE users ALTER name SET STORAGE EXTERNAL"),
    Mutation("unmanaged", "publication", "CREATE PUBLICATION p FOR TABLE users"),
)

HARMLESS_MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "none",
        "now() as CURRENT_TIMESTAMP",
        "ALTER TABLE users ALTER created_at SET DEFAULT CURRENT_TIMESTAMP",
    ),
    Mutation(
        "none",
        "AT TIME ZONE for timezone()",
        "ALTER TABLE billing.customers ALTER since SET DEFAULT now() AT TIME ZONE 'utc'",
    ),
    Mutation("none", "0 as 0::numeric", "ALTER TABLE labels ALTER budget SET DEFAULT 0::numeric"),
    Mutation("none", "0 as '0.00'", "ALTER TABLE labels ALTER budget SET DEFAULT '0.00'"),
    Mutation("none", "0.5 as '0.5'", "ALTER TABLE contracts ALTER share SET DEFAULT '0.5'"),
    Mutation("none", "'true' for a boolean", "ALTER TABLE users ALTER active SET DEFAULT 'true'"),
    Mutation("none", "'0' for an integer", "ALTER TABLE users ALTER score SET DEFAULT '0'"),
    Mutation(
        "none", "a cast of the default's text", "ALTER TABLE albums ALTER kind SET DEFAULT 'album'::text"
    ),
    Mutation(
        "none",
        "a default kept from a text column",
        "ALTER TABLE albums ALTER kind TYPE text;"
        " ALTER TABLE albums ALTER kind SET DEFAULT 'album'; ALTER TABLE albums ALTER kind TYPE varchar(20)",
    ),
    Mutation("none", "'{}' as json for jsonb", "ALTER TABLE artists ALTER profile SET DEFAULT '{}'::json"),
    Mutation("none", "ARRAY[] for '{}'", "ALTER TABLE artists ALTER aliases SET DEFAULT ARRAY[]::text[]"),
    Mutation("none", "DEFAULT NULL", "ALTER TABLE users ALTER country SET DEFAULT NULL::char(2)"),
    Mutation(
        "none",
        "CHECK list made while the column was text",
        "ALTER TABLE albums DROP CONSTRAINT ck_albums_kind_known;"
        " ALTER TABLE albums ALTER kind TYPE text;"
        " ALTER TABLE albums ADD CONSTRAINT ck_albums_kind_known CHECK (kind IN ('album', 'single', 'ep'));"
        " ALTER TABLE albums ALTER kind TYPE varchar(20)",
    ),
    Mutation(
        "none",
        "CHECK as = ANY",
        "ALTER TABLE albums DROP CONSTRAINT ck_albums_kind_known; ALTER TABLE albums ADD"
        " CONSTRAINT ck_albums_kind_known CHECK (kind = ANY (ARRAY['album', 'single', 'ep']))",
    ),
    Mutation(
        "none",
        "CHECK in other words",
        "ALTER TABLE contracts DROP CONSTRAINT ck_contracts_share_range; ALTER TABLE contracts"
        " ADD CONSTRAINT ck_contracts_share_range CHECK (((share >= 0)) AND share <= '1'::numeric)",
    ),
    Mutation(
        "none",
        "index with explicit defaults",
        "DROP INDEX ix_labels_owner_id;"
        " CREATE INDEX ix_labels_owner_id ON public.labels USING btree (owner_id ASC NULLS LAST)",
    ),
    Mutation("none", "index rebuilt", "REINDEX TABLE users"),
    Mutation(
        "none",
        "enum swapped for one of the same name",
        "ALTER TYPE mood RENAME TO old;"
        " CREATE TYPE mood AS ENUM ('calm', 'loud', 'sad'); DROP INDEX ix_favourites_sad;"
        " ALTER TABLE favourites ALTER mood TYPE mood USING mood::text::mood;"
        " ALTER TABLE users ALTER mood DROP DEFAULT; ALTER TABLE users ALTER mood TYPE mood USING mood::text::mood;"
        " ALTER TABLE users ALTER mood SET DEFAULT 'calm'; DROP TYPE old;"
        " CREATE INDEX ix_favourites_sad ON favourites (album_id) WHERE mood = 'sad'",
    ),
    Mutation(
        "none",
        "primary key through an index",
        "ALTER TABLE favourites DROP CONSTRAINT pk_favourites;"
        " CREATE UNIQUE INDEX pk_favourites ON favourites (user_id, album_id);"
        " ALTER TABLE favourites ADD CONSTRAINT pk_favourites PRIMARY KEY USING INDEX pk_favourites",
    ),
    Mutation(
        "none",
        "column order",
        "ALTER TABLE venues DROP COLUMN address; ALTER TABLE venues ADD COLUMN address inet",
    ),
    Mutation(
        "none",
        "a new partition",
        "CREATE TABLE plays_2027 PARTITION OF plays FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    ),
    Mutation(
        "none",
        "nextval() with the schema",
        "ALTER TABLE bookings ALTER ticket SET DEFAULT nextval('public.ticket_number')",
    ),
    Mutation("none", "rows and statistics", "INSERT INTO tags (word) VALUES ('a'); ANALYZE"),
)
