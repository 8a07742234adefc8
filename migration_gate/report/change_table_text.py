"""The table of the change's revisions for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.check import Severity
from migration_gate.report.change_table import Cell, CellState, ChangeRow
from migration_gate.report.closing_table import align_columns
from migration_gate.report.printable_text import escape_unprintable, shorten_text

TITLE = "What the change does to a live database"
HEADINGS = ("revision", "does", "who waits", "work meanwhile", "rows", "old code")
REVISION_LENGTH = 12
CELL_LENGTH = 16
"""characters"""
MARKS = {Severity.ERROR: "!!", Severity.WARNING: "! ", Severity.NOTE: "", None: ""}
SMALLEST = 12
"""characters for what a revision does"""


def list_change_lines(rows: Sequence[ChangeRow], width: int) -> Iterator[str]:
    """The table, with an empty line after it; nothing if there is one revision, of which nothing is said."""
    if len(rows) < 2 and not any(cell.severity for row in rows for cell in row.cells):
        return
    cells: list[tuple[str, ...]] = [
        (
            _shorten(row.revision, REVISION_LENGTH),
            "",
            *(_shorten(_mark(cell), CELL_LENGTH) for cell in row.cells),
        )
        for row in rows
    ]
    used = sum(max(map(len, column)) + 2 for column in zip(HEADINGS, *cells, strict=True))
    room = max(width - used + len(HEADINGS[1]), SMALLEST)
    table: list[tuple[str, ...]] = [HEADINGS]
    table += [
        (first, _shorten(_describe(row), room), *others)
        for row, (first, _, *others) in zip(rows, cells, strict=True)
    ]
    yield TITLE
    yield from align_columns(table)
    yield ""


def _mark(cell: Cell) -> str:
    if cell.state is CellState.UNKNOWN and not cell.verdicts:
        return f"? {cell.text}"
    texts = [_add_mark(cell, text) for text in cell.short_extents]
    return next((text for text in texts if len(text) <= CELL_LENGTH), _add_mark(cell, cell.text))


def _add_mark(cell: Cell, text: str) -> str:
    return f"{MARKS[cell.severity]} {text}".replace("  ", " ").strip()


def _describe(row: ChangeRow) -> str:
    """The first operation, and how many more there are."""
    if not row.operations:
        return "nothing"
    more = f" +{len(row.operations) - 1}" if len(row.operations) > 1 else ""
    return f"{row.operations[0]}{more}" if not more else f"{len(row.operations)} statements"


def _shorten(text: str, length: int) -> str:
    text = escape_unprintable(shorten_text(text, 400))
    return text if len(text) <= length else f"{text[: length - 1]}…"
