"""Sharing, uploads, exports, downloads and reviews."""

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from media_library.models.base import Base, Key


class MediaShare(Base):
    """A link that shows somebody's library to others."""

    __tablename__ = "media_shares"

    id: Mapped[Key]
    owner_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    link: Mapped[str] = mapped_column(Text)


class MediaUpload(Base):
    """An upload that has not ended."""

    __tablename__ = "media_uploads"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(BigInteger, index=True)


class MediaExport(Base):
    """An archive of somebody's library."""

    __tablename__ = "media_exports"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))


class MediaDownload(Base):
    """That a media item was downloaded."""

    __tablename__ = "media_downloads"

    id: Mapped[Key]
    media_item_id: Mapped[int] = mapped_column(BigInteger)


class MediaReview(Base):
    """What a moderator thought of a media item; no revision makes the table."""

    __tablename__ = "media_reviews"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    media_item_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("media_items.id", ondelete="CASCADE"))
    verdict: Mapped[str] = mapped_column(Text)
