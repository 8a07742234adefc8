"""People."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from media_library.models.base import Base, Key, Moment

if TYPE_CHECKING:
    from media_library.models.collection import Collection
    from media_library.models.media import MediaItem


class User(Base):
    """Somebody with an account."""

    __tablename__ = "users"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(320), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    active: Mapped[bool] = mapped_column(server_default=true())
    created_at: Mapped[Moment]

    media_items: Mapped[list[MediaItem]] = relationship(
        back_populates="owner", cascade="all, delete-orphan", passive_deletes=True
    )
    collections: Mapped[list[Collection]] = relationship(
        back_populates="owner", cascade="all, delete-orphan", passive_deletes=True
    )
