"""Owner columns of which nothing could be proved, and that have no other finding.

`uncascaded-owner` looks at rows that are made, and whose owner is deleted.
"""

from __future__ import annotations

from migration_gate.facts import Owners
from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import revision

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    owner_id = Column(ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
"""
CREATE = """op.create_table("users", sa.Column("id", sa.Integer, primary_key=True))
op.create_table("item", sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"),
              nullable=False, index=True))
op.execute("create function refuse() returns trigger language plpgsql as 'begin raise ''closed''; end'")
op.execute("create trigger refuse before insert on item for each row execute function refuse()")"""
WAYS = (
    EmptyPass(
        "a trigger refuses every row of an owner's table",
        says=(Says("uncascaded-owner", "item.owner_id", "unproven", "note", ("closed",)),),
        files={"models_py": MODELS, "one_py": revision("one", None, CREATE), "two_py": None},
        settings={"owners": Owners(columns=("owner_id",), references="users")},
        status=0,
    ),
)
