"""What statements for the mapped classes name, read without configuring a mapper."""

from __future__ import annotations

import enum
from typing import Any

from sqlalchemy import (
    Column,
    Computed,
    Enum,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Sequence,
    String,
    Table,
    func,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, deferred, relationship
from sqlalchemy.types import NullType

from migration_gate.worker.env_context import EnvContext
from migration_gate.worker.mapped_tables import describe_mapped_tables
from migration_gate.worker.protocol.model_lines import MappedColumn, MappedTable


class State(enum.Enum):
    NEW = 1
    PAID = 2


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    state: Any = Column(Enum(State, name="state"), nullable=False)
    code = Column(String(9), default="x", onupdate=func.next_code("100%", "it's"))
    made = Column(String, server_default=func.now())
    number = Column(Integer, Identity(always=True))
    double = Column(Integer, Computed("id * 2"))
    note = deferred(Column(String))
    broken = relationship("NoSuchClass")


class Gift(Order):
    __tablename__ = "gifts"
    id = Column(ForeignKey("orders.id"), primary_key=True)
    ticket = Column(Integer, Sequence("tickets", schema="shop"))


class Voucher(Order):
    """In the table of orders."""

    greeting = deferred(Column(String))


unmapped = Table("links", Base.metadata, Column("order_id", NullType()), schema="shop")


def context_of(metadata: MetaData) -> EnvContext:
    """As if env.py had configured it."""
    return EnvContext({"target_metadata": metadata}, {}, "psycopg2", False, "", "public", {"shop": "tenant"})


def dialect(driver: str) -> Any:
    """SQLAlchemy's, without the driver."""
    return make_url(f"postgresql+{driver}://").get_dialect()()


def described(chosen: Any) -> dict[str, MappedTable]:
    return {table.name: table for table in describe_mapped_tables(context_of(Base.metadata), chosen)}


def column(table: MappedTable, name: str) -> MappedColumn:
    return next(item for item in table.columns if item.name == name)


def test_columns_say_which_statements_name_them() -> None:
    orders = described(dialect("psycopg2"))["orders"]
    assert (orders.schema, orders.classes) == ("public", ("Order", "Voucher"))
    sent = {item.name for item in orders.columns if item.is_inserted}
    updated = {item.name for item in orders.columns if item.is_updated}
    loaded = {item.name for item in orders.columns if item.is_loaded}
    assert sent == {"state", "code", "note", "greeting"}
    assert updated == {"state", "code", "made", "note", "greeting"}
    assert loaded == {item.name for item in orders.columns} - {"note", "greeting"}
    assert column(orders, "state").labels == ("NEW", "PAID")
    assert not column(orders, "code").may_be_null
    assert column(orders, "note").may_be_null


def test_defaults_that_the_database_evaluates_are_known_as_sql() -> None:
    tables = described(dialect("psycopg2"))
    code, ticket = column(tables["orders"], "code"), column(tables["gifts"], "ticket")
    assert (code.inserted_sql, code.updated_sql) == ("", "next_code('100%', 'it''s')")
    assert (ticket.inserted_sql, ticket.updated_sql) == ("nextval('shop.tickets')", "")
    assert ticket.is_inserted


def test_a_driver_that_casts_its_values_says_to_what() -> None:
    assert column(described(dialect("psycopg2"))["orders"], "code").cast == ""
    orders = described(dialect("asyncpg"))["orders"]
    assert [column(orders, name).cast for name in ("code", "state")] == ["VARCHAR", "state"]
    assert column(orders, "code").type == "VARCHAR(9)"


def test_each_class_has_the_columns_of_its_own_table() -> None:
    tables = described(dialect("psycopg2"))
    assert [item.name for item in tables["gifts"].columns] == ["id", "ticket"]
    assert column(tables["gifts"], "id").is_inserted
    assert (tables["links"].schema, tables["links"].classes) == ("tenant", ())
    assert column(tables["links"], "order_id").type == ""
