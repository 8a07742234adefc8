"""Constraints and indexes that the looked-at revisions made, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from migration_gate.analysis.origin import find_origin
from migration_gate.facts import Constraint, Facts, Index, Origin, Replay, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass

INDEX_NAME = re.compile(r"^(CREATE (?:UNIQUE )?INDEX )(\S+|\"[^\"]+\")( ON )")
NOT_VALID = " NOT VALID"


@dataclass(frozen=True, slots=True)
class NewConstraint:
    """A constraint of the change."""

    constraint: Constraint
    origin: Origin


@dataclass(frozen=True, slots=True)
class NewIndex:
    """An index of the change."""

    index: Index
    origin: Origin
    twin: Index | None = None
    """another one that is the same"""


def list_judged_revisions(facts: Facts) -> frozenset[str]:
    """The observed revisions that production has yet to run."""
    observation = facts.replay.observation
    base = facts.base.history if facts.base is not None else None
    if observation.scope == "all" or base is None:
        return frozenset(observation.revisions)
    return frozenset(name for name in observation.revisions if base.find_revision(name) is None)


def _list_constraints(facts: Facts, constraints: Iterable[Constraint]) -> Iterator[NewConstraint]:
    """Those of the constraints that the judged revisions made. To find an origin takes long."""
    revisions = list_judged_revisions(facts)
    for constraint in constraints if revisions else ():
        origin = _find_addition(facts, constraint, revisions)
        if origin is not None:
            yield NewConstraint(constraint, origin)


def _list_indexes(facts: Facts, indexes: Iterable[Index]) -> Iterator[NewIndex]:
    """Those of the indexes that the judged revisions made."""
    revisions = list_judged_revisions(facts)
    for index in indexes if revisions else ():
        origin = _find_addition(facts, index, revisions)
        if origin is not None:
            yield NewIndex(index, origin)


def _find_addition(facts: Facts, part: Constraint | Index, revisions: frozenset[str]) -> Origin | None:
    """Where one of the revisions made it; None for one that they only validated, or that is older."""
    origin = find_origin(facts.replay, part, ("name",))
    if origin.revision in revisions:
        return origin
    origin = find_origin(facts.replay, part)
    return origin if origin.revision in revisions and not _stood_at_base(facts, part) else None


def _stood_at_base(facts: Facts, part: Constraint | Index) -> bool:
    base = facts.base.facts if facts.base is not None else None
    if base is None:
        return False
    catalog = base.replay.catalog
    parts = catalog.constraints if isinstance(part, Constraint) else catalog.indexes
    key = (part.schema, part.table, part.name, part.definition.removesuffix(NOT_VALID))
    return any((o.schema, o.table, o.name, o.definition.removesuffix(NOT_VALID)) == key for o in parts)


def find_unindexed_foreign_keys(facts: Facts) -> Iterator[NewConstraint]:
    """Foreign keys of the change whose columns lead no index; not those that a partition has by its parent.

    An index of the parent's is one of the partition's, too.
    """
    catalog = facts.replay.catalog
    keys = (
        key
        for key in catalog.constraints
        if key.kind == "foreign key"
        and not _is_indexed_in(catalog, key)
        and not _was_unindexed(facts, key)
        and all(_is_indexed_in(catalog, upper) for upper in _list_inherited(catalog, key))
    )
    yield from _list_constraints(facts, keys)


def _was_unindexed(facts: Facts, key: Constraint) -> bool:
    """Whether there was one over these columns at the base, without an index: the change made it anew."""
    base = facts.base.facts if facts.base is not None else None
    if base is None:
        return False
    catalog = base.replay.catalog
    place = (key.schema, key.table, key.columns)
    return any(
        (old.schema, old.table, old.columns) == place and not _is_indexed_in(catalog, old)
        for old in catalog.constraints
        if old.kind == "foreign key"
    )


def _is_indexed_in(catalog: Snapshot, key: Constraint) -> bool:
    return is_indexed(catalog.indexes_in(key.schema, key.table), key)


def is_indexed(indexes: Iterable[Index], key: Constraint) -> bool:
    """Whether an index finds a key's rows: it starts with its columns, or is unique over some of them.

    `indexes`: those of its table.
    """
    columns = set(key.columns)
    return any(
        index.valid
        and not index.partial
        and (
            set(index.columns[: len(columns)]) == columns
            or (index.unique and bool(index.columns) and columns.issuperset(index.columns))
        )
        for index in indexes
    )


def find_unvalidated_constraints(facts: Facts) -> Iterator[NewConstraint]:
    """Constraints of the change that are NOT VALID when it has run; not those that a table inherits.

    With the parent's one, Postgres validates these, too.
    """
    catalog = facts.replay.catalog
    rules = (
        rule
        for rule in catalog.constraints
        if rule.definition.endswith(NOT_VALID)
        and not any(upper.definition.endswith(NOT_VALID) for upper in _list_inherited(catalog, rule))
    )
    yield from _list_constraints(facts, rules)


def _list_inherited(catalog: Snapshot, constraint: Constraint) -> Iterator[Constraint]:
    """The constraints of parents from which a table has this one."""
    table = catalog.find_table(constraint.schema, constraint.table)
    parents = table.inherits if table is not None else ()
    for upper in catalog.constraints:
        is_named_so = (upper.kind, upper.name) == (constraint.kind, constraint.name)
        if is_named_so and f"{upper.schema}.{upper.table}" in parents:
            yield upper


def find_invalid_indexes(facts: Facts) -> Iterator[NewIndex]:
    """Indexes of the change that no query uses."""
    yield from _list_indexes(facts, (index for index in facts.replay.catalog.indexes if not index.valid))


def find_duplicate_indexes(facts: Facts) -> Iterator[NewIndex]:
    """Indexes of the change that do what another one does; not those that a partition has by its parent."""
    catalog = facts.replay.catalog
    twins = {
        (index.schema, index.name): twin
        for index in catalog.indexes
        if (twin := _find_twin(catalog, index)) is not None
    }
    copies = (index for index in catalog.indexes if (index.schema, index.name) in twins)
    items = [
        NewIndex(item.index, item.origin, twins[item.index.schema, item.index.name])
        for item in _list_indexes(facts, copies)
    ]
    known = {(f"{item.index.schema}.{item.index.table}", _without_table(item.index)) for item in items}
    for item in items:
        table = catalog.find_table(item.index.schema, item.index.table)
        parents = table.inherits if table is not None and table.partition_bound is not None else ()
        if not any((parent, _without_table(item.index)) in known for parent in parents):
            yield item


def _find_twin(catalog: Snapshot, index: Index) -> Index | None:
    for other in catalog.indexes_in(index.schema, index.table):
        if other.name != index.name and _is_covered(index, other):
            return other
    return None


def _without_table(index: Index) -> tuple[bool, str]:
    """What the indexes of a parent and of its partition have in common."""
    return index.unique, index.definition.partition(" USING ")[2]


def _is_covered(index: Index, other: Index) -> bool:
    """Whether the other index is the same, or unique and otherwise the same."""
    own, others = _without_name(index.definition), _without_name(other.definition)
    if own == others:
        return other.valid and (index.constraint is None or other.constraint is not None)
    return other.valid and index.constraint is None and own.replace("CREATE ", "CREATE UNIQUE ", 1) == others


def _without_name(definition: str) -> str:
    return INDEX_NAME.sub(r"\1\3", definition)


def find_table(replay: Replay, constraint: Constraint) -> Table | None:
    """The constraint's table."""
    return replay.catalog.find_table(constraint.schema, constraint.table)
