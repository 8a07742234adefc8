"""Statements that create nothing and report success, because something else has the name."""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import revision


def _way(name: str, body: str, thing: str, *words: str, kind: str = "hidden-conflict") -> EmptyPass:
    """A second revision with this body, on the table `item (id integer, name text)`."""
    says = Says("silent-upgrade", f"two {thing}", kind, words=(*words, "revision `one`"))
    return EmptyPass(name, says=(says,), files={"two_py": revision("two", "one", body)})


def _swallowed(name: str, body: str, *words: str, state: str = "22P02", severity: str = "error") -> EmptyPass:
    """A second revision whose error, which is not about a taken name, is caught."""
    says = Says("silent-upgrade", f"two {state}", "swallowed-error", severity, words)
    return EmptyPass(name, says=(says,), files={"two_py": revision("two", "one", f"{FILL}\n{body}")})


FILL = """op.execute("insert into item values (1, 'a')")"""
CAST = "alter table item alter column name type int using name::int"
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
    _swallowed(
        "a DO block that swallows every error of a statement whose name is free",
        f'op.execute("do $$ begin {CAST}; exception when others then null; end $$")',
        "invalid input syntax for type integer",
        "EXCEPTION WHEN",
    ),
    _swallowed(
        "a DO block that swallows the error of an UPDATE",
        'op.execute("do $$ begin update item set id = name::int; exception when others then null; end $$")',
        "invalid input syntax for type integer",
        "update item set id",
    ),
    _swallowed(
        "a function that swallows the error of the statement which it is given",
        f"""
op.execute('''create function attempt(command text) returns void language plpgsql as $$
begin execute command; exception when others then raise notice 'never mind'; end $$''')
op.execute("select attempt('{CAST}')")
""",
        "invalid input syntax for type integer",
    ),
    _swallowed(
        "a block that loses an earlier command to the error of a later one",
        """
op.execute("do $$ begin alter table item add price int; create table item (id int primary key, "
           "name varchar(40)); exception when duplicate_table then null; end $$")
""",
        "alter table item add price int",
        state="42P07",
    ),
    _swallowed(
        "an error that Python catches around a cursor of the driver",
        f"""
cursor = op.get_bind().connection.cursor()
cursor.execute("savepoint attempt")
try:
    cursor.execute("{CAST}")
except Exception:
    cursor.execute("rollback to savepoint attempt")
""",
        "around a cursor of the driver",
        severity="warning",
    ),
)
