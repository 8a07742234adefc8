"""What one revision made of the catalog: the rows that it removed, and those that it added."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

Rows = list[dict[str, Any]]
Catalog = dict[str, Rows]


def find_row_changes(before: str, after: str) -> str:
    """The difference of two catalogs as JSON: `{kind: [rows only in before, rows only in after]}`.

    Kinds without a difference are left out.
    """
    if before == after:
        return "{}"
    rows_before, rows_after = _parse_catalog(before), _parse_catalog(after)
    changes = {
        kind: _compare_rows(rows, rows_after[kind])
        for kind, rows in rows_before.items()
        if rows != rows_after[kind]
    }
    return json.dumps(changes, ensure_ascii=False)


def _compare_rows(before: Rows, after: Rows) -> list[Rows]:
    """The rows that only one of the lists has. To print a row takes longer than to compare two.

    Both are in order: what has changed is in the middle, between rows that are equal at both ends.
    """
    shorter = min(len(before), len(after))
    start = next((place for place in range(shorter) if before[place] != after[place]), shorter)
    rest = shorter - start
    end = next((place for place in range(rest) if before[-1 - place] != after[-1 - place]), rest)
    before, after = before[start : len(before) - end], after[start : len(after) - end]
    return [_rows_only_in(before, after), _rows_only_in(after, before)]


@lru_cache(maxsize=1)
def _parse_catalog(text: str) -> Catalog:
    """What one revision leaves is what the next one finds."""
    catalog: Catalog = json.loads(text)
    return catalog


def _rows_only_in(rows: Rows, others: Rows) -> Rows:
    known = {repr(row) for row in others}
    return [row for row in rows if repr(row) not in known]
