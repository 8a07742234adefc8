"""The table of the change's revisions as Markdown; each cell leads to its finding on the same page."""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.check import Severity
from migration_gate.report.change_table import Cell, CellState, ChangeRow
from migration_gate.report.markdown import escape_markdown

SIGNS = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.NOTE: "🔵"}
STATE_SIGNS = {CellState.FINE: "✅", CellState.HELD: "🔒", CellState.UNKNOWN: "❔"}
SHOWN_OPERATIONS = 2
OPERATION_LENGTH = 60
"""characters of one statement"""
HEADINGS = ("Revision", "What it does", "Who waits", "Work meanwhile", "Rows", "Live release")


def render_change_table(rows: Sequence[ChangeRow]) -> str:
    """The table; empty without rows."""
    if not rows:
        return ""
    lines = [_join(HEADINGS), "| :-- | :-- | :-- | :-- | :-- | :-- |"]
    for row in rows:
        revision = escape_markdown(f"`{row.revision.replace('`', '')}`")
        lines.append(_join((revision, _render_operations(row), *map(_render_cell, row.cells))))
    return "\n".join(lines) + "\n"


def name_anchor(verdict_id: str) -> str:
    """What a link to a finding names."""
    return f"finding-{verdict_id}"


def _render_operations(row: ChangeRow) -> str:
    shown = [f"<code>{_escape_code(text)}</code>" for text in row.operations[:SHOWN_OPERATIONS]]
    more = len(row.operations) - len(shown)
    return "<br>".join([*shown, *([f"and {more} more"] if more > 0 else [])]) or "nothing"


def _escape_code(text: str) -> str:
    short = text if len(text) <= OPERATION_LENGTH else f"{text[: OPERATION_LENGTH - 1]}…"
    return escape_markdown(short.replace("`", "'"))


def _render_cell(cell: Cell) -> str:
    sign = STATE_SIGNS[cell.state] if cell.severity is None else SIGNS[cell.severity]
    text = escape_markdown(cell.text)
    if cell.verdicts:
        text = f'<a href="#{name_anchor(cell.verdicts[0].id)}">{text}</a>'
    note = f", {escape_markdown(cell.note)}" if cell.note else ""
    return "<br>".join([f"{sign}&nbsp;{text}{note}", *map(escape_markdown, cell.lines)])


def _join(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
