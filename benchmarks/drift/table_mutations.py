"""Single differences of keys, indexes, types, sequences and tables."""

# ruff: noqa: E501
from __future__ import annotations

from benchmarks.drift.mutation import Culprit, Mutation

TABLE_MUTATIONS: tuple[Mutation, ...] = (
    Mutation("enum", "an enum that no model uses", "CREATE TYPE unused AS ENUM ('a')"),
    Mutation("sequence", "a sequence that no model uses", "CREATE SEQUENCE extra"),
    Mutation(
        "primary key",
        "other columns",
        "ALTER TABLE favourites DROP CONSTRAINT pk_favourites;"
        " ALTER TABLE favourites ADD CONSTRAINT pk_favourites PRIMARY KEY (album_id, user_id, mood)",
    ),
    Mutation(
        "primary key",
        "columns in another order",
        "ALTER TABLE favourites DROP CONSTRAINT pk_favourites;"
        " ALTER TABLE favourites ADD CONSTRAINT pk_favourites PRIMARY KEY (album_id, user_id)",
    ),
    Mutation("foreign key", "missing", "ALTER TABLE contracts DROP CONSTRAINT fk_contracts_label_id_labels"),
    Mutation(
        "foreign key",
        "extra",
        "ALTER TABLE audit ADD CONSTRAINT fk_extra FOREIGN KEY (id) REFERENCES labels (id)",
    ),
    Mutation(
        "foreign key",
        "target changed",
        "ALTER TABLE bookings DROP CONSTRAINT fk_bookings_venue_id_venues;"
        " ALTER TABLE bookings ADD CONSTRAINT fk_bookings_venue_id_venues FOREIGN KEY (venue_id) REFERENCES tags (id)",
    ),
    Mutation(
        "foreign key",
        "ON DELETE lost",
        "ALTER TABLE labels DROP CONSTRAINT fk_labels_owner_id_users;"
        " ALTER TABLE labels ADD CONSTRAINT fk_labels_owner_id_users FOREIGN KEY (owner_id) REFERENCES users (id)",
    ),
    Mutation(
        "foreign key",
        "ON UPDATE lost and renamed",
        "ALTER TABLE artists DROP CONSTRAINT fk_artists_label_id_labels;"
        " ALTER TABLE artists ADD FOREIGN KEY (label_id) REFERENCES labels (id)",
    ),
    Mutation(
        "foreign key",
        "deferrable lost",
        "ALTER TABLE albums DROP CONSTRAINT fk_albums_artist_id_artists;"
        " ALTER TABLE albums ADD CONSTRAINT fk_albums_artist_id_artists FOREIGN KEY (artist_id) REFERENCES artists (id)",
    ),
    Mutation(
        "foreign key",
        "initially immediate",
        "ALTER TABLE albums ALTER CONSTRAINT fk_albums_artist_id_artists DEFERRABLE INITIALLY IMMEDIATE",
    ),
    Mutation(
        "foreign key",
        "not valid",
        "ALTER TABLE bookings DROP CONSTRAINT fk_bookings_venue_id_venues; ALTER TABLE bookings"
        " ADD CONSTRAINT fk_bookings_venue_id_venues FOREIGN KEY (venue_id) REFERENCES venues (id) NOT VALID",
    ),
    Mutation(
        "unique",
        "columns in another order",
        "ALTER TABLE labels DROP CONSTRAINT uq_labels_owner_id_title;"
        " ALTER TABLE labels ADD CONSTRAINT uq_labels UNIQUE (title, owner_id)",
    ),
    Mutation(
        "unique",
        "constraint and index for one unique index",
        "DROP INDEX ix_labels_slug; ALTER TABLE labels ADD CONSTRAINT uq_labels_slug UNIQUE (slug);"
        " CREATE INDEX ix_labels_slug ON labels (slug)",
    ),
    Mutation(
        "unique",
        "unique index and index for one constraint",
        "ALTER TABLE tags DROP CONSTRAINT uq_tags_word; CREATE UNIQUE INDEX ux_tags_word ON tags (word);"
        " CREATE INDEX uq_tags_word ON tags (word)",
    ),
    Mutation(
        "index", "plain for unique", "DROP INDEX ix_labels_slug; CREATE INDEX ix_labels_slug ON labels (slug)"
    ),
    Mutation("index", "beside a unique constraint", "CREATE INDEX ix_tags_word ON tags (word)"),
    Mutation("unique", "missing", "ALTER TABLE users DROP CONSTRAINT uq_users_handle"),
    Mutation("unique", "extra", "ALTER TABLE venues ADD CONSTRAINT uq_extra UNIQUE (name)"),
    Mutation(
        "unique",
        "columns changed",
        "ALTER TABLE labels DROP CONSTRAINT uq_labels_owner_id_title;"
        " ALTER TABLE labels ADD CONSTRAINT uq_labels_owner_id_title UNIQUE (title)",
    ),
    Mutation(
        "unique",
        "deferrable lost",
        "ALTER TABLE albums DROP CONSTRAINT uq_albums_artist_id_position;"
        " ALTER TABLE albums ADD CONSTRAINT uq_albums_artist_id_position UNIQUE (artist_id, position)",
    ),
    Mutation(
        "unique",
        "an index instead of the constraint",
        "ALTER TABLE tags DROP CONSTRAINT uq_tags_word; CREATE UNIQUE INDEX uq_tags_word ON tags (word)",
    ),
    Mutation("check", "missing", "ALTER TABLE users DROP CONSTRAINT ck_users_score_positive"),
    Mutation("check", "extra", "ALTER TABLE venues ADD CONSTRAINT ck_extra CHECK (latitude < 90)"),
    Mutation(
        "check",
        "expression changed",
        "ALTER TABLE tracks DROP CONSTRAINT ck_tracks_seconds_positive;"
        " ALTER TABLE tracks ADD CONSTRAINT ck_tracks_seconds_positive CHECK (seconds >= 0)",
    ),
    Mutation(
        "check",
        "list shorter",
        "ALTER TABLE albums DROP CONSTRAINT ck_albums_kind_known;"
        " ALTER TABLE albums ADD CONSTRAINT ck_albums_kind_known CHECK (kind IN ('album', 'single'))",
    ),
    Mutation(
        "check",
        "precedence changed",
        "ALTER TABLE billing.invoices DROP CONSTRAINT ck_invoices_net_below_total;"
        " ALTER TABLE billing.invoices ADD CONSTRAINT ck_invoices_net_below_total"
        " CHECK ((total >= 0 AND net IS NULL) OR net <= total)",
    ),
    Mutation(
        "check",
        "not valid",
        "ALTER TABLE contracts DROP CONSTRAINT ck_contracts_share_range;"
        " ALTER TABLE contracts ADD CONSTRAINT ck_contracts_share_range CHECK (share BETWEEN 0 AND 1) NOT VALID",
    ),
    Mutation(
        "check",
        "non-native enum's list",
        "ALTER TABLE sessions DROP CONSTRAINT ck_sessions_device;"
        " ALTER TABLE sessions ADD CONSTRAINT ck_sessions_device CHECK (device IN ('phone'))",
    ),
    Mutation("exclusion", "missing", "ALTER TABLE bookings DROP CONSTRAINT bookings_no_overlap"),
    Mutation(
        "exclusion",
        "operator changed",
        "ALTER TABLE bookings DROP CONSTRAINT bookings_no_overlap;"
        " ALTER TABLE bookings ADD CONSTRAINT bookings_no_overlap EXCLUDE USING gist (during WITH =)",
    ),
    Mutation("index", "missing", "DROP INDEX ix_labels_owner_id"),
    Mutation("index", "missing expression index", "DROP INDEX ix_users_email_lower"),
    Mutation("index", "extra", "CREATE INDEX ix_extra ON venues (name)"),
    Mutation(
        "index",
        "column order",
        "DROP INDEX ix_albums_artist_released;"
        " CREATE INDEX ix_albums_artist_released ON albums (released DESC NULLS LAST, artist_id)",
    ),
    Mutation(
        "index",
        "expression changed",
        "DROP INDEX ix_users_email_lower;"
        " CREATE UNIQUE INDEX ix_users_email_lower ON users (upper(email::text))",
    ),
    Mutation(
        "index", "WHERE lost", "DROP INDEX ix_users_alive; CREATE INDEX ix_users_alive ON users (created_at)"
    ),
    Mutation(
        "index",
        "WHERE changed",
        "DROP INDEX billing.ix_invoices_open;"
        " CREATE INDEX ix_invoices_open ON billing.invoices (due) WHERE state <> 'draft'",
    ),
    Mutation(
        "index",
        "unique lost",
        "DROP INDEX uq_contracts_current;"
        " CREATE INDEX uq_contracts_current ON contracts (label_id, artist_id) WHERE signed IS NOT NULL",
    ),
    Mutation(
        "index",
        "operator class lost",
        "DROP INDEX ix_artists_name_pattern; CREATE INDEX ix_artists_name_pattern ON artists (name)",
    ),
    Mutation(
        "index",
        "gin operator class lost",
        "DROP INDEX ix_artists_profile; CREATE INDEX ix_artists_profile ON artists USING gin (profile)",
    ),
    Mutation("index", "method changed", "DROP INDEX ix_audit_at; CREATE INDEX ix_audit_at ON audit (at)"),
    Mutation(
        "index",
        "sort order lost",
        "DROP INDEX ix_albums_artist_released;"
        " CREATE INDEX ix_albums_artist_released ON albums (artist_id, released)",
    ),
    Mutation(
        "index",
        "INCLUDE lost",
        "DROP INDEX ix_tracks_title_seconds; CREATE INDEX ix_tracks_title_seconds ON tracks (title)",
    ),
    Mutation(
        "index",
        "invalid",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_sessions_user_id'::regclass",
    ),
    Mutation("index", "missing on a partitioned table", "DROP INDEX ix_plays_user_id"),
    Mutation(
        "enum",
        "label missing",
        "ALTER TYPE billing.state RENAME TO old; CREATE TYPE billing.state AS ENUM ('draft', 'paid');"
        " DROP INDEX billing.ix_invoices_open; ALTER TABLE billing.invoices ALTER state DROP DEFAULT;"
        " ALTER TABLE billing.invoices ALTER state TYPE billing.state USING state::text::billing.state;"
        " ALTER TABLE billing.invoices ALTER state SET DEFAULT 'draft';"
        " DROP TYPE billing.old; CREATE INDEX ix_invoices_open ON billing.invoices (due) WHERE state <> 'paid'",
        culprit=1,
    ),
    Mutation("enum", "label added", "ALTER TYPE mood ADD VALUE 'angry' BEFORE 'sad'"),
    Mutation("enum", "label renamed", "ALTER TYPE mood RENAME VALUE 'loud' TO 'noisy'"),
    Mutation(
        "enum",
        "type missing",
        "ALTER TABLE billing.invoices DROP COLUMN state; DROP TYPE billing.state",
        other_culprits=(Culprit("column", 0),),
    ),
    Mutation(
        "type definition",
        "domain's CHECK changed",
        "ALTER DOMAIN email DROP CONSTRAINT email_check;"
        " ALTER DOMAIN email ADD CONSTRAINT email_check CHECK (VALUE ~ '@.')",
    ),
    Mutation("type definition", "domain NOT NULL", "ALTER DOMAIN email SET NOT NULL"),
    Mutation("type definition", "domain default", "ALTER DOMAIN email SET DEFAULT 'a@b'"),
    Mutation("sequence", "increment changed", "ALTER SEQUENCE ticket_number INCREMENT 1"),
    Mutation("sequence", "cycle", "ALTER SEQUENCE ticket_number CYCLE"),
    Mutation("sequence", "serial's increment changed", "ALTER SEQUENCE users_id_seq INCREMENT 2"),
    Mutation("sequence", "identity's increment changed", "ALTER TABLE plays ALTER id SET INCREMENT 1"),
    Mutation(
        "sequence",
        "missing",
        "ALTER TABLE bookings ALTER ticket DROP DEFAULT; DROP SEQUENCE ticket_number",
        other_culprits=(Culprit("default", 0),),
    ),
    Mutation("table", "missing", "DROP TABLE favourites"),
    Mutation("table", "missing, with foreign keys to it", "DROP TABLE venues CASCADE"),
    Mutation(
        "table", "extra", "CREATE TABLE extra (id serial PRIMARY KEY, user_id integer REFERENCES users (id))"
    ),
    Mutation("table", "renamed", "ALTER TABLE settings RENAME TO preferences"),
    Mutation("table", "in another schema", "ALTER TABLE settings SET SCHEMA billing"),
    Mutation("table option", "fillfactor lost", "ALTER TABLE tags RESET (fillfactor)"),
    Mutation("table option", "unlogged lost", "ALTER TABLE sessions SET LOGGED"),
    Mutation(
        "table option",
        "not partitioned",
        "CREATE TABLE plays2 (LIKE plays INCLUDING ALL); DROP TABLE plays;"
        " ALTER TABLE plays2 RENAME TO plays; ALTER TABLE plays RENAME CONSTRAINT plays2_pkey TO pk_plays;"
        " ALTER INDEX plays2_user_id_idx RENAME TO ix_plays_user_id;"
        " ALTER TABLE plays ADD CONSTRAINT fk_plays_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)",
        culprit=0,
    ),
    Mutation(
        "table option",
        "inherits",
        "CREATE TABLE elder (key varchar(80) NOT NULL); ALTER TABLE settings INHERIT elder",
        other_culprits=(Culprit("table", 0),),
    ),
    Mutation("name-only", "index renamed", "ALTER INDEX ix_labels_owner_id RENAME TO labels_owner_idx"),
    Mutation(
        "name-only", "unique renamed", "ALTER TABLE tags RENAME CONSTRAINT uq_tags_word TO tags_word_key"
    ),
    Mutation("name-only", "primary key renamed", "ALTER TABLE tags RENAME CONSTRAINT pk_tags TO tags_pkey"),
    Mutation(
        "name-only",
        "foreign key renamed",
        "ALTER TABLE contracts RENAME CONSTRAINT fk_contracts_label_id_labels TO c_fk",
    ),
    Mutation(
        "name-only",
        "CHECK renamed",
        "ALTER TABLE users RENAME CONSTRAINT ck_users_score_positive TO score_ok",
    ),
    Mutation("name-only", "serial's sequence renamed", "ALTER SEQUENCE users_id_seq RENAME TO people_seq"),
    Mutation(
        "quoted", "default in a quoted table", 'ALTER TABLE "Chart Entries" ALTER "Place" SET DEFAULT 1'
    ),
    Mutation(
        "quoted",
        "check changed in a quoted table",
        'ALTER TABLE "Chart Entries" DROP CONSTRAINT "ck_Chart Entries_place_positive"',
    ),
)
