"""How a catalog differs from the one that a downgrade, or the upgrade after it, should have led to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import TypeAlias

from migration_gate.analysis.condition_texts import without_casts
from migration_gate.facts import (
    AttachedObject,
    CatalogObject,
    Column,
    Constraint,
    EnumType,
    Extension,
    Grant,
    Index,
    NamedType,
    OtherObject,
    RollbackDifference,
    Routine,
    Schema,
    Sequence,
    Table,
    View,
    display_name,
)
from migration_gate.sql.literals import quote_literal

ObjectKey: TypeAlias = tuple[str, ...]
"""what identifies an object in two catalogs of one database"""
_NOUNS: Mapping[type, str] = {
    Schema: "schema",
    Extension: "extension",
    Table: "table",
    Column: "column",
    Index: "index",
    EnumType: "enum type",
    Sequence: "sequence",
    Grant: "privileges",
}
_NOT_VALID = " NOT VALID"
_IDENTITY = ("schema", "table", "name", "signature", "kind")
"""fields that tell objects of one noun apart"""
_FIELD_WORDS = {"partition_key": "partition key", "row_security": "row security", "on_delete": "on delete"}


def find_round_trip_differences(
    expected: frozenset[CatalogObject], found: frozenset[CatalogObject]
) -> tuple[RollbackDifference, ...]:
    """Every object that differs; not the parts of a table that is there, or missing, as a whole.

    Labels of an enum that are still there are no difference: Postgres cannot remove one. Nor is a constraint
    that was NOT VALID and is validated now. Nor are the casts that Postgres adds to a rule where a column
    gets another type, and leaves there when that one comes back.
    """
    before = {_identify(item): item for item in expected - found}
    after = {_identify(item): item for item in found - expected}
    whole_tables = _list_whole_tables(before, after)
    differences = []
    for key in sorted({*before, *after}, key=repr):
        pair = (before.get(key), after.get(key))
        item = pair[0] or pair[1]
        assert item is not None  # noqa: S101 - one of them has the key
        if _belongs_to(item, whole_tables) or _may_stay(*pair) or _is_same_rule(*pair):
            continue
        differences.append(_describe_pair(*pair))
    return tuple(_drop_implied(differences, (*before.values(), *after.values())))


def may_all_stay(removed: Collection[CatalogObject], added: Collection[CatalogObject]) -> bool:
    """Whether all that changed is that enum types got labels, and constraints were validated."""
    before = {_identify(item): item for item in removed}
    after = {_identify(item): item for item in added}
    return bool(after) and all(_may_stay(before.get(key), after.get(key)) for key in {*before, *after})


def _may_stay(before: CatalogObject | None, after: CatalogObject | None) -> bool:
    """Whether no downgrade has to undo this, or can."""
    return _only_adds_labels(before, after) or _only_validates(before, after)


def _only_validates(before: CatalogObject | None, after: CatalogObject | None) -> bool:
    """The rule was in force for all that is written before, and asks nothing more of the older release."""
    if not isinstance(before, Constraint) or not isinstance(after, Constraint) or before.validated:
        return False
    definition = before.definition.removesuffix(_NOT_VALID)
    return replace(before, validated=True, definition=definition) == after


def _only_adds_labels(before: CatalogObject | None, after: CatalogObject | None) -> bool:
    if not isinstance(before, EnumType) or not isinstance(after, EnumType):
        return False
    kept = tuple(label for label in after.labels if label in before.labels)
    return kept == before.labels and before.comment == after.comment


def _is_same_rule(before: CatalogObject | None, after: CatalogObject | None) -> bool:
    if isinstance(before, Constraint) and isinstance(after, Constraint):
        return _remove_casts(before) == _remove_casts(after)
    if isinstance(before, Index) and isinstance(after, Index):
        return _remove_casts(before) == _remove_casts(after)
    return False


def _remove_casts(rule: Constraint | Index) -> Constraint | Index:
    return replace(rule, definition=without_casts(rule.definition))


def _identify(item: CatalogObject) -> ObjectKey:
    kind = type(item).__name__
    return (kind, *(str(getattr(item, name)) for name in _IDENTITY if hasattr(item, name)))


def _list_whole_tables(
    before: Mapping[ObjectKey, CatalogObject], after: Mapping[ObjectKey, CatalogObject]
) -> frozenset[str]:
    """`schema.name` of the tables and views that only one side has."""
    return frozenset(
        item.full_name
        for key, item in (*before.items(), *after.items())
        if isinstance(item, Table | View) and (key in before) != (key in after)
    )


def _belongs_to(item: CatalogObject, tables: frozenset[str]) -> bool:
    if isinstance(item, Column | Constraint | Index | AttachedObject):
        return item.full_table_name in tables
    if isinstance(item, Sequence):
        return (item.owner or "").rpartition(".")[0] in tables
    if isinstance(item, Grant):
        return item.name in tables or (item.kind == "column" and item.name.rpartition(".")[0] in tables)
    if isinstance(item, OtherObject):
        return item.name in tables or item.name.rpartition(".")[0] in tables
    return False


def _drop_implied(
    differences: Iterable[RollbackDifference], items: Collection[CatalogObject]
) -> Iterator[RollbackDifference]:
    """Without the indexes of constraints, NOT NULL of columns and the like, which come with another one."""
    holders = {
        (type(item), f"{item.full_table_name}.{item.name}")
        for item in items
        if isinstance(item, Constraint | Column)
    }
    implied = {_name_object(item) for item in items if _find_holder(item) in holders}
    nouns = {"index", "not null constraint", "sequence"}
    for difference in differences:
        if not (difference.noun in nouns and difference.object in implied):
            yield difference


def _find_holder(item: CatalogObject) -> tuple[type, str] | None:
    """The constraint, or the column, with which it comes and goes: its type and `schema.table.name`."""
    match item:
        case Index(constraint=str(constraint)):
            return Constraint, f"{item.full_table_name}.{constraint}"
        case Constraint(kind="not null", columns=(column,)):
            return Column, f"{item.full_table_name}.{column}"
        case Sequence(owner=str(column)):
            return Column, column
        case _:
            return None


# Objects as text.


def _describe_pair(before: CatalogObject | None, after: CatalogObject | None) -> RollbackDifference:
    item = before or after
    assert item is not None  # noqa: S101 - a pair has one
    if before is None or after is None:
        expected = None if before is None else describe_object(before)
        found = None if after is None else describe_object(after)
        return RollbackDifference(find_noun(item), _name_object(item), expected, found)
    expected, found = describe_object(before), describe_object(after)
    if expected == found or isinstance(before, Table | Index | Sequence | View):
        expected, found = _describe_fields(before, after)
    return RollbackDifference(find_noun(item), _name_object(item), expected, found)


def _name_object(item: CatalogObject) -> str:
    if isinstance(item, Constraint) and item.kind == "not null":
        return f"{display_name(item.schema, item.table)}.{', '.join(item.columns)}"
    return str(item)


def find_noun(item: CatalogObject) -> str:
    """What it is: table, unique constraint, function, trigger..."""
    if isinstance(item, Constraint):
        return item.kind if item.kind in ("primary key", "foreign key") else f"{item.kind} constraint"
    if isinstance(item, NamedType):
        return "domain" if item.kind == "domain" else f"{item.kind} type"
    if isinstance(item, Routine | View | AttachedObject | OtherObject):
        return item.kind
    return _NOUNS[type(item)]


def describe_object(item: CatalogObject) -> str:
    """Its definition, or else what it consists of, on as few lines as it has."""
    match item:
        case Column():
            text = _describe_column(item)
        case EnumType():
            text = f"({', '.join(map(quote_literal, item.labels))})"
        case Grant():
            text = ", ".join(item.acl)
        case Table() | Schema():
            text = find_noun(item)
        case Extension():
            text = f"version {item.version} in {item.schema}"
        case Sequence():
            text = f"AS {item.type} START {item.start} INCREMENT {item.increment}"
        case _:
            text = item.definition
    return text


def _describe_column(column: Column) -> str:
    parts = [column.type]
    if column.collation:
        parts.append(f"COLLATE {column.collation}")
    if column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if column.identity:
        parts.append(f"GENERATED {column.identity.upper()} AS IDENTITY")
    if column.generated:
        parts.append(f"GENERATED ({column.generated})")
    if not column.nullable:
        parts.append("NOT NULL")
    return " ".join(parts)


def _describe_fields(before: CatalogObject, after: CatalogObject) -> tuple[str, str]:
    """Only the fields that differ."""
    names = [
        fact_field.name
        for fact_field in fields(before)
        if getattr(before, fact_field.name) != getattr(after, fact_field.name)
    ]
    if names == ["definition"]:
        return str(getattr(before, "definition", "")), str(getattr(after, "definition", ""))
    sides = [
        "; ".join(f"{_field_words(name)} {_show(getattr(item, name))}" for name in names)
        for item in (before, after)
    ]
    return sides[0], sides[1]


def _field_words(name: str) -> str:
    return _FIELD_WORDS.get(name, name.replace("_", " "))


def _show(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return quote_literal(value) if isinstance(value, str) else str(value)
