"""Sequences: created, dropped, renamed, and their options changed."""

from __future__ import annotations

from migration_gate.autofix.ddl_clauses import rename_statements, sequence_options_clause
from migration_gate.autofix.execute_call import execute_call, execute_calls
from migration_gate.facts import DifferenceKind, Sequence
from migration_gate.sql.identifiers import qualified_name, quote_identifier


def fix_sequence(
    kind: DifferenceKind, current: Sequence | None, target: Sequence | None, *, is_downgrade: bool
) -> list[str]:
    """The lines that turn the one sequence into the other; None means that there is no such object."""
    if current is None:
        return [] if target is None else create_sequence(target)
    if target is None:
        return [execute_call(f"DROP SEQUENCE {qualified_name(current.schema, current.name)}")]
    if kind == "name-only":
        return rename_sequence(current, target)
    # It is renamed last in an upgrade, and first in a downgrade: here it has the database's name.
    return change_sequence_options(current, target, named=target if is_downgrade else current)


def create_sequence(sequence: Sequence) -> list[str]:
    """The line that creates it, for the column that it belongs to, if it does."""
    name = qualified_name(sequence.schema, sequence.name)
    owned = f" OWNED BY {_owner_name(sequence)}" if sequence.owner is not None else ""
    return [execute_call(f"CREATE SEQUENCE {name} {sequence_options_clause(sequence)}{owned}")]


def change_sequence_options(current: Sequence, target: Sequence, *, named: Sequence) -> list[str]:
    """The line that changes its options and its owner; it is called as `named` is."""
    clauses = [
        f"ALTER SEQUENCE {qualified_name(named.schema, named.name)}",
        sequence_options_clause(target, with_type=current.type != target.type),
    ]
    if current.owner != target.owner and not target.identity:
        clauses.append(f"OWNED BY {_owner_name(target)}")
    return [execute_call(" ".join(clauses))]


def _owner_name(sequence: Sequence) -> str:
    if sequence.owner is None:
        return "NONE"
    return ".".join(map(quote_identifier, sequence.owner.split(".", 2)))


def rename_sequence(current: Sequence, target: Sequence) -> list[str]:
    """The lines that move it to its other schema and give it its other name."""
    return execute_calls(rename_statements("SEQUENCE", current, target))
