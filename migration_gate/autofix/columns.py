"""Columns added, dropped and altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration_gate.autofix.constraints_and_indexes import Part, made
from migration_gate.autofix.render import rendered, schema_of, speakable
from migration_gate.autofix.sql import (
    column_sql,
    executed,
    identity_sql,
    literal,
    names_lost_label,
    path,
    quoted,
    sequence_options,
)
from migration_gate.autofix.sqlalchemy_types import sa_type
from migration_gate.autofix.state import World, arriving, is_serial, sequence_of, views_on
from migration_gate.drift.column_dependence import depends_on_columns as follows
from migration_gate.drift.type_names import type_without_length as base
from migration_gate.facts.catalog import Column, Constraint, Sequence, Snapshot

if TYPE_CHECKING:
    from sqlalchemy import Column as ModelColumn


def model_column(column: Column, snapshot: Snapshot, *, keyed: bool = False) -> ModelColumn[Any] | None:
    """The column as SQLAlchemy has it, or None where SQL says it better.

    SQLAlchemy would make a serial column of an integer in a primary key: `keyed` ones say that they are none.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - only where there is something to mend

    type_ = sa_type(column, snapshot)
    told = (column.default, column.generated, column.comment)
    if type_ is None or not all(speakable(text) for text in told):
        return None
    if column.identity or is_serial(snapshot, column) or (column.generated or "").startswith("virtual"):
        return None
    value: list[Any] = []
    if column.generated:
        value.append(sa.Computed(column.generated.partition(": ")[2], persisted=True))
    default = None if column.default is None else sa.text(column.default)
    return sa.Column(
        column.name,
        type_,
        *value,
        server_default=default,
        nullable=column.nullable,
        comment=column.comment,
        autoincrement=False if keyed else "auto",
    )


def added(column: Column, world: World) -> list[str]:
    """The lines that add it with all that stands on it."""
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend

    lines: list[str] = []
    if not column.nullable and not (column.default or column.generated or column.identity):
        lines += [
            f"# {column.table} may hold rows already: add the column with nullable=True, fill it,",
            "# then set NOT NULL with op.alter_column(..., nullable=False).",
        ]
    model = model_column(column, world.want)
    if model is None:
        lines.append(executed(f"ALTER TABLE {_table(column)} ADD COLUMN {column_sql(column, world.want)}"))
        if column.comment is not None:
            lines += comment(column)
    else:
        lines += rendered(ops.AddColumnOp(column.table, model, schema=schema_of(column.schema)))
    new = arriving(world, column)
    for part in _parts(world.want, column):
        needs = {name for name in new if follows(part, frozenset({name}))}
        # Once the last of them is there; what has a part of that name to replace does so with its own lines.
        if column.name in needs and column.name == (min if world.undo else max)(needs):
            replaces = not world.undo and any(_is_twin(part, other) for other in _parts(world.have, column))
            lines += () if replaces else made(part)
    return lines


def _parts(snapshot: Snapshot, column: Column) -> list[Part]:
    free = (index for index in snapshot.indexes if index.constraint is None)
    every: list[Part] = [*snapshot.constraints, *free]
    return [part for part in every if (part.schema, part.table) == (column.schema, column.table)]


def _is_twin(part: Part, other: Part) -> bool:
    kinds = [one.kind if isinstance(one, Constraint) else "index" for one in (part, other)]
    return kinds[0] == kinds[1] and (part.name == other.name or kinds[0] == "primary key")


def dropped(column: Column) -> list[str]:
    """The lines that drop it; what stands on it goes with it."""
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend

    return rendered(ops.DropColumnOp(column.table, column.name, schema=schema_of(column.schema)))


def typed(have: Column, want: Column, world: World) -> list[str]:
    """The lines that change its type, and its default with it where that would not follow."""
    lines = views_on(world, have)
    kinds = [base(side.type) for side in (have, want)]
    in_the_way = kinds[0] != kinds[1] and have.default is not None and not is_serial(world.have, have)
    if in_the_way:
        lines += _altered(have, world, server_default=False)
    using = f"{quoted(want.name)}::{want.type}"
    if kinds[0] != kinds[1] and (_is_enum(have, world.have) or _is_enum(want, world.want)):
        using = f"{quoted(want.name)}::text::{want.type}"
    new, old = sa_type(want, world.want), sa_type(have, world.have)
    if new is None or old is None or have.generated:
        collation = f" COLLATE {want.collation}" if want.collation else ""
        cast = "" if have.generated else f" USING {using}"
        lines.append(_alter(want, f"TYPE {want.type}{collation}{cast}"))
    else:
        changed = _altered(have, world, type_=new)
        changed[-1] = f"{changed[-1].removesuffix(')')}, postgresql_using={using!r})"
        lines += changed
    if in_the_way and want.default is not None and not is_serial(world.want, want):
        lines += default(None, want, world)
    return lines


def _is_enum(column: Column, snapshot: Snapshot) -> bool:
    name = column.type.removesuffix("[]")
    return any(name in (path(e.schema, e.name), f"{e.schema}.{e.name}") for e in snapshot.enums)


def nullable(have: Column, want: Column, world: World) -> list[str]:
    """The lines that let it be NULL, or forbid it."""
    lines = _altered(have, world, nullable=want.nullable)
    if want.nullable:
        return lines
    return [
        f"# Rows without a value stop this: fill {have.table}.{have.name} with an UPDATE first.",
        *lines,
    ]


def valued(have: Column, want: Column, world: World) -> list[str]:
    """The lines that change where its value comes from: default, identity, expression or serial."""
    if have.generated and not want.generated and have.generated.startswith("stored"):
        expression = [_alter(want, "DROP EXPRESSION")]
        return expression if want.default is None else expression + default(None, want, world)
    if want.generated or have.generated:
        return [
            "# Postgres cannot change this expression in place; the values are computed anew.",
            *dropped(have),
            *added(want, world),
        ]
    if have.identity and want.identity:
        return [_alter(want, f"SET GENERATED {want.identity.upper()}")]
    set_again = want.default is not None and not (world.undo and names_lost_label(want.default, world))
    lines: list[str] = []
    if have.identity:
        lines.append(_alter(have, "DROP IDENTITY"))
    elif have.default is not None and not set_again:
        lines += _altered(have, world, server_default=False)
    if set_again:
        lines += default(have, want, world)
    owned = sequence_of(world.have, have)
    if owned is not None and not have.identity and not is_serial(world.want, want):
        lines.append(executed(f"DROP SEQUENCE {path(owned.schema, owned.name)}"))
    if want.identity:
        lines.append(_alter(want, f"ADD {identity_sql(want, world.want)}"))
        lines += _counting_on(want, sequence_of(world.want, want))
    return lines


def _counting_on(column: Column, sequence: Sequence | None) -> list[str]:
    """The line that lets a new sequence go on behind the rows that the table holds."""
    if sequence is None or column.type not in ("smallint", "integer", "bigint"):
        return []
    last = f"{'max' if sequence.increment > 0 else 'min'}({quoted(column.name)}) + {sequence.increment}"
    name = literal(path(sequence.schema, sequence.name))
    value = f"coalesce({last}, {sequence.start})"
    return [executed(f"SELECT setval({name}, {value}, false) FROM {_table(column)}")]  # noqa: S608 - quoted


def default(have: Column | None, want: Column, world: World) -> list[str]:
    """The lines that set its default; a serial column's sequence is made with it."""
    lines: list[str] = []
    sequence = sequence_of(world.want, want) if is_serial(world.want, want) else None
    if sequence is not None and (have is None or have.identity or sequence_of(world.have, have) is None):
        name = path(sequence.schema, sequence.name)
        options = sequence_options(sequence)
        lines.append(
            executed(f"CREATE SEQUENCE {name} {options} OWNED BY {_table(want)}.{quoted(want.name)}")
        )
        lines += _counting_on(want, sequence)
    if want.default is not None and not speakable(want.default):
        return [*lines, _alter(want, f"SET DEFAULT {want.default}")]
    return lines + _altered(want, World(world.want, world.want), server_default=want.default)


def comment(want: Column) -> list[str]:
    """The line that sets its comment."""
    said = "NULL" if want.comment is None else literal(want.comment)
    return [executed(f"COMMENT ON COLUMN {_table(want)}.{quoted(want.name)} IS {said}")]


def _altered(column: Column, world: World, **changes: Any) -> list[str]:
    """`op.alter_column` with these changes; `server_default` is an expression, or False to drop it."""
    import sqlalchemy as sa  # noqa: PLC0415 - only where there is something to mend
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend

    options: dict[str, Any] = {}
    if "server_default" in changes:
        new = changes["server_default"]
        options["modify_server_default"] = None if new is False else sa.DefaultClause(sa.text(new))
    if "nullable" in changes:
        options["modify_nullable"] = changes["nullable"]
    else:
        options["existing_nullable"] = column.nullable
    if "type_" in changes:
        options["modify_type"] = changes["type_"]
    existing = sa_type(column, world.have)
    return rendered(
        ops.AlterColumnOp(
            column.table,
            column.name,
            schema=schema_of(column.schema),
            existing_type=existing,
            **options,
        )
    )


def _table(column: Column) -> str:
    return path(column.schema, column.table)


def _alter(column: Column, what: str) -> str:
    return executed(f"ALTER TABLE {_table(column)} ALTER COLUMN {quoted(column.name)} {what}")
