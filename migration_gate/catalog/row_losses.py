"""What a revision did to rows: which are gone, and which values are gone or were altered.

Rows are followed by the primary key, tables and columns by their identity; what was made anew under the same
name is the same. Values that were copied elsewhere before their column or table was dropped are not lost.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from migration_gate.catalog.kept_values import canonical_text, compare_attributes, is_contained, is_same_value
from migration_gate.catalog.moved_values import (
    FEW_VALUES,
    HeldValues,
    are_moved,
    count_values,
    list_texts,
    select_gained,
)
from migration_gate.catalog.nested_rows import are_elements_in_rows, are_rows_in_lists, list_telling_columns
from migration_gate.catalog.row_pairs import Row, TablePair, pair_rows
from migration_gate.catalog.row_state import RowState
from migration_gate.catalog.stored_rows import StoredColumn, StoredRows
from migration_gate.facts import RowChange, RowLoss

FEW_COLUMNS = 2
"""fewer are the same in two rows by chance"""
SHOWN_COLUMNS = 6
SHOWN_TEXT = 40
_TIMES = ("date", "timestamp")
_OBJECTS = ("json", "hstore")
"""types whose values have keys that are a part of the value"""
_ONE_WAY = frozenset({
    "md5", "sha224", "sha256", "sha384", "sha512", "digest", "hmac", "crypt", "hashtext", "hashtextextended",
    "row_number", "rank", "dense_rank", "ntile", "random", "gen_random_uuid", "uuid_generate_v4",
})  # fmt: skip
"""functions whose different results do not lead back to the values"""
_LEAVING = frozenset({"detach", "inherit"})
_WORD = re.compile(r"\w+")


def find_row_changes(
    before: RowState, after: RowState, tracked: Mapping[int, StoredRows], statements: Sequence[str]
) -> tuple[RowChange, ...]:
    """What became of the tracked rows of `before`.

    `statements`: SQL of the revision; they only tell whether a new column was filled from a dropped one.
    """
    return tuple(_Comparison(before, after, statements).find_changes(tracked))


def list_changed_rows(
    before: RowState, after: RowState, table: StoredRows, change: RowChange, statements: Sequence[str]
) -> list[Row]:
    """The rows of a tracked table, as objects, to which such a change has happened."""
    return list(_Comparison(before, after, statements).list_changed_rows(table, change))


class _Comparison:
    def __init__(self, before: RowState, after: RowState, statements: Sequence[str]) -> None:
        self._before = before
        self._after = after
        self._words = [set(_WORD.findall(sql.lower())) for sql in statements]
        self._gained = {
            oid: select_gained(before.tables.get(oid), table)
            for oid, table in after.tables.items()
            if table is not before.tables.get(oid)
        }

    def find_changes(self, tracked: Mapping[int, StoredRows]) -> Iterator[RowChange]:
        for oid, table in tracked.items():
            if not table.rows or self._is_untouched(oid) or self._after.is_unread(table):
                continue
            pair = self._pair_table(oid, table)
            if pair is None:
                yield from self._describe_dropped_table(table)
                continue
            pair_rows(pair)
            yield from self._describe_lost_rows(pair)
            yield from _describe_repeated_rows(pair)
            for column in table.columns:
                if not column.is_generated:
                    yield from self._describe_column(pair, column)

    def list_changed_rows(self, table: StoredRows, change: RowChange) -> Iterator[Row]:
        """The rows of the table that are lost or repeated, or whose value in the column is altered."""
        if self._is_untouched(table.oid) or self._after.is_unread(table):
            return
        pair = self._pair_table(table.oid, table)
        if pair is None:
            yield from table.rows
            return
        pair_rows(pair)
        if not change.column:
            is_repeated = change.kind == "repeated rows"
            yield from _list_repeated_rows(pair) if is_repeated else self._list_lost_rows(pair)
            return
        for own in table.columns:
            other = pair.find_column(own) if own.name == change.column else None
            if other is not None:
                held = [(row, later) for row, later in pair.rows if row.get(own.name) is not None]
                yield from (row for row, _, _ in self._list_altered(own, other, held))

    def _is_untouched(self, oid: int) -> bool:
        return oid in self._before.tables and self._after.tables.get(oid) is self._before.tables[oid]

    def _pair_table(self, oid: int, table: StoredRows) -> TablePair | None:
        if oid in self._after.tables:
            return TablePair(table, self._after.tables[oid], is_same=True)
        for new_oid, other in self._after.tables.items():
            if other.full_name == table.full_name and new_oid not in self._before.tables:
                return TablePair(table, other, is_same=False)
        return None

    # Tables and rows.

    def _describe_dropped_table(self, table: StoredRows) -> Iterator[RowChange]:
        if self._are_rows_in_lists(table):
            return
        columns = [column for column in table.columns if not column.is_generated]
        texts = list_texts(table.rows)
        kept = [
            column
            for column in columns
            if self._is_kept_elsewhere(table, column, _hold_of_table(table, texts, column))
        ]
        lost = [column for column in columns if column not in kept and not column.is_key]
        if not kept:
            yield _describe(table, "dropped table", len(table.rows), row=table.rows[0])
            return
        for column in lost:
            values = [row for row in table.rows if row.get(column.name) is not None]
            if values:
                yield _describe(table, "dropped column", len(values), column=column, row=values[0])

    def _are_rows_in_lists(self, table: StoredRows) -> bool:
        names = [column.name for column in list_telling_columns(table)]
        return any(
            gained.rows and are_rows_in_lists(table.rows, names, self._after.tables[oid].rows, gained.columns)
            for oid, gained in self._gained.items()
        )

    def _describe_lost_rows(self, pair: TablePair) -> Iterator[RowChange]:
        lost = self._list_lost_rows(pair)
        if lost:
            yield _describe(pair.before, "lost rows", len(lost), row=lost[0])

    def _list_lost_rows(self, pair: TablePair) -> list[Row]:
        return [row for row in pair.lost if not self._is_row_elsewhere(pair, row)]

    def _is_row_elsewhere(self, pair: TablePair, row: Row) -> bool:
        """Whether another table got a row with all of its values, or has left the table.

        A key of one column may be another one there.
        """
        if any(row.items() <= other.items() for table in self._list_left(pair) for other in table.rows):
            return True
        keys = [column.name for column in pair.before.columns if column.is_key]
        left_out = {column.name for column in pair.before.columns if column.is_generated}
        left_out.update(keys if len(keys) == 1 else ())
        values = _count_texts(value for name, value in row.items() if name not in left_out)
        if not values:
            return False
        return any(
            values <= _count_texts(new.values())
            for oid, gained in self._gained.items()
            if oid != pair.after.oid
            for new in gained.values
        )

    def _list_left(self, pair: TablePair) -> Iterator[StoredRows]:
        """The tables that were partitions of the table, or inherited from it, and do so no more."""
        for oid, table in self._after.tables.items():
            names = set(_WORD.findall(table.name.lower()))
            if oid != pair.after.oid and any(words & _LEAVING for words in self._naming(names)):
                yield table

    def _naming(self, names: set[str]) -> Iterator[set[str]]:
        """The words of the statements that have all of these."""
        return (words for words in self._words if names <= words)

    # Columns.

    def _describe_column(self, pair: TablePair, column: StoredColumn) -> Iterator[RowChange]:
        held = [(row, later) for row, later in pair.rows if row.get(column.name) is not None]
        if not held:
            return
        other = pair.find_column(column)
        if other is None:
            if not self._is_in_new_column(pair, column, held) and not self._is_kept_elsewhere(
                pair.before, column, _hold_of_row(pair, held, column)
            ):
                yield _describe(pair.before, "dropped column", len(held), column=column, row=held[0][0])
            return
        changed = self._list_altered(column, other, held)
        if changed:
            values = [item[1:] for item in _list_values(column, other, held)]
            kind, examples = _classify(changed, values)
            row, old, new = examples[0]
            yield _describe(pair.before, kind, len(examples), column=column, row=row, before=old, after=new)

    def _list_altered(
        self, column: StoredColumn, other: StoredColumn, held: Sequence[tuple[Row, Row]]
    ) -> list[Altered]:
        """The rows whose value is another one, or that cannot be told from others any more."""
        if other.is_generated:
            return []
        altered = [
            (row, old, new)
            for row, old, new in _list_values(column, other, held)
            if canonical_text(old) != canonical_text(new) and not self._is_time_stamp(other, new)
        ]
        return [item for item in altered if not is_same_value(*item[1:])] or _select_merged(altered)

    def _is_time_stamp(self, column: StoredColumn, value: Any) -> bool:
        """Whether it is the time of this run: of a trigger or default that notes when a row was changed."""
        if not column.type.startswith(_TIMES) or not isinstance(value, str):
            return False
        days = {str(self._after.today + timedelta(days=shift)) for shift in (-1, 0, 1)}
        return value[:10] in days

    def _is_in_new_column(
        self, pair: TablePair, column: StoredColumn, held: Sequence[tuple[Row, Row]]
    ) -> bool:
        """Whether a new column of the table holds the values, as they are or converted."""
        for other in pair.list_new_columns():
            values = [(row[column.name], later.get(other.name)) for row, later in held]
            if _are_contained(values):
                return True
            names = {column.name.lower(), other.name.lower()}
            is_filled_from = any(words.isdisjoint(_ONE_WAY) for words in self._naming(names))
            if is_filled_from and _is_reversible(values, is_full=len(held) == len(pair.rows)):
                return True
        return False

    def _is_kept_elsewhere(self, table: StoredRows, column: StoredColumn, held: HeldValues) -> bool:
        """Whether other tables got rows, or values, that hold all values of the column."""
        if not held.values:
            return False
        gained = [rows for oid, rows in self._gained.items() if oid != table.oid]
        elements = held.list_elements()
        if are_moved(held, gained) or (elements is not None and are_moved(elements, gained)):
            return True
        return any(are_elements_in_rows(table, column, rows.values) for rows in gained)


def _hold_of_row(pair: TablePair, held: Sequence[tuple[Row, Row]], column: StoredColumn) -> HeldValues:
    """The values of a column that is dropped."""
    keys = [pair.find_column(own) for own in pair.before.columns if own.is_key]
    identity = [key.name for key in keys if key is not None]
    return HeldValues(
        column.name,
        [row[column.name] for row, _ in held],
        list_texts([later for _, later in held]),
        [identity] if identity and len(identity) == len(keys) else [],
    )


def _hold_of_table(table: StoredRows, texts: Mapping[str, Sequence[str]], column: StoredColumn) -> HeldValues:
    """The values of a column whose table is dropped. Of a plain list of values nothing else has to stand.

    `texts`: all of the table's values, by the column.
    """
    places = [place for place, row in enumerate(table.rows) if row.get(column.name) is not None]
    others = {
        other.name: len(set(texts[other.name]))
        for other in list_telling_columns(table)
        if other.name != column.name
    }
    key = [other.name for other in table.columns if other.is_key and other != column]
    single = [[name] for name, number in others.items() if number >= FEW_VALUES]
    together = [name for name, number in others.items() if number > 1]
    return HeldValues(
        column.name,
        [table.rows[place][column.name] for place in places],
        {name: [own[place] for place in places] for name, own in texts.items() if name != column.name},
        [*(single or [together]), *([key] if key else [])],
    )


def _describe_repeated_rows(pair: TablePair) -> Iterator[RowChange]:
    rows = _list_repeated_rows(pair)
    if rows:
        yield _describe(pair.before, "repeated rows", len(rows), row=rows[0])


def _list_repeated_rows(pair: TablePair) -> Sequence[Row]:
    """Rows of which there are more afterwards, but for a key that only counts them.

    One row for each tenant, or the like, is none of these: a new column tells them apart.
    """
    added = len(pair.after.rows) - len(pair.before.rows)
    names = [
        (column.name, other.name)
        for column in list_telling_columns(pair.before)
        if (other := pair.find_column(column))
    ]
    if added < FEW_VALUES or len(names) < FEW_COLUMNS:
        return []
    old = Counter(canonical_text([row.get(name) for name, _ in names]) for row in pair.before.rows)
    further = [column.name for column in pair.list_new_columns() if _tells_rows_apart(pair.after, column)]
    new: Counter[str] = Counter()
    parts = Counter(
        (
            canonical_text([row.get(name) for _, name in names]),
            canonical_text([row.get(name) for name in further]),
        )
        for row in pair.after.rows
    )
    for (text, _), number in parts.items():
        new[text] = max(new[text], number)
    repeated = {text for text, number in old.items() if new[text] > number}
    if not FEW_VALUES <= len(repeated) <= added:
        return []
    return [
        row for row in pair.before.rows if canonical_text([row.get(name) for name, _ in names]) in repeated
    ]


def _tells_rows_apart(table: StoredRows, column: StoredColumn) -> bool:
    """Whether a column is more than a number of its own for each row."""
    held = count_values(table, column)
    return not column.is_generated and any(number > 1 for number in held.values())


def _count_texts(values: Iterable[Any]) -> Counter[str]:
    return Counter(canonical_text(value) for value in values if value is not None)


def _list_values(column: StoredColumn, other: StoredColumn, held: Sequence[tuple[Row, Row]]) -> list[Altered]:
    return [(row, *_compare_values(column, row[column.name], later.get(other.name))) for row, later in held]


def _compare_values(column: StoredColumn, old: Any, new: Any) -> tuple[Any, Any]:
    """Both values; of a composite type what differs, as its attributes may have other names."""
    if column.type.rpartition(".")[2].startswith(_OBJECTS):
        return old, new
    return compare_attributes(old, new)


Altered = tuple[Row, Any, Any]
"""a row before, its value, and the value after"""


def _classify(
    changed: Sequence[Altered], all_values: Sequence[tuple[Any, Any]]
) -> tuple[RowLoss, Sequence[Altered]]:
    """What the change is called, and the rows that show it."""
    emptied = [item for item in changed if item[2] is None]
    are_all_gone = len(emptied) == len(all_values) > 1
    if are_all_gone or len({canonical_text(old) for _, old, _ in emptied}) > 1:
        return "emptied values", emptied
    merged = _select_merged([item for item in changed if item[2] is not None])
    if merged:
        return "merged values", merged
    before = {canonical_text(old) for old, _ in all_values}
    after = {canonical_text(new) for _, new in all_values}
    if len(before) > 1 and len(after) == 1:
        return "merged values", changed
    return "other values", changed


def _select_merged(changed: Sequence[Altered]) -> list[Altered]:
    """The rows of which several had different values, and have the same now."""
    groups: dict[str, list[Altered]] = defaultdict(list)
    for item in changed:
        groups[canonical_text(item[2])].append(item)
    return [
        item
        for group in groups.values()
        if len({canonical_text(old) for _, old, _ in group}) > 1
        for item in group
    ]


def _are_contained(values: Sequence[tuple[Any, Any]]) -> bool:
    """Whether each value is the new one, or a part of it; what is beside different ones tells neither."""
    parts = [(old, new) for old, new in values if not is_same_value(old, new)]
    texts = {(canonical_text(old), canonical_text(new)) for old, new in parts}
    is_plain = len({new for _, new in texts}) == len(texts)
    return is_plain and all(new is not None and is_contained(old, new) for old, new in parts)


def _is_reversible(values: Sequence[tuple[Any, Any]], *, is_full: bool) -> bool:
    """Whether different values became different ones, and none became NULL.

    `is_full`: no row had NULL before. Then NULL may stand for one of two truths: no date of a deletion.
    """
    old, new = ({canonical_text(pair[side]) for pair in values} for side in (0, 1))
    both = {(canonical_text(before), canonical_text(after)) for before, after in values}
    may_be_null = is_full and all(isinstance(before, bool) for before, _ in values)
    is_complete = may_be_null or all(after is not None for _, after in values)
    return len(old) == len(new) == len(both) and is_complete


def _describe(
    table: StoredRows,
    kind: RowLoss,
    count: int,
    *,
    row: Row,
    column: StoredColumn | None = None,
    before: Any = None,
    after: Any = None,
) -> RowChange:
    value = row.get(column.name) if column is not None else None
    return RowChange(
        kind,
        table.schema,
        table.name,
        column.name if column is not None else "",
        count,
        len(table.rows),
        describe_row(table, row),
        show_value(before if before is not None else value) if column is not None else "",
        show_value(after) if column is not None and kind not in ("dropped column",) else "",
    )


def describe_row(table: StoredRows, row: Row) -> str:
    """`id=3, email=''`: its key and its first values."""
    columns = sorted(table.columns, key=lambda column: not column.is_key)
    shown = [column.name for column in columns if column.name in row][:SHOWN_COLUMNS]
    return ", ".join(f"{name}={show_value(row[name])}" for name in shown)


def show_value(value: Any) -> str:
    """As SQL would write it; long texts are cut."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, float)):
        return canonical_text(value)
    text = value if isinstance(value, str) else canonical_text(value)
    if len(text) > SHOWN_TEXT:
        return f"'{text[: SHOWN_TEXT - 10]}...{text[-3:]}' ({len(text)} characters)"
    return f"'{text}'"
