"""A mapped table before and after a change, with what came of the statements for it."""

from __future__ import annotations

from dataclasses import field

from migration_gate.catalog.mapped_statements import Attempt, StatementTexts
from migration_gate.catalog.relation_shapes import RelationShape, Shapes
from migration_gate.facts import (
    Column,
    Constraint,
    MappedColumn,
    MappedTable,
    RefusalCause,
    RefusedStatement,
    RowRefusal,
    StatementKind,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name

CHECK_VIOLATION = "23514"
GENERATED_ALWAYS = "428C9"
MADE_UP = ("23503", "23505", "23P01")
"""foreign_key_violation, unique_violation, exclusion_violation: the made-up values may be to blame"""
TYPE_ERRORS = ("42804", "42846", "42704", "42883")
"""datatype_mismatch, cannot_coerce, undefined_object, undefined_function"""
DATA_EXCEPTION = "22"


@dataclass
class TriedTable:
    """A mapped table, before and after the change."""

    mapped: MappedTable
    old: RelationShape
    new: RelationShape | None
    before: Shapes
    after: Shapes
    refused: list[RefusedStatement] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    """reasons why something is not known"""
    texts: StatementTexts = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a row."""
        table = self.new.table if self.new is not None else None
        key = self.after.catalog.primary_key_of(table) if table is not None else None
        target = qualified_name(self.mapped.schema, self.mapped.name)
        self.texts = StatementTexts(target, key.columns if key is not None else ())

    @property
    def own_columns(self) -> list[MappedColumn]:
        """The columns of the models that the base has."""
        return [column for column in self.mapped.columns if column.name in self.old.columns]

    def has_other_attributes(self, type_text: str) -> bool:
        """Whether it is a composite type, and the change gives it other attributes."""
        before, after = (shapes.find_attributes(type_text) for shapes in (self.before, self.after))
        return before is not None and before != after

    def accepts_null(self, column: Column) -> bool:
        """Whether nothing at the base refuses NULL in the column: no NOT NULL, nor a CHECK that says so."""
        checks = self.before.catalog.constraints_in(self.mapped.schema, self.mapped.name)
        return column.nullable and all(check.required_column != column.name for check in checks)

    def find_new_check(self, error: RowRefusal) -> Constraint | None:
        """The CHECK that the error is about, if the base has none that says the same."""
        checks = self.after.catalog.constraints_in(self.mapped.schema, self.mapped.name)
        check = next((item for item in checks if item.name == error.constraint), None)
        if check is None:
            return None
        earlier = self.before.catalog.constraints_in(self.mapped.schema, self.mapped.name)
        return None if any(item.definition == check.definition for item in earlier) else check

    def refuse(
        self,
        cause: RefusalCause,
        kinds: tuple[StatementKind, ...],
        attempt: Attempt,
        column: str = "",
        value: str = "",
    ) -> None:
        """Keep that Postgres refuses a statement; `kinds`: all that it refuses for the same cause."""
        self.refused.append(
            RefusedStatement(
                self.mapped.schema,
                self.mapped.name,
                self.mapped.classes,
                cause,
                kinds,
                attempt.sql,
                attempt.error.message,
                column,
                value,
            )
        )

    def keep_unexplained(self, kind: str, error: RowRefusal) -> None:
        """Keep that a statement of that kind fails, which says nothing about the change."""
        self.untried.append(f"its {kind} fails ({error}), and whether it did at the base is not known")


def is_about_values(error: RowRefusal) -> bool:
    """Whether an error is about a value or its type."""
    return error.sqlstate.startswith(DATA_EXCEPTION) or error.sqlstate in TYPE_ERRORS


def is_generated(column: Column | None) -> bool:
    """Whether Postgres alone gives the column its values."""
    return column is not None and (column.generated is not None or column.identity == "always")
