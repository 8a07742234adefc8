"""What unique constraints and unique indexes guarantee."""

from __future__ import annotations

from migration_gate.drift.object_pairs import ConstraintOrIndex
from migration_gate.facts import Constraint, Index
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.expression import UnreadableExpression, read_tokens

_NULLS_NOT_DISTINCT = " NULLS NOT DISTINCT"


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A guarantee that the values of some columns together occur once."""

    columns: frozenset[str]
    nulls_are_equal: bool


def uniqueness_guarantee(part: ConstraintOrIndex) -> Guarantee | None:
    """What it guarantees after each statement, by its columns alone; None if that is nothing."""
    if isinstance(part, Constraint):
        is_unique = part.kind in ("primary key", "unique") and not part.deferrable
    else:
        is_unique = part.unique and part.valid and not part.partial
    if not is_unique or not has_plain_columns(part):
        return None
    columns = frozenset(column for column in part.columns if column)
    return Guarantee(columns, _NULLS_NOT_DISTINCT in part.definition)


def has_plain_columns(part: ConstraintOrIndex) -> bool:
    """Whether it is a key or a b-tree of columns only, without orders, operator classes and INCLUDE."""
    definition = part.definition.replace(_NULLS_NOT_DISTINCT, "")
    if isinstance(part, Index):
        definition = "(" + definition.partition(" USING btree (")[2]
    try:
        tokens = read_tokens(definition[definition.find("(") :])
    except UnreadableExpression:
        return False
    words = [token.text.strip('"').replace('""', '"') for token in tokens]
    separated_columns = [word for column in part.columns for word in (",", column)]
    return words == ["(", *separated_columns[1:], ")"]
