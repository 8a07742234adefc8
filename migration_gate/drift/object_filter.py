"""Which catalog objects are compared: not those that the project or Postgres left out of the models."""

from __future__ import annotations

from migration_gate.facts import (
    AttachedObject,
    Column,
    Constraint,
    FilteredObject,
    Grant,
    Index,
    Sequence,
    Table,
    UncreatedObject,
)
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """What is left out of a comparison."""

    hidden_tables: frozenset[str]
    """`schema.name` of tables that are not compared, and of views that have a model"""
    filtered_tables: frozenset[str]
    """`schema.name` of tables that the project's include_object or include_name leaves out"""
    hidden_schemas: frozenset[str]
    filtered_objects: frozenset[FilteredObject]
    """everything that include_object or include_name leaves out; each has a schema"""
    refused_parts: tuple[UncreatedObject, ...]
    """keys and indexes of the models that Postgres did not create"""

    def keeps(self, candidate: object) -> bool:
        """Whether the catalog object is compared."""
        match candidate:
            case Table():
                return not self.hides_table(candidate.schema, candidate.name)
            case Column() | Index() | Constraint() | AttachedObject():
                return self._keeps_part(candidate)
            case Sequence():
                return self._keeps_sequence(candidate)
            case Grant():
                return self._keeps_grant(candidate)
            case _:
                return True

    def hides_table(self, schema: str, table: str) -> bool:
        """Whether the table is left out, with all that belongs to it."""
        name = f"{schema}.{table}"
        is_hidden = name in self.hidden_tables or name in self.filtered_tables
        return is_hidden or schema in self.hidden_schemas

    def _keeps_part(self, part: Column | Index | Constraint | AttachedObject) -> bool:
        if self.hides_table(part.schema, part.table):
            return False
        if self.refused_parts and isinstance(part, Index | Constraint) and self._is_refused(part):
            return False
        return not self.filtered_objects or not self._is_filtered(part)

    def _is_refused(self, part: Index | Constraint) -> bool:
        return any(_is_counterpart(part, refused) for refused in self.refused_parts)

    def _is_filtered(self, part: Column | Index | Constraint | AttachedObject) -> bool:
        # Postgres has named a key that had no name in the models.
        columns = tuple(part.columns) if isinstance(part, Constraint) else ()
        return any(
            FilteredObject(kind, part.schema, part.table, part.name) in self.filtered_objects
            or FilteredObject(kind, part.schema, part.table, "", columns=columns) in self.filtered_objects
            for kind in _alembic_kinds(part)
        )

    def _keeps_sequence(self, sequence: Sequence) -> bool:
        if sequence.owner is not None:
            schema, table = sequence.owner.split(".", 2)[:2]
            return not self.hides_table(schema, table)
        name = sequence.full_name
        return name not in self.hidden_tables and sequence.schema not in self.hidden_schemas

    def _keeps_grant(self, grant: Grant) -> bool:
        if grant.kind not in ("table", "column"):
            return True
        schema, *rest = grant.name.split(".")
        return not rest or not self.hides_table(schema, rest[0])


def _is_counterpart(part: Index | Constraint, refused: UncreatedObject) -> bool:
    """Whether the database has the key or index that Postgres refused to create from the models."""
    if refused.table != part.full_table_name:
        return False
    if refused.name is not None and refused.name == part.name:
        return True
    if not refused.columns or refused.columns != tuple(part.columns):
        return False
    if isinstance(part, Constraint):
        return refused.kind == part.kind
    return refused.kind == "index" or (refused.kind == "unique" and part.unique)


def _alembic_kinds(part: Column | Index | Constraint | AttachedObject) -> tuple[str, ...]:
    """What Alembic calls such an object; it may call a unique constraint an index, and the reverse."""
    match part:
        case Constraint(kind="unique"):
            return ("unique_constraint", "index")
        case Constraint():
            return (f"{part.kind.replace(' ', '_')}_constraint",)
        case Index():
            return ("index", "unique_constraint")
        case Column():
            return ("column",)
        case _:
            return ()
