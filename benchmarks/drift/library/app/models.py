"""The models: what a line is said to make, no revision made."""

import enum

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql


class Base(orm.DeclarativeBase):
    pass


class Mood(enum.Enum):
    calm = "calm"
    loud = "loud"


class Timestamped:
    created_at = orm.mapped_column(sa.DateTime(timezone=True))
    checked_at: orm.Mapped[str | None] = orm.mapped_column(sa.Text)  # makes: column members.checked_at


class Author(Base):
    __tablename__ = "authors"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.Text)
    born: orm.Mapped[str | None] = orm.mapped_column(
        sa.String(10),
    )
    email: orm.Mapped[str | None] = orm.mapped_column(sa.Text, index=True)  # makes: index ix_authors_email
    mood: orm.Mapped[Mood | None] = orm.mapped_column(sa.Enum(Mood, name="mood"))
    rank: orm.Mapped[int | None]
    code: orm.Mapped[str | None] = orm.mapped_column(sa.String(9))
    level: orm.Mapped[int | None]
    site: orm.Mapped[str | None] = orm.mapped_column(sa.Text)
    phone: orm.Mapped[str | None] = orm.mapped_column(sa.Text)  # makes: column authors.phone


class Book(Base):
    __tablename__ = "books"
    __table_args__ = (
        sa.UniqueConstraint("shelf", "place", name="uq_place"),  # makes: unique books.uq_place
        sa.CheckConstraint("pages > 0", name="ck_pages"),
        sa.CheckConstraint("place > 0", name="ck_place"),  # makes: check books.ck_place
        sa.Index("ix_shelf", "shelf"),
        sa.Index("ix_shelf_place", "shelf", sa.text("place DESC")),  # makes: index ix_shelf_place
    )

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str] = orm.mapped_column(sa.String(200))
    pages: orm.Mapped[int] = orm.mapped_column(server_default="1")
    author_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("authors.id", ondelete="CASCADE"))
    editor_id: orm.Mapped[int | None] = orm.mapped_column(
        sa.ForeignKey("authors.id"),  # makes: foreign-key books.books_editor_id_fkey
    )
    isbn: orm.Mapped[str | None] = orm.mapped_column(sa.String(13))
    shelf: orm.Mapped[str | None] = orm.mapped_column(sa.String(4))
    place: orm.Mapped[int | None]
    price: orm.Mapped[float | None] = orm.mapped_column(sa.Numeric(8, 2))
    weight: orm.Mapped[int | None]
    language: orm.Mapped[str | None] = orm.mapped_column(sa.String(2), comment="ISO 639")
    printed: orm.Mapped[str | None] = orm.mapped_column(sa.Date)


class Member(Timestamped, Base):
    __tablename__ = "members"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    email: orm.Mapped[str] = orm.mapped_column(sa.Text)
    age: orm.Mapped[int | None]
    points: orm.Mapped[int] = orm.mapped_column(server_default="0")
    since: orm.Mapped[str | None] = orm.mapped_column(sa.Date)


class Room(Base):  # makes: table rooms
    __tablename__ = "rooms"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)


class Shelf(Base):
    __tablename__ = "shelves"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    label: orm.Mapped[str | None] = orm.mapped_column(sa.Text)


loans = sa.Table(
    "loans",
    Base.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("book_id", sa.ForeignKey("books.id"), nullable=False),
    sa.Column("member_id", sa.Integer, nullable=False),
    sa.Column("days", sa.Integer),
    sa.Column("fine", sa.Numeric(6, 2)),  # makes: column loans.fine
    sa.Column("state", postgresql.ENUM("out", "back", name="loan_state", metadata=Base.metadata)),
    sa.Index("ix_loans_member", "member_id"),
)
fees = sa.Table(
    "fees",
    Base.metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("amount", sa.Numeric(6, 2), nullable=False),
    schema="money",
)
ticket = sa.Sequence("ticket_number", metadata=Base.metadata)  # makes: sequence ticket_number
visit = sa.Sequence("visit_number", start=1, metadata=Base.metadata)
