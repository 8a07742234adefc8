"""What one revision made of the catalog: the rows that it removed, and those that it added."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

Catalog = dict[str, list[dict[str, Any]]]


def find_row_changes(before: str, after: str) -> str:
    """The difference of two catalogs as JSON: `{kind: [rows only in before, rows only in after]}`.

    Kinds without a difference are left out.
    """
    if before == after:
        return "{}"
    rows_before, rows_after = _parse_catalog(before), _parse_catalog(after)
    changes = {
        kind: [_rows_only_in(rows, rows_after[kind]), _rows_only_in(rows_after[kind], rows)]
        for kind, rows in rows_before.items()
        if rows != rows_after[kind]
    }
    return json.dumps(changes, ensure_ascii=False)


@lru_cache(maxsize=1)
def _parse_catalog(text: str) -> Catalog:
    """What one revision leaves is what the next one finds."""
    catalog: Catalog = json.loads(text)
    return catalog


def _rows_only_in(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {repr(row) for row in others}
    return [row for row in rows if repr(row) not in known]
