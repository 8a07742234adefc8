"""Whether the values of a dropped column stand in other tables, and it can be told whose they were.

That the same values are there is not enough: a list of all states does not tell the state of each row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

from migration_gate.catalog.kept_values import canonical_text
from migration_gate.catalog.row_pairs import Row
from migration_gate.catalog.stored_rows import StoredColumn, StoredRows
from migration_gate.lazy_dataclass import dataclass

FEW_VALUES = 3
"""fewer different ones are in another column by chance"""
Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class GainedRows:
    """Rows that a table did not have before, or not with these values."""

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    """those that hold other values than before, or more of them"""

    @cached_property
    def texts(self) -> Mapping[str, Sequence[str]]:
        """The values of each column."""
        return list_texts(self.rows)

    @cached_property
    def distinct(self) -> Mapping[str, frozenset[str]]:
        """The different values of each column."""
        return {name: frozenset(texts) for name, texts in self.texts.items()}

    @cached_property
    def values(self) -> Sequence[Row]:
        """The rows, of which only what is new."""
        return [{name: row.get(name) for name in self.columns} for row in self.rows]


@dataclass(frozen=True)
class HeldValues:
    """The values of a column, none of them NULL, each with what else is known of its row."""

    name: str
    values: Sequence[object]
    row_texts: Mapping[str, Sequence[str]]
    """the other values of their rows, by the column; where these are still there, as they are afterwards"""
    identities: Collection[Sequence[str]]
    """columns of these rows, all of which tell whose value it is"""

    def list_elements(self) -> HeldValues | None:
        """The elements of the values, if all of them are lists."""
        if not all(isinstance(value, list) for value in self.values):
            return None
        elements = [
            (element, place)
            for place, value in enumerate(self.values)
            if isinstance(value, list)
            for element in value
            if element is not None
        ]
        rows = {name: [texts[place] for _, place in elements] for name, texts in self.row_texts.items()}
        values = [element for element, _ in elements]
        return HeldValues(self.name, values, rows, self.identities) if elements else None

    @cached_property
    def texts(self) -> Sequence[str]:
        """The values, as texts."""
        return [canonical_text(value) for value in self.values]

    @cached_property
    def pairs(self) -> Mapping[str, Pairs]:
        """What each column of the rows holds beside the value."""
        return {
            name: frozenset(zip(texts, self.texts, strict=True)) for name, texts in self.row_texts.items()
        }


def list_texts(rows: Sequence[Row]) -> Mapping[str, Sequence[str]]:
    """The values of rows that have the same columns, by the column."""
    names = rows[0] if rows else ()
    return {name: [canonical_text(row.get(name)) for row in rows] for name in names}


def select_gained(before: StoredRows | None, after: StoredRows) -> GainedRows:
    """What came to a table; columns that were added or dropped beside others moved nothing."""
    if before is None:
        return GainedRows(after.rows, tuple(column.name for column in after.columns))
    known = {canonical_text(row) for row in before.rows}
    gaining = tuple(column.name for column in after.columns if _has_gained(before, after, column))
    return GainedRows(tuple(row for row in after.rows if canonical_text(row) not in known), gaining)


def count_values(table: StoredRows, column: StoredColumn) -> Counter[str]:
    """How often each value is there."""
    return Counter(canonical_text(row.get(column.name)) for row in table.rows)


def _has_gained(before: StoredRows, after: StoredRows, column: StoredColumn) -> bool:
    old = before.find_column(column.number)
    return old is None or bool(count_values(after, column) - count_values(before, old))


def are_moved(held: HeldValues, gained: Collection[GainedRows]) -> bool:
    """Whether other tables got rows that have all of the values, each with what tells its row."""
    values = set(held.texts)
    for source, name in _list_sources(held, gained):
        if values <= source.distinct.get(name, frozenset()) and (
            _is_beside_identity(held, source, name)
            or any(_is_linked(held, source, name, links) for links in gained if links is not source)
        ):
            return True
    return False


def _list_sources(held: HeldValues, gained: Collection[GainedRows]) -> Iterator[tuple[GainedRows, str]]:
    """The columns that may have the values; a table may have been split into several."""
    has_few = len(set(held.texts)) < FEW_VALUES
    for source in gained:
        for name in source.columns:
            if name == held.name or not has_few:
                yield source, name
    parts = [source for source in gained if held.name in source.columns]
    if len(parts) > 1:
        yield GainedRows(tuple(row for part in parts for row in part.rows), (held.name,)), held.name


def _is_beside_identity(held: HeldValues, source: GainedRows, name: str) -> bool:
    """Whether the rows with the values have the key as well, or what leads to them from the row."""
    others = [_pair_columns(source, other, name) for other in source.texts if other != name]
    if any(
        all(any(held.pairs[part] <= pairs for pairs in others) for part in identity)
        for identity in held.identities
    ):
        return True
    leading = [pairs for pairs in others if len({first for first, _ in pairs}) == len(pairs)]
    return any(own <= pairs for own in held.pairs.values() for pairs in leading)


def _is_linked(held: HeldValues, source: GainedRows, name: str, links: GainedRows) -> bool:
    """Whether another table leads from each row to one with its value."""
    for identity in held.identities:
        for key in _list_keys(source, name) if len(identity) == 1 else ():
            places: dict[str, set[str]] = {}
            for place, value in _pair_columns(source, key, name):
                places.setdefault(value, set()).add(place)
            rows = held.row_texts[identity[0]]
            if any(
                all(
                    any((row, place) in pairs for place in places[value])
                    for row, value in zip(rows, held.texts, strict=True)
                )
                for pairs in _list_links(links, set(rows))
            ):
                return True
    return False


def _list_keys(source: GainedRows, name: str) -> Iterator[str]:
    """The columns by which each row can be named."""
    for other, texts in source.texts.items():
        if other != name and len(source.distinct[other]) == len(texts):
            yield other


def _list_links(links: GainedRows, rows: set[str]) -> Iterator[Pairs]:
    for first, values in links.distinct.items():
        if rows <= values:
            yield from (_pair_columns(links, first, second) for second in links.texts if second != first)


def _pair_columns(gained: GainedRows, first: str, second: str) -> Pairs:
    return frozenset(zip(gained.texts[first], gained.texts[second], strict=True))
