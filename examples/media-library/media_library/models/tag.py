"""Tags, shared by everybody."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from media_library.models.base import Base, Key

media_item_tags = Table(
    "media_item_tags",
    Base.metadata,
    Column("media_item_id", BigInteger, ForeignKey("media_items.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", BigInteger, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Tag(Base):
    """A word that media items are found by."""

    __tablename__ = "tags"
    __table_args__ = (CheckConstraint("name = lower(name)", name="name_lower_case"),)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(60), unique=True)
