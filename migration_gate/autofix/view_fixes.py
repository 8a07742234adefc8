"""Views: created and dropped, if a table of the models takes the name."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.autofix.ddl_clauses import rename_statements
from migration_gate.autofix.execute_call import execute_call, execute_calls
from migration_gate.facts import Difference, Table, View
from migration_gate.sql.identifiers import qualified_name


def create_view(view: View) -> str:
    """The line that creates it."""
    options = f" WITH ({', '.join(view.options)})" if view.options else ""
    definition = view.definition.strip().removesuffix(";")
    return execute_call(f"CREATE {_noun_and_name(view)}{options} AS {definition}")


def drop_view(view: View) -> str:
    """The line that drops it."""
    return execute_call(f"DROP {_noun_and_name(view)}")


def add_rename(difference: Difference, view: View, table: Table) -> Difference:
    """The difference with the fix that gives a table the name which a view of it has: no row goes."""
    return replace(
        difference,
        upgrade="\n".join([drop_view(view), *move_table(table, view)]),
        downgrade="\n".join([*move_table(view, table), create_view(view)]),
    )


def move_table(current: Table | View, target: Table | View) -> list[str]:
    """The lines that give the table of the first name the second name and schema."""
    return execute_calls(rename_statements("TABLE", current, target))


def _noun_and_name(view: View) -> str:
    """`MATERIALIZED VIEW public.sales`."""
    return f"{view.kind.upper()} {qualified_name(view.schema, view.name)}"
