"""What was looked for."""

from datetime import datetime

from sqlalchemy import DateTime, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The tables of this service."""


class Query(Base):
    """One search."""

    __tablename__ = "queries"

    id: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
