"""Statements that create nothing and report success, because something else has the name."""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import revision


def _way(name: str, body: str, thing: str, *words: str, kind: str = "hidden-conflict") -> EmptyPass:
    """A second revision with this body, on the table `item (id integer, name text)`."""
    says = Says("silent-upgrade", f"two {thing}", kind, words=(*words, "revision `one`"))
    return EmptyPass(name, says=(says,), files={"two_py": revision("two", "one", body)})


NESTED = """
try:
    with op.get_bind().begin_nested():
        op.execute("{sql}")
except sa.exc.DBAPIError:
    pass
"""
WAYS = (
    _way(
        "ADD COLUMN IF NOT EXISTS over a column of another type",
        'op.execute("alter table item add column if not exists name jsonb")',
        "item.name",
        "jsonb",
    ),
    _way(
        "CREATE TABLE IF NOT EXISTS over a table with the same column names",
        'op.create_table("item", sa.Column("id", sa.UUID, primary_key=True), sa.Column("name", sa.Text),'
        " if_not_exists=True)",
        "item",
        "id uuid NOT NULL",
    ),
    _way(
        "a DO block that swallows duplicate_column",
        'op.execute("do $$ begin alter table item add name int; '
        'exception when duplicate_column then null; end $$")',
        "item.name",
        "integer",
    ),
    _way(
        "a DO block with dynamic SQL that swallows every error",
        """op.execute("do $$ begin execute 'create table item (other int)'; """
        """exception when others then null; end $$")""",
        "item",
        "other integer",
    ),
    _way(
        "IF NOT EXISTS on the driver's own cursor, between other statements",
        """
        cursor = op.get_bind().connection.cursor()
        cursor.execute("select 1; alter table item add column if not exists name bytea; select 2")
        """,
        "item.name",
        "bytea",
    ),
    _way(
        "an error about a taken name that a savepoint hides",
        NESTED.format(sql="create table item (id uuid)"),
        "item",
        "id uuid",
    ),
)
