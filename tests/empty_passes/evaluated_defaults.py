"""Defaults that both sides give as a string, so that the databases agree on one moment: that of the run."""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import MODELS, revision

MODEL = (
    MODELS.replace("import Column,", "import Column, Date, DateTime,")
    + """
    day = Column(Date, server_default="today")
    at = Column(DateTime, server_default="today")
"""
)
ADD = """
op.alter_column("item", "name", type_=sa.String(50), nullable=False)
op.add_column("item", sa.Column("date", sa.Date, server_default="today"))
op.add_column("item", sa.Column("at", sa.DateTime, server_default="today"))
op.alter_column("item", "date", new_column_name="day")
"""
WAYS = (
    EmptyPass(
        "a default that is the day of the run, in the models and in the migrations",
        says=(
            Says(
                "drift",
                "item.day",
                "default",
                words=("evaluated once", "in migrations and models", "two.py:13", "sa.text('CURRENT_DATE')"),
            ),
            Says("drift", "item.at", "default", words=("two.py:14", "server_default=sa.func.now()")),
        ),
        files={"models_py": MODEL, "two_py": revision("two", "one", ADD)},
    ),
)
