"""Photos, videos and recordings."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from media_library.models.base import Base, Key, Moment
from media_library.models.tag import Tag, media_item_tags

if TYPE_CHECKING:
    from media_library.models.user import User


class MediaKind(enum.Enum):
    """What a media item is."""

    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    PODCAST = "podcast"


class Visibility(enum.Enum):
    """Who may see a media item."""

    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


def labels(members: type[enum.Enum]) -> list[str]:
    """The values of an enumeration, which are its labels in the database."""
    return [str(member.value) for member in members]


class MediaItem(Base):
    """One file of somebody's."""

    __tablename__ = "media_items"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_not_negative"),
        UniqueConstraint("owner_id", "title"),
        Index("ix_media_items_kind", "kind"),
        Index("ix_media_items_owner_id_created_at", "owner_id", text("created_at DESC")),
        Index(
            "ix_media_items_checksum_known",
            "checksum",
            unique=True,
            postgresql_where=text("checksum IS NOT NULL"),
        ),
    )

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[MediaKind] = mapped_column(Enum(MediaKind, name="media_kind", values_callable=labels))
    title: Mapped[str] = mapped_column(String(250))
    language: Mapped[str | None] = mapped_column(String(8))
    description: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    duration_seconds: Mapped[Decimal | None] = mapped_column(
        Numeric(9, 3), comment="of videos, recordings and podcasts"
    )
    checksum: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the file, in hexadecimal")
    visibility: Mapped[Visibility] = mapped_column(
        Enum(Visibility, name="visibility", values_callable=labels), server_default="public"
    )
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    owner: Mapped[User] = relationship(back_populates="media_items")
    tags: Mapped[list[Tag]] = relationship(secondary=media_item_tags)
