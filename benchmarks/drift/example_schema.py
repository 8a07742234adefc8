"""A record label's database as models: the kinds of objects that real schemas hold."""

from __future__ import annotations

import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Mood(enum.Enum):
    """Labels of the `mood` enum."""

    calm = "calm"
    loud = "loud"
    sad = "sad"


mood = sa.Enum(Mood, name="mood", metadata=metadata)
state = pg.ENUM("draft", "sent", "paid", name="state", schema="billing", metadata=metadata)
email = pg.DOMAIN("email", sa.Text(), check="VALUE ~ '@'", constraint_name="email_check", metadata=metadata)
ticket = sa.Sequence("ticket_number", start=1000, increment=5, metadata=metadata)
now = sa.func.now()


def make_table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    """A table of `metadata`."""
    return sa.Table(name, metadata, *parts, **options)


users = make_table(
    "users",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", email, nullable=False),
    sa.Column("handle", sa.String(64), nullable=False, unique=True, comment="shown in URLs"),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("score", sa.Integer, nullable=False, server_default="0"),
    sa.Column("mood", mood, server_default="calm"),
    sa.Column("country", sa.CHAR(2)),
    sa.Column("locale", sa.String(16, collation="C")),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    sa.Column("deleted_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("score >= 0", name="score_positive"),
    sa.Index("ix_users_email_lower", sa.text("lower((email)::text)"), unique=True),
    sa.Index("ix_users_alive", "created_at", postgresql_where=sa.text("deleted_at IS NULL")),
    comment="people",
)
labels = make_table(
    "labels",
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("title", sa.String(120), nullable=False),
    sa.Column("slug", sa.String(40), unique=True, index=True),
    sa.Column("owner_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("parent_id", sa.ForeignKey("labels.id", ondelete="SET NULL")),
    sa.Column("budget", sa.Numeric(12, 2), nullable=False, server_default="0"),
    sa.Column("tax", sa.Numeric(12, 2), sa.Computed("budget * 0.19", persisted=True)),
    sa.UniqueConstraint("owner_id", "title"),
)
artists = make_table(
    "artists",
    sa.Column("id", pg.UUID, primary_key=True, server_default=sa.func.gen_random_uuid()),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("aliases", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("profile", pg.JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("label_id", sa.BigInteger, sa.ForeignKey("labels.id", onupdate="CASCADE")),
    sa.Column("rating", sa.Float(53)),
    sa.Index("ix_artists_aliases", "aliases", postgresql_using="gin"),
    sa.Index(
        "ix_artists_profile", "profile", postgresql_using="gin", postgresql_ops={"profile": "jsonb_path_ops"}
    ),
    sa.Index("ix_artists_name_pattern", "name", postgresql_ops={"name": "varchar_pattern_ops"}),
)
albums = make_table(
    "albums",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column(
        "artist_id",
        pg.UUID,
        sa.ForeignKey("artists.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("released", sa.Date),
    sa.Column("kind", sa.String(20), nullable=False, server_default="album"),
    sa.Column("position", sa.SmallInteger),
    sa.Column("cover", sa.LargeBinary),
    sa.Column("length", sa.Interval),
    sa.CheckConstraint("kind IN ('album', 'single', 'ep')", name="kind_known"),
    sa.UniqueConstraint("artist_id", "position", deferrable=True, initially="DEFERRED"),
    sa.Index("ix_albums_artist_released", "artist_id", sa.text("released DESC NULLS LAST")),
)
tracks = make_table(
    "tracks",
    sa.Column("album_id", sa.ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column(
        "seconds", sa.Integer, sa.CheckConstraint("seconds > 0", name="seconds_positive"), nullable=False
    ),
    sa.Column("isrc", sa.String(12), unique=True),
    sa.Index("ix_tracks_title_seconds", "title", postgresql_include=["seconds"]),
)
credits_ = make_table(
    "credits",
    sa.Column("album_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("artist_id", pg.UUID, sa.ForeignKey("artists.id"), primary_key=True),
    sa.Column("role", sa.Text, nullable=False, server_default="performer"),
    sa.ForeignKeyConstraint(["album_id", "number"], ["tracks.album_id", "tracks.number"], ondelete="CASCADE"),
)
plays = make_table(
    "plays",
    sa.Column("id", sa.BigInteger, sa.Identity(start=100, increment=10), nullable=False),
    sa.Column("played_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False),
    sa.Column("payload", pg.JSON),
    sa.PrimaryKeyConstraint("id", "played_at"),
    sa.Index("ix_plays_user_id", "user_id"),
    postgresql_partition_by="RANGE (played_at)",
)
venues = make_table(
    "venues",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", pg.INET),
    sa.Column("opens", sa.Time),
    sa.Column("latitude", sa.REAL),
)
bookings = make_table(
    "bookings",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("venue_id", sa.ForeignKey("venues.id"), nullable=False),
    sa.Column("during", pg.TSTZRANGE, nullable=False),
    sa.Column("ticket", sa.Integer, ticket, server_default=ticket.next_value(), nullable=False),
    pg.ExcludeConstraint(("during", "&&"), name="bookings_no_overlap", using="gist"),
    sa.Index("ix_bookings_venue_id", "venue_id"),
)
tags = make_table(
    "tags",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("word", sa.String(50), nullable=False),
    sa.UniqueConstraint("word", name="uq_tags_word"),
    postgresql_with={"fillfactor": 70},
)
album_tags = make_table(
    "album_tags",
    sa.Column("album_id", sa.ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)
customers = make_table(
    "customers",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("vat", sa.String(20)),
    sa.Column("since", sa.DateTime, server_default=sa.text("timezone('utc', now())")),
    schema="billing",
)
invoices = make_table(
    "invoices",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("billing.customers.id"), nullable=False, index=True),
    sa.Column("state", state, nullable=False, server_default="draft"),
    sa.Column("total", sa.Numeric(10, 2), nullable=False),
    sa.Column("net", sa.Numeric(10, 2)),
    sa.Column("due", sa.Date, server_default=sa.text("(CURRENT_DATE + 14)")),
    sa.CheckConstraint("total >= 0 AND (net IS NULL OR net <= total)", name="net_below_total"),
    sa.Index("ix_invoices_open", "due", postgresql_where=sa.text("state <> 'paid'")),
    schema="billing",
)
lines = make_table(
    "lines",
    sa.Column("invoice_id", sa.ForeignKey("billing.invoices.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("amount", sa.Numeric(10, 2), nullable=False),
    sa.Column("bits", pg.BIT(8)),
    schema="billing",
)
settings = make_table(
    "settings",
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("value", pg.JSONB),
    sa.Column("flags", pg.ARRAY(sa.Integer), server_default=sa.text("ARRAY[1, 2]")),
)
audit = make_table(
    "audit",
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp()),
    sa.Column("what", sa.Text),
    sa.Column(
        "search", pg.TSVECTOR, sa.Computed("to_tsvector('simple', coalesce(what, ''))", persisted=True)
    ),
    sa.Index("ix_audit_search", "search", postgresql_using="gin"),
    sa.Index("ix_audit_at", "at", postgresql_using="brin"),
)
sessions = make_table(
    "sessions",
    sa.Column("token", pg.BYTEA, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
    sa.Column(
        "device", sa.Enum("phone", "desktop", name="device", native_enum=False, create_constraint=True)
    ),
    sa.Index("ix_sessions_user_id", "user_id", unique=False),
    prefixes=["UNLOGGED"],
)
favourites = make_table(
    "favourites",
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("album_id", sa.ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("mood", mood, nullable=False),
    sa.Index("ix_favourites_sad", "album_id", postgresql_where=sa.text("mood = 'sad'")),
)
charts = make_table(
    "Chart Entries",
    sa.Column("Week No", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("Place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("album_id", sa.ForeignKey("albums.id"), index=True),
    sa.CheckConstraint('"Place" > 0', name="place_positive"),
    sa.UniqueConstraint("Week No", "album_id", name="One album a week"),
)
contracts = make_table(
    "contracts",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("label_id", sa.BigInteger, sa.ForeignKey("labels.id"), nullable=False),
    sa.Column("artist_id", pg.UUID, sa.ForeignKey("artists.id"), nullable=False),
    sa.Column("share", sa.Numeric(5, 4), nullable=False, server_default=sa.text("0.5")),
    sa.Column("signed", pg.TIMESTAMP(timezone=True, precision=3)),
    sa.CheckConstraint("share BETWEEN 0 AND 1", name="share_range"),
    sa.Index(
        "uq_contracts_current",
        "label_id",
        "artist_id",
        unique=True,
        postgresql_where=sa.text("signed IS NOT NULL"),
    ),
)

BEFORE = ("CREATE SCHEMA billing",)
"""statements that the models need to have run before"""

AFTER = (
    "CREATE TABLE plays_2025 PARTITION OF plays FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    "CREATE TABLE plays_2026 PARTITION OF plays FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE TABLE plays_rest PARTITION OF plays DEFAULT",
    "CREATE INDEX ON plays_2026 (played_at)",
)
"""what only the database has, as it should: partitions"""
