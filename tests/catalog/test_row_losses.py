"""What became of rows and values is told from the rows before and after a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from migration_gate.catalog.kept_values import is_same_value
from migration_gate.catalog.row_losses import find_row_changes
from migration_gate.catalog.row_state import RowState, describe_unread
from migration_gate.catalog.stored_rows import StoredColumn, StoredRows

TODAY = date(2026, 5, 1)


def table(
    oid: int, name: str, rows: Sequence[Mapping[str, Any]], *, numbers: Mapping[str, int] | None = None
) -> StoredRows:
    """A table with these rows, whose key is `id`."""
    names = list(rows[0]) if rows else []
    columns = tuple(
        StoredColumn((numbers or {}).get(column, place), column, "text", False, column == "id")
        for place, column in enumerate(names, start=1)
    )
    return StoredRows(oid, "public", name, columns, tuple(rows))


def describe(
    before: Sequence[StoredRows], after: Sequence[StoredRows], *statements: str
) -> list[tuple[str, str, int]]:
    """Kind, object and number of rows of each change."""
    old, new = ({item.oid: item for item in tables} for tables in (before, after))
    changes = find_row_changes(RowState(old, TODAY), RowState(new, TODAY), old, statements)
    return [(change.kind, str(change), change.count) for change in changes]


NOTES: list[dict[str, Any]] = [{"id": number, "title": f"text {number}"} for number in range(1, 6)]
BEFORE = table(1, "notes", NOTES)


def with_titles(*titles: str | None) -> StoredRows:
    """The notes with these titles instead of their own."""
    rows = [{**row, "title": title} for row, title in zip(NOTES, titles, strict=True)]
    return table(1, "notes", rows)


def test_rows_that_are_gone_are_counted() -> None:
    assert describe([BEFORE], [table(1, "notes", NOTES[:3])]) == [("lost rows", "notes", 2)]


def test_rows_that_went_to_another_table_are_not_lost() -> None:
    archive = table(2, "archive", [{"id": 9, "title": row["title"]} for row in NOTES[3:]])
    assert describe([BEFORE], [table(1, "notes", NOTES[:3]), archive]) == []


def test_rows_with_a_key_of_several_columns_may_go_to_another_table() -> None:
    rows = [{"left": f"l{left}", "right": f"r{right}"} for left, right in ((1, 4), (2, 5), (3, 6))]
    plain = table(1, "links", rows)
    before = replace(plain, columns=tuple(replace(column, is_key=True) for column in plain.columns))
    emptied = replace(before, rows=())
    pairs = table(2, "pairs", [{"a": row["left"], "b": row["right"]} for row in rows])
    lefts = table(2, "lefts", [{"a": row["left"]} for row in rows])
    assert describe([before], [emptied, pairs]) == []
    assert describe([before], [emptied, lefts]) == [("lost rows", "links", 3)]


def test_rows_of_a_partition_that_was_detached_are_not_lost() -> None:
    partition = table(2, "notes_2024", NOTES[3:])
    assert describe([BEFORE], [table(1, "notes", NOTES[:3]), partition]) == []


def test_rows_whose_key_was_changed_are_not_lost() -> None:
    rows = [{**row, "id": row["id"] + 100} for row in NOTES]
    assert [kind for kind, _, _ in describe([BEFORE], [table(1, "notes", rows)])] == ["other values"]


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        (("a", "a", "a", "a", "a"), [("merged values", "notes.title", 5)]),
        (("a", "a", "text 3", "text 4", "text 5"), [("merged values", "notes.title", 2)]),
        ((None, None, "text 3", "text 4", "text 5"), [("emptied values", "notes.title", 2)]),
        (("T1", "T2", "T3", "T4", "T5"), [("other values", "notes.title", 5)]),
        (("a", "text 2", "text 3", "text 4", "text 5"), [("other values", "notes.title", 1)]),
        (("text 1 ", "text 2", "text 3", "text 4", "text 5"), []),
    ],
)
def test_values_are_lost_if_they_cannot_be_told_apart(
    titles: tuple[str | None, ...], expected: list[tuple[str, str, int]]
) -> None:
    assert describe([BEFORE], [with_titles(*titles)]) == expected


def test_a_dropped_column_is_lost_unless_a_new_one_has_its_values() -> None:
    numbers = {"id": 1, "name": 3}
    dropped = table(1, "notes", [{"id": row["id"]} for row in NOTES])
    copied = table(1, "notes", [{"id": row["id"], "name": row["title"]} for row in NOTES], numbers=numbers)
    converted = table(
        1, "notes", [{"id": row["id"], "name": row["title"][::-1]} for row in NOTES], numbers=numbers
    )
    assert describe([BEFORE], [dropped]) == [("dropped column", "notes.title", 5)]
    assert describe([BEFORE], [copied]) == []
    assert describe([BEFORE], [converted], "UPDATE notes SET name = reverse(title)") == []
    for statement in ("UPDATE notes SET name = 'x'", "UPDATE notes SET name = md5(title)"):
        assert describe([BEFORE], [converted], statement) == [("dropped column", "notes.title", 5)]


def test_a_dropped_table_is_lost_unless_another_one_got_its_rows() -> None:
    moved = table(2, "old_notes", [{"note": row["id"], "title": row["title"]} for row in NOTES])
    assert describe([BEFORE], []) == [("dropped table", "notes", 5)]
    assert describe([BEFORE], [moved]) == []
    assert describe([BEFORE], [table(2, "notes", NOTES)]) == []


def test_the_time_of_a_trigger_is_no_lost_value() -> None:
    columns = (
        StoredColumn(1, "id", "integer", False, True),
        StoredColumn(2, "at", "timestamp", False, False),
    )
    old = StoredRows(
        1, "public", "t", columns, tuple({"id": n, "at": f"2024-01-0{n}T00:00:00"} for n in (1, 2))
    )
    new = StoredRows(1, "public", "t", columns, tuple({"id": n, "at": "2026-05-01T10:00:00"} for n in (1, 2)))
    assert describe([old], [new]) == []


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        (5, "5", True),
        (5, 5.0, True),
        (1.25, 1, False),
        (0.1, 0.10000000149011612, True),
        (True, "t", True),
        (1, True, True),
        (1200, True, False),
        ("2024-01-01", "2024-01-01T00:00:00", True),
        ("2024-01-01T12:00:00", "2024-01-01", False),
        ("2024-01-01T12:00:00", "2024-01-01T12:00:00+00:00", True),
        ("a", ["a"], True),
        ('{"n": 1}', {"n": 1}, True),
        ("a  ", "a", True),
        ("a", None, False),
        ("long text", "long", False),
    ],
)
def test_a_cast_that_keeps_the_value_is_no_change(old: object, new: object, is_same: bool) -> None:
    assert is_same_value(old, new) is is_same


def test_of_a_table_with_too_many_rows_nothing_is_said_but_that() -> None:
    """Nor of another one that has taken its name."""
    for unread in ({1: "public.notes"}, {7: "public.notes"}):
        after = RowState({}, TODAY, unread=unread)
        assert find_row_changes(RowState({1: BEFORE}, TODAY), after, {1: BEFORE}, ()) == ()
        (note,) = describe_unread({1: BEFORE}, after, "b2")
        assert note.startswith("`notes` has more than 1000 rows after `b2`")
    assert not list(describe_unread({1: BEFORE}, RowState({1: BEFORE}, TODAY), "b2"))


def test_values_are_kept_only_where_something_was_written() -> None:
    log = table(2, "log", [{"id": row["id"], "text": row["title"]} for row in NOTES])
    with_column = table(2, "log", [{**row, "level": None} for row in log.rows])
    untitled = table(1, "notes", [{"id": row["id"]} for row in NOTES])
    assert describe([BEFORE, log], [untitled, with_column]) == [("dropped column", "notes.title", 5)]
    assert describe([BEFORE, log], [table(1, "notes", NOTES[:3]), with_column]) == [("lost rows", "notes", 2)]
    longer = table(2, "log", [{**row, "level": "a"} for row in [*log.rows, {"id": 6, "text": "text 6"}]])
    assert describe([BEFORE, longer], [untitled, log])[0] == ("dropped column", "notes.title", 5)
    filled = table(2, "log", [{**row, "title": row["text"]} for row in log.rows])
    assert describe([BEFORE, log], [untitled, filled]) == []


def test_rows_that_are_there_again_are_told() -> None:
    rows = [{**row, "text": "a"} for row in NOTES]
    again = [{**row, "id": number} for number, row in enumerate(rows, start=6)]
    others = [{**row, "text": "b"} for row in again]
    before = _with_number_key(table(1, "notes", rows))
    repeated = [("repeated rows", "notes", 5)]
    assert describe([before], [_with_number_key(table(1, "notes", [*rows, *again]))]) == repeated
    assert describe([before], [_with_number_key(table(2, "notes", [*rows, *again]))]) == repeated
    assert describe([before], [_with_number_key(table(1, "notes", [*rows, *others]))]) == []
    assert describe([before], [_with_number_key(table(1, "notes", [*rows, *again[:2]]))]) == []
    of_tenants = [{**row, "tenant": 1 + (row["id"] > 5)} for row in [*rows, *again]]
    assert describe([before], [_with_number_key(table(1, "notes", of_tenants))]) == []
    numbered = [{**row, "number": row["id"]} for row in [*rows, *again]]
    assert describe([before], [_with_number_key(table(1, "notes", numbered))]) == repeated
    keyed_by_text = [{**row, "id": f"{row['title']} again"} for row in rows]
    assert describe([table(1, "notes", rows)], [table(1, "notes", [*rows, *keyed_by_text])]) == []


def test_an_untouched_table_with_such_rows_keeps_none_of_another() -> None:
    other = table(2, "kinds", NOTES)
    left = [table(1, "notes", NOTES[:3]), other]
    assert describe([BEFORE, other], left) == [("lost rows", "notes", 2)]
    child = table(2, "long_notes", [{**row, "pages": "9"} for row in NOTES[3:]])
    left = [table(1, "notes", NOTES[:3]), child]
    assert describe([BEFORE, child], left, "ALTER TABLE long_notes NO INHERIT notes") == []
    assert describe([BEFORE, child], left, "ALTER TABLE notes DETACH PARTITION long_notes") == []
    assert describe([BEFORE, child], left, "SELECT * FROM long_notes") == [("lost rows", "notes", 2)]


def test_a_table_may_be_split_into_several() -> None:
    parts = [table(2, "odd", NOTES[:3]), table(3, "even", NOTES[3:])]
    assert describe([BEFORE], parts) == []
    assert describe([BEFORE], [parts[0]]) == [("dropped table", "notes", 5)]


def _with_number_key(rows: StoredRows) -> StoredRows:
    columns = (replace(column, type="integer") if column.is_key else column for column in rows.columns)
    return replace(rows, columns=tuple(columns))


LISTS: list[dict[str, Any]] = [
    {"id": 1, "tags": ["a", "b"]},
    {"id": 2, "tags": ["b", "c"]},
    {"id": 3, "tags": []},
    {"id": 4, "tags": None},
]
PAIRS: list[dict[str, Any]] = [
    {"post": post, "tag": tag} for post, tag in ((1, "a"), (1, "b"), (2, "b"), (2, "c"))
]


def test_elements_of_an_array_may_have_rows_of_their_own() -> None:
    before, without = table(1, "posts", LISTS), table(1, "posts", [{"id": row["id"]} for row in LISTS])
    dropped = [("dropped column", "posts.tags", 3)]
    assert describe([before], [without, table(2, "tags", PAIRS)]) == []
    assert describe([before], [without, table(2, "tags", PAIRS[1:])]) == dropped
    moved = [{**pair, "post": pair["post"] + 1} for pair in PAIRS]
    assert describe([before], [without, table(2, "tags", moved)]) == dropped
    words = table(2, "words", [{"id": f"w{word}", "word": word} for word in "abc"])
    links = table(3, "links", [{"post": pair["post"], "word": f"w{pair['tag']}"} for pair in PAIRS])
    assert describe([before], [without, words]) == dropped
    assert describe([before], [without, words, links]) == []


@pytest.mark.parametrize("is_json", [False, True])
def test_rows_may_become_elements_of_an_array(is_json: bool) -> None:
    def posts(*lists: list[str]) -> StoredRows:
        rows = [
            {"id": number, "tags": [{"tag": tag, "n": 1} for tag in tags] if is_json else tags}
            for number, tags in enumerate(lists, start=1)
        ]
        return table(1, "posts", rows)

    before = [table(1, "posts", [{"id": row["id"]} for row in LISTS]), table(2, "tags", PAIRS)]
    dropped = [("dropped table", "tags", 4)]
    assert describe(before, [posts(["a", "b"], ["b", "c"], [], [])]) == []
    assert describe(before, [posts(["a"], ["b", "c"], [], [])]) == dropped
    assert describe(before, [posts([], ["a", "b"], ["b", "c"], [])]) == dropped


STATES: list[dict[str, Any]] = [
    {"id": number, "state": state}
    for number, state in enumerate(["new", "paid", "sent", "new", "paid"], start=1)
]
STATELESS = table(1, "orders", [{"id": row["id"]} for row in STATES])
KINDS = table(2, "kinds", [{"kind": f"k{state}", "name": state} for state in ("new", "paid", "sent")])


def test_a_list_of_the_values_does_not_tell_whose_they_were() -> None:
    before, dropped = table(1, "orders", STATES), [("dropped column", "orders.state", 5)]
    links = [{"id": row["id"], "kind": f"k{row['state']}"} for row in STATES]
    others = [{**link, "kind": "knew"} for link in links]
    assert describe([before], [STATELESS, KINDS]) == dropped
    for rows, expected in ((links, []), (others, dropped)):
        beside = table(1, "orders", rows, numbers={"id": 1, "kind": 3})
        between = table(3, "order_kinds", [{"order": row["id"], "kind": row["kind"]} for row in rows])
        assert describe([before], [beside, KINDS]) == expected
        assert describe([before], [STATELESS, KINDS, between]) == expected


def test_a_column_may_become_rows_of_several_kinds() -> None:
    rows = [{"id": row["id"], "title": row["title"], "text": f"{row['id']} words"} for row in NOTES]
    parts = [
        {"note": row["id"], "part": part, "value": row[part]} for row in rows for part in ("title", "text")
    ]
    untitled = table(1, "notes", [{"id": row["id"]} for row in rows])
    assert describe([table(1, "notes", rows)], [untitled, table(2, "parts", parts)]) == []


def test_rows_of_a_dropped_table_are_kept_together() -> None:
    rows = [{"left": left, "right": right} for left, right in ((1, 4), (2, 5), (3, 6), (1, 6))]
    before, dropped = table(1, "links", rows), [("dropped table", "links", 4)]
    sides = [
        table(oid, name, [{name: row[name]} for row in rows]) for oid, name in ((2, "left"), (3, "right"))
    ]
    assert describe([before], sides) == dropped
    assert (
        describe([before], [table(2, "pairs", [{"a": row["left"], "b": row["right"]} for row in rows])]) == []
    )
    flags = [{"id": row["id"], "title": row["title"], "live": row["id"] > 2} for row in NOTES]
    copied = [{"name": row["title"], "live": row["live"]} for row in flags]
    assert describe([_with_number_key(table(1, "notes", flags))], [table(2, "names", copied)]) == []


def test_a_new_column_that_is_the_same_for_different_values_keeps_none() -> None:
    rows: list[dict[str, Any]] = [{"id": number, "live": number > 2} for number in range(1, 6)]
    after = table(
        1, "users", [{"id": row["id"], "data": {"a": True, "b": False}} for row in rows], numbers={"data": 9}
    )
    assert describe([table(1, "users", rows)], [after]) == [("dropped column", "users.live", 5)]


def test_a_date_may_stand_for_a_truth() -> None:
    flags: list[dict[str, Any]] = [{"id": number, "live": number % 2 == 0} for number in range(1, 6)]
    dates = [{"id": row["id"], "ended": None if row["live"] else "2020-01-01"} for row in flags]
    before, after = (table(1, "users", rows, numbers={"ended": 9}) for rows in (flags, dates))
    statement = "UPDATE users SET ended = now() WHERE NOT live"
    dropped = [("dropped column", "users.live", 5)]
    assert describe([before], [after], statement) == []
    assert describe([before], [after]) == dropped
    unknown = table(1, "users", [{**row, "live": row["live"] or None} for row in flags])
    assert describe([unknown], [after], statement) == [("dropped column", "users.live", 2)]
