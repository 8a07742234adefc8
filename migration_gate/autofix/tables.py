"""Tables made, dropped and their options changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration_gate.autofix import constraints_and_indexes
from migration_gate.autofix.columns import comment as column_comment
from migration_gate.autofix.columns import model_column
from migration_gate.autofix.render import kept, rendered, schema_of, speakable
from migration_gate.autofix.sql import executed, literal, path, table_sql
from migration_gate.autofix.state import World, is_serial, shared
from migration_gate.facts.catalog import Column, Constraint, Snapshot, Table

if TYPE_CHECKING:
    from sqlalchemy import Column as ModelColumn


def made(table: Table, world: World) -> list[str]:
    """The lines that make it, with its constraints and indexes and the foreign keys to it."""
    snapshot = world.want
    lines, left = _created(table, snapshot)
    for constraint in left:
        lines += constraints_and_indexes.made(constraint)
    for constraint in snapshot.constraints_of(table):
        if constraint not in left and constraint.comment is not None:
            lines += constraints_and_indexes.commented(constraint, constraint.comment)
    for index in snapshot.indexes_of(table):
        if index.constraint is None:
            lines += constraints_and_indexes.made(index)
    for constraint in _incoming(table, snapshot, world):
        if world.undo or not _has_twin(constraint, world.have):
            lines += constraints_and_indexes.made(constraint)
    return lines


def dropped(table: Table, world: World) -> list[str]:
    """The lines that drop it, after the foreign keys to it."""
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend

    lines: list[str] = []
    for constraint in _incoming(table, world.have, world):
        if not (world.undo and _has_twin(constraint, world.want)):
            lines += constraints_and_indexes.dropped(constraint)
    return lines + rendered(ops.DropTableOp(table.name, schema=schema_of(table.schema)))


def _has_twin(key: Constraint, other: Snapshot) -> bool:
    """Whether the other side has the foreign key as well, in other words: a difference with its own lines."""
    return any(
        (c.schema, c.table, c.kind) == (key.schema, key.table, key.kind)
        and (c.name == key.name or c.columns == key.columns)
        for c in other.constraints
    )


def _incoming(table: Table, snapshot: Snapshot, world: World) -> list[Constraint]:
    there = shared(world)
    name = f"{table.schema}.{table.name}"
    return [c for c in snapshot.constraints if c.references == name and (c.schema, c.table) in there]


def _created(table: Table, snapshot: Snapshot) -> tuple[list[str], list[Constraint]]:
    """The lines for the table alone, and the constraints that they leave out."""
    constraints = sorted(snapshot.constraints_of(table), key=lambda c: (c.kind == "foreign key", c.name))
    model = _model(table, snapshot)
    if model is None:
        lines = [executed(table_sql(table, snapshot))]
        if table.comment is not None:
            lines += commented(table, table.comment)
        for column in snapshot.columns_of(table):
            if column.comment is not None:
                lines += column_comment(column)
        return lines, constraints
    operation, said = model
    return rendered(operation), [constraint for constraint in constraints if constraint not in said]


def _model(table: Table, snapshot: Snapshot) -> tuple[Any, list[Constraint]] | None:
    """Alembic's operation for the table with the constraints it says, or None where SQL says it better."""
    import sqlalchemy as sa  # noqa: PLC0415 - only where there is something to mend
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend

    special = table.kind != "table" or table.inherits or table.options or table.persistence != "permanent"
    if special or not speakable(table.comment):
        return None
    key = next((c for c in snapshot.constraints_of(table) if c.kind == "primary key"), None)
    items: list[Any] = []
    for column in snapshot.columns_of(table):
        keyed = key is not None and column.name in key.columns
        model = model_column(column, snapshot, keyed=keyed)
        if model is None and key is not None and key.columns == (column.name,):
            model = _serial(column, snapshot)
        if model is None:
            return None
        items.append(model)
    said = [
        c
        for c in snapshot.constraints_of(table)
        if constraints_and_indexes.is_plain(c) and c.kind != "foreign key"
    ]
    for constraint in said:
        kind = sa.PrimaryKeyConstraint if constraint.kind == "primary key" else sa.UniqueConstraint
        items.append(
            kind(
                *constraint.columns,
                name=kept(constraint.name),
                **constraints_and_indexes.deferring(constraint),
            )
        )
    model_table = sa.Table(
        table.name, sa.MetaData(), *items, schema=schema_of(table.schema), comment=table.comment
    )
    return ops.CreateTableOp.from_table(model_table), said


def _serial(column: Column, snapshot: Snapshot) -> ModelColumn[Any] | None:
    """A lone integer key, of which SQLAlchemy makes a serial column by itself."""
    import sqlalchemy as sa  # noqa: PLC0415 - only where there is something to mend

    types = {"integer": sa.Integer, "bigint": sa.BigInteger, "smallint": sa.SmallInteger}
    if not is_serial(snapshot, column) or not speakable(column.comment) or column.type not in types:
        return None
    return sa.Column(column.name, types[column.type](), nullable=False, comment=column.comment)


def commented(table: Table, comment: str | None) -> list[str]:
    """The line that sets its comment."""
    said = "NULL" if comment is None else literal(comment)
    return [executed(f"COMMENT ON TABLE {path(table.schema, table.name)} IS {said}")]


def optioned(have: Table, want: Table) -> list[str]:
    """The lines that change its storage parameters, persistence and parents; none for its partitioning."""
    name = f"ALTER TABLE {path(have.schema, have.name)}"
    lines: list[str] = []
    if have.persistence != want.persistence:
        lines.append(f"{name} SET {'UNLOGGED' if want.persistence == 'unlogged' else 'LOGGED'}")
    gone = [option.partition("=")[0] for option in have.options]
    kept_ = [option.partition("=")[0] for option in want.options]
    if set(gone) - set(kept_):
        lines.append(f"{name} RESET ({', '.join(option for option in gone if option not in kept_)})")
    if set(want.options) - set(have.options):
        lines.append(f"{name} SET ({', '.join(want.options)})")
    if have.partition_bound is None and want.partition_bound is None:
        for word, parents, others in (
            ("NO INHERIT", have.inherits, want.inherits),
            ("INHERIT", want.inherits, have.inherits),
        ):
            for parent in parents:
                if parent not in others:
                    schema, _, parent_name = parent.partition(".")
                    lines.append(f"{name} {word} {path(schema, parent_name)}")
    return [executed(line) for line in lines]
