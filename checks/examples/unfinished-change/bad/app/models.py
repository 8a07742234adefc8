from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Table, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(Text)


Table(
    "events",
    Base.metadata,
    Column("id", BigInteger, nullable=False),
    Column("happened", Date, nullable=False),
    Index("events_id", "id"),
    postgresql_partition_by="RANGE (happened)",
)
