"""What the schema of the change refuses that the one of the live release accepts, by its catalog."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from migration_gate.analysis.condition_texts import admits_no_less, without_casts
from migration_gate.analysis.index_definitions import remove_index_name
from migration_gate.analysis.live_types import find_key, find_live_types, name_category
from migration_gate.analysis.schema_pair import SchemaPair
from migration_gate.facts import (
    CatalogObject,
    Column,
    Constraint,
    Index,
    NamedType,
    Origin,
    RefusalCause,
    Snapshot,
    Table,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import quote_identifier

RestrictionKind = Literal["not-null", "check", "unique", "foreign-key", "exclusion", "row-security"]
KINDS: tuple[RestrictionKind, ...] = (
    "not-null",
    "check",
    "unique",
    "foreign-key",
    "exclusion",
    "row-security",
)
_CONSTRAINT_KINDS: dict[str, RestrictionKind] = {
    "check": "check",
    "unique": "unique",
    "primary key": "unique",
    "foreign key": "foreign-key",
    "exclusion": "exclusion",
}

_ROW_SECURITY = r"\bENABLE\s+ROW\s+LEVEL\s+SECURITY\b"
_COUNTS_NULLS = "NULLS NOT DISTINCT"
_COLLATION = " COLLATE "
_MATCHES_WHOLE = " MATCH FULL"
_COLUMN_OR_TEXT = re.compile(r"""'(?:[^']|'')*'|::\w+|\w+\(|"(?:[^"]|"")+"|[\w$]+""")
"""a name of a column, and what may look like one: a text, a type or a function"""


@dataclass(frozen=True, slots=True)
class Restriction:
    """A rule for new rows that was not there."""

    kind: RestrictionKind
    item: CatalogObject
    definition: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class ChangedType:
    """A column whose values are something else for a program now."""

    before: Column
    after: Column
    origin: Origin


@dataclass(frozen=True, slots=True)
class ChangedComposite:
    """A composite type with other attributes, and the first column that is of it."""

    before: NamedType
    after: NamedType
    column: Column
    origin: Origin


@dataclass(frozen=True, slots=True)
class RemovedLabel:
    """A label that an enum does not have any more."""

    enum: CatalogObject
    label: str
    origin: Origin


def find_restrictions(pair: SchemaPair) -> Iterator[Restriction]:
    """The rules for columns that the live release writes; not those that a trial has shown to fail."""
    required = {new: old for old, new in pair.list_columns() if old.nullable and not new.nullable}
    for column in pair.list_origins([*required]):
        old = required[column]
        is_reported = pair.is_reported(old, RefusalCause.NULL, RefusalCause.REQUIRED_COLUMN)
        if not is_reported and not _is_required_by_check(pair, old):
            yield Restriction("not-null", column, "NOT NULL", pair.find_change(column, "nullable"))
    for before, after in pair.list_tables():
        if before.partition_bound is None:
            yield from _compare_rules(pair, before, after)
        if after.row_security and not before.row_security:
            definition = "ENABLE ROW LEVEL SECURITY"
            yield Restriction("row-security", after, definition, pair.find_statement(after, _ROW_SECURITY))


def _is_required_by_check(pair: SchemaPair, column: Column) -> bool:
    table = pair.earlier.find_table(column.schema, column.table)
    rules = pair.earlier.constraints_of(table) if table is not None else ()
    return any(rule.required_column == column.name for rule in rules)


def _compare_rules(pair: SchemaPair, before: Table, after: Table) -> Iterator[Restriction]:
    renames = find_renames(pair, before, after)
    known = {column.name for column in pair.earlier.columns_of(before)} | set(renames.values())
    rules = _list_rules(pair.earlier, before)
    old = {_definition(item) for item in rules}
    old |= {_rename_columns(definition, renames) for definition in old}
    types = {column.number: column.type for column in pair.later.columns_of(after)}
    # Postgres writes a rule anew, with other casts, for a column of another type.
    if any(
        types.get(column.number, column.type) != column.type for column in pair.earlier.columns_of(before)
    ):
        old |= {without_casts(definition) for definition in old}
    for item in _list_rules(pair.later, after):
        columns = _list_columns(item, {column.name for column in pair.later.columns_of(after)})
        kind = _find_kind(item)
        is_about_old = any(name in known for name in columns)
        if kind != "check":  # NULL in a new column satisfies it
            is_about_old = bool(columns) and all(name in known for name in columns)
        is_old = not old.isdisjoint((_definition(item), without_casts(_definition(item))))
        is_old = is_old or any(_implies(rule, item, renames, pair.later) for rule in rules)
        if is_about_old and not is_old:
            yield Restriction(kind, item, item.definition, pair.find_addition(item))


def _list_columns(item: Constraint | Index, columns: Collection[str]) -> list[str]:
    """The columns of its keys; of these columns those, too, of which an expression is made."""
    names = [name for name in item.columns if name]
    if None not in item.columns and _find_kind(item) != "exclusion":
        return names
    keys = item.definition.partition(" USING ")[2].partition(" WHERE ")[0]
    words = set(_COLUMN_OR_TEXT.findall(keys))
    return [*names, *(name for name in columns if quote_identifier(name) in words and name not in names)]


def _implies(
    rule: Constraint | Index, item: Constraint | Index, renames: Mapping[str, str], later: Snapshot
) -> bool:
    """Whether rows that keep an old rule keep this one, too, as far as columns and names tell."""
    kind = _find_kind(item)
    if kind != _find_kind(rule) or _rank_deferral(item) > _rank_deferral(rule):
        return False
    columns = {renames.get(name, name) if name else None for name in rule.columns}
    if kind == "check":
        return admits_no_less(_rename_columns(_definition(rule), renames), _definition(item))
    if kind == "unique":
        # What is unique stays so beside another column.
        return all(columns) and columns <= set(item.columns) and not _distinguishes_more(rule, item)
    if not (isinstance(rule, Constraint) and isinstance(item, Constraint)) or kind != "foreign-key":
        return False
    is_full = _MATCHES_WHOLE in item.definition and _MATCHES_WHOLE not in rule.definition
    if is_full or columns != set(item.columns):
        return False
    return _find_target(rule, renames) == _find_target(item, {}) or (
        rule.name == item.name and _leads_to_same_rows(rule, item, later)
    )


def _rank_deferral(rule: Constraint | Index) -> int:
    """When it is looked at: at the transaction's end (0), or the statement's if so wished (1), or now."""
    if isinstance(rule, Constraint) and rule.deferrable:
        return 0 if rule.deferred else 1
    return 2


def _distinguishes_more(rule: Constraint | Index, item: Constraint | Index) -> bool:
    """Whether the old rule leaves rows or values apart that the new one takes for equal."""
    is_partial = isinstance(rule, Index) and rule.partial
    return is_partial or any(
        words in item.definition and words not in rule.definition for words in (_COUNTS_NULLS, _COLLATION)
    )


def _find_target(key: Constraint, renames: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
    """The table to which a foreign key leads, and its columns by those that refer to them."""
    columns = [renames.get(name, name) for name in key.columns]
    return key.references, dict(zip(columns, key.referenced_columns, strict=False))


def _leads_to_same_rows(rule: Constraint, item: Constraint, later: Snapshot) -> bool:
    """Whether what a foreign key refers to is the same, or has another name now."""
    if rule.references != item.references:
        return all(f"{table.schema}.{table.name}" != rule.references for table in later.tables)
    known = {column.name for column in later.columns if f"{column.schema}.{column.table}" == rule.references}
    pairs = zip(rule.referenced_columns, item.referenced_columns, strict=False)
    return all(old == new or old not in known for old, new in pairs)


def _find_kind(item: Constraint | Index) -> RestrictionKind:
    return _CONSTRAINT_KINDS[item.kind] if isinstance(item, Constraint) else "unique"


def find_renames(pair: SchemaPair, before: Table, after: Table) -> dict[str, str]:
    """The new names of columns, by those that the live release writes."""
    earlier = pair.earlier.columns_of(before)
    later = {column.number: column.name for column in pair.later.columns_of(after)}
    old_names, new_names = {column.name for column in earlier}, set(later.values())
    return {
        column.name: later[column.number]
        for column in earlier
        if column.name not in new_names and later.get(column.number, column.name) not in old_names
    }


def _rename_columns(definition: str, renames: Mapping[str, str]) -> str:
    """A rule as Postgres prints it when its columns have other names."""
    names = {quote_identifier(old): quote_identifier(new) for old, new in renames.items()}
    return _COLUMN_OR_TEXT.sub(lambda match: names.get(match[0], match[0]), definition)


def _list_rules(catalog: Snapshot, table: Table) -> list[Constraint | Index]:
    constraints = [item for item in catalog.constraints_of(table) if item.kind in _CONSTRAINT_KINDS]
    indexes = [item for item in catalog.indexes_of(table) if item.unique and item.constraint is None]
    return [*constraints, *indexes]


def _definition(item: Constraint | Index) -> str:
    return remove_index_name(item.definition).removesuffix(" NOT VALID")


def find_changed_types(pair: SchemaPair) -> Iterator[ChangedType]:
    """The columns whose type is of another category for the live release's code.

    Not those that a trial has shown to fail, nor those whose new type its models have already.
    """
    live_types = find_live_types(pair.base)
    changed = {after: before for before, after in pair.list_columns() if before.type != after.type}
    for after in pair.list_origins([*changed]):
        before = changed[after]
        old = name_category(before.type, pair.earlier)
        live = name_category(live_types.get(find_key(before), before.type), pair.earlier)
        is_known = name_category(after.type, pair.later) in (old, live)
        if not is_known and not pair.is_reported(before, RefusalCause.TYPE):
            yield ChangedType(before, after, pair.find_change(after, "type"))


def find_changed_composites(pair: SchemaPair) -> Iterator[ChangedComposite]:
    """The composite types of the base's columns that have other attributes.

    Not those of a column that a trial has shown to fail.
    """
    later = {(item.schema, item.name): item for item in pair.later.types}
    for before in pair.earlier.types:
        after = later.get((before.schema, before.name))
        is_changed = after is not None and after.definition != before.definition
        if before.kind == "composite" and after is not None and is_changed:
            columns = [column for column in pair.earlier.columns if _is_of(column, before)]
            if columns and not any(pair.is_reported(column, RefusalCause.TYPE) for column in columns):
                yield ChangedComposite(before, after, columns[0], pair.find_change(after, "definition"))


def _is_of(column: Column, composite: NamedType) -> bool:
    return column.type.replace('"', "").removesuffix("[]") == composite.full_name


def find_removed_labels(pair: SchemaPair) -> Iterator[RemovedLabel]:
    """The labels that are gone; not those that a trial with a class has shown to be missing."""
    later = {(enum.schema, enum.name): enum for enum in pair.later.enums}
    reported = {
        item.value for item in pair.facts.running_code.old_code if item.cause in _LABEL_CAUSES and item.value
    }
    for enum in pair.earlier.enums:
        after = later.get((enum.schema, enum.name))
        for label in enum.labels:
            if after is not None and label not in after.labels and label not in reported:
                yield RemovedLabel(after, label, pair.find_change(after, "labels"))


_LABEL_CAUSES = (RefusalCause.LABEL, RefusalCause.VALUE)
