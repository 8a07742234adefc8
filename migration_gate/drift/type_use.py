"""Whether an enum or a sequence that the models do not define is in use all the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Literal, TypeVar

from migration_gate.drift.difference import CatalogDifference, make_described_difference
from migration_gate.drift.object_pairs import ObjectT
from migration_gate.facts import EnumType, NamedType, Sequence, Snapshot
from migration_gate.sql.identifiers import quote_identifier

ItemT = TypeVar("ItemT", EnumType, Sequence)


def is_used(item: EnumType | Sequence, database: Snapshot, models: Snapshot) -> bool:
    """Whether a column of the models, a function, another type or a view of the database names it.

    A name is looked for in what Postgres prints; the same word in a text counts as well.
    """
    names = {re.escape(name) for name in (item.name, quote_identifier(item.name))}
    word = re.compile(rf"(?<![\w$])(?:{'|'.join(sorted(names))})(?![\w$])")
    return any(word.search(text) for text in _printed_texts(database, models))


def make_unmodelled_difference(
    kind: Literal["enum", "sequence"],
    item: ObjectT,
    describe: Callable[[ObjectT], str],
    *,
    has_users: bool,
) -> CatalogDifference:
    """The difference of what no model defines: left behind, or used by what models cannot express."""
    noun = kind if has_users else ""
    return make_described_difference(
        "unmanaged" if has_users else kind, item, None, describe, object_noun=noun
    )


def without_leftovers(models: Snapshot, replayed: Snapshot) -> Snapshot:
    """The models' side without the enums and sequences that it only copied, and that nothing uses there.

    They are leftovers of the migrations; after a fix that drops them, they would be missing otherwise.
    """
    return replace(
        models,
        enums=tuple(_keep_used(models.enums, replayed.enums, replayed, models)),
        sequences=tuple(_keep_used(models.sequences, replayed.sequences, replayed, models)),
    )


def with_earlier_types(models: Snapshot, later: Iterable[NamedType], earlier: Snapshot) -> Snapshot:
    """The models' side of an earlier state, if its database is a copy of a later one, which has these types.

    Of domains, composites and ranges, what it only copied is as it was then.
    """
    copied = {item.oid for item in later}
    own = [item for item in models.types if item.oid not in copied]
    names = {item.full_name for item in own}
    return replace(models, types=(*own, *(item for item in earlier.types if item.full_name not in names)))


def _keep_used(
    items: Iterable[ItemT], replayed_items: Iterable[ItemT], replayed: Snapshot, models: Snapshot
) -> Iterator[ItemT]:
    oids = {item.oid for item in replayed_items}
    for item in items:
        is_free = not isinstance(item, Sequence) or item.owner is None
        is_copy = item.oid != 0 and item.oid in oids
        if not (is_copy and is_free) or is_used(item, replayed, models):
            yield item


def _printed_texts(database: Snapshot, models: Snapshot) -> Iterator[str]:
    for column in models.columns:
        yield f"{column.type} {column.default or ''} {column.generated or ''}"
    for constraint in models.constraints:
        yield constraint.definition
    for named_type in models.types:
        yield named_type.definition
    for routine in models.routines:
        yield f"{routine.signature} {routine.definition}"
    for trigger in models.triggers:
        yield trigger.definition
    for view in database.views:
        yield view.definition
