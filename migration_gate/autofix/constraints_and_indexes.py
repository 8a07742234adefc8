"""Constraints and indexes made and dropped."""

from __future__ import annotations

import re
from typing import Any

from migration_gate.autofix.render import kept, rendered, schema_of, speakable
from migration_gate.autofix.sql import constraint_sql, executed, index_sql, literal, path, quoted
from migration_gate.drift.expression import UnreadableExpression, print_nodes, read_tokens
from migration_gate.facts.catalog import Constraint, Index

Part = Constraint | Index

_TYPES = {
    "primary key": "primary",
    "unique": "unique",
    "foreign key": "foreignkey",
    "check": "check",
}
_INDEX = re.compile(
    r'^CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON .+? USING (?P<method>\w+) \((?P<columns>.*?)\)'
    r"(?: WHERE \((?P<where>.*)\))?$",
    re.DOTALL,
)


def made(part: Part) -> list[str]:
    """The lines that make it, with its comment."""
    lines = _constraint(part) if isinstance(part, Constraint) else _index(part)
    return lines + commented(part, part.comment) if part.comment is not None else lines


def dropped(part: Part) -> list[str]:
    """The lines that drop it."""
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend

    schema = schema_of(part.schema)
    if isinstance(part, Index):
        return rendered(ops.DropIndexOp(kept(part.name), table_name=part.table, schema=schema))
    type_ = _TYPES.get(part.kind)
    return rendered(ops.DropConstraintOp(kept(part.name), part.table, type_=type_, schema=schema))


def changed(have: Part | None, want: Part | None) -> list[str]:
    """The lines that lead from the one to the other."""
    match have, want:
        case Constraint(), Constraint() if (have.name, have.definition) == (
            want.name,
            f"{want.definition} NOT VALID",
        ):
            table = path(want.schema, want.table)
            return [executed(f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(want.name)}")]
    return [*(dropped(have) if have else ()), *(made(want) if want else ())]


def renamed(have: Part, want: Part) -> list[str]:
    """The line that gives it its other name."""
    if isinstance(have, Index):
        statement = f"ALTER INDEX {path(have.schema, have.name)} RENAME TO {quoted(want.name)}"
    else:
        table = path(have.schema, have.table)
        statement = f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(have.name)} TO {quoted(want.name)}"
    return [executed(statement)]


def commented(part: Part, comment: str | None) -> list[str]:
    """The line that sets its comment."""
    said = "NULL" if comment is None else literal(comment)
    if isinstance(part, Index):
        return [executed(f"COMMENT ON INDEX {path(part.schema, part.name)} IS {said}")]
    table = path(part.schema, part.table)
    return [executed(f"COMMENT ON CONSTRAINT {quoted(part.name)} ON {table} IS {said}")]


def deferring(constraint: Constraint) -> dict[str, Any]:
    """Deferrability as SQLAlchemy takes it."""
    if not constraint.deferrable:
        return {}
    return {"deferrable": True, **({"initially": "DEFERRED"} if constraint.deferred else {})}


def actions(constraint: Constraint) -> dict[str, Any]:
    """A foreign key's actions as SQLAlchemy takes them."""
    said = {"onupdate": constraint.on_update, "ondelete": constraint.on_delete}
    return {
        key: action.upper() for key, action in said.items() if action not in (None, "no action") and action
    }


def is_plain(constraint: Constraint) -> bool:
    """Whether SQLAlchemy's words make exactly this constraint."""
    columns = ", ".join(quoted(column) for column in constraint.columns)
    said = {
        "primary key": f"PRIMARY KEY ({columns})",
        "unique": f"UNIQUE ({columns})",
        "foreign key": _reference(constraint, columns),
    }.get(constraint.kind)
    if said is None:
        return False
    if constraint.deferrable:
        said += " DEFERRABLE INITIALLY DEFERRED" if constraint.deferred else " DEFERRABLE"
    try:
        return print_nodes(tuple(read_tokens(said))) == print_nodes(tuple(read_tokens(constraint.definition)))
    except UnreadableExpression:
        return False


def _reference(constraint: Constraint, columns: str) -> str:
    schema, _, name = (constraint.references or "").partition(".")
    others = ", ".join(quoted(column) for column in constraint.referenced_columns)
    told = f"FOREIGN KEY ({columns}) REFERENCES {path(schema, name)}({others})"
    for word, action in (("UPDATE", constraint.on_update), ("DELETE", constraint.on_delete)):
        if action not in (None, "no action"):
            told += f" ON {word} {str(action).upper()}"
    return told


def _constraint(constraint: Constraint) -> list[str]:
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend

    name, table, columns = kept(constraint.name), constraint.table, list(constraint.columns)
    schema = schema_of(constraint.schema)
    if constraint.kind == "unique" and is_plain(constraint):
        return rendered(
            ops.CreateUniqueConstraintOp(name, table, columns, schema=schema, **deferring(constraint))
        )
    if constraint.kind == "foreign key" and is_plain(constraint) and constraint.references:
        there, _, target = constraint.references.partition(".")
        return rendered(
            ops.CreateForeignKeyOp(
                name,
                table,
                target,
                columns,
                list(constraint.referenced_columns),
                source_schema=schema,
                referent_schema=schema_of(there),
                **actions(constraint),
                **deferring(constraint),
            )
        )
    return [executed(constraint_sql(constraint))]


def _index(index: Index) -> list[str]:
    from alembic.operations import ops  # noqa: PLC0415 - only where there is something to mend
    from sqlalchemy import text  # noqa: PLC0415 - only where there is something to mend

    columns = [column for column in index.columns if column is not None]
    shape = _INDEX.match(index.definition)
    plain = ", ".join(quoted(column) for column in columns)
    if shape is None or shape["columns"] != plain or len(columns) != len(index.columns):
        return [executed(index_sql(index))]
    if not speakable(shape["where"]):
        return [executed(index_sql(index))]
    options: dict[str, Any] = {}
    if shape["method"] != "btree":
        options["postgresql_using"] = shape["method"]
    if shape["where"]:
        options["postgresql_where"] = text(shape["where"])
    return rendered(
        ops.CreateIndexOp(
            kept(index.name),
            index.table,
            columns,
            schema=schema_of(index.schema),
            unique=index.unique,
            **options,
        )
    )
