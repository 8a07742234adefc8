"""What blocks, one line each, at the end of a long text: the worst next to the verdict, where the eye is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.report.verdict_selection import full_check_name, worst_last
from migration_gate.verdict.outcome import ProjectReport, Report, Verdict

SMALLEST_TABLE = 2
"""lines; a single one needs no table"""
MAX_ROWS = 20
"""findings of one project"""
CELL_LENGTH = 100
"""characters"""
GAP = "  "
Row = tuple[str, ...]


def list_blocking(report: Report, width: int) -> list[str]:
    """A table for each project, with an empty line after it; none if one thing blocks, or nothing."""
    sizes = [1 if project.problem else len(project.blocking_verdicts) for project in report.projects]
    if sum(sizes) < SMALLEST_TABLE:
        return []
    has_several = len(report.projects) > 1
    lines: list[str] = []
    for project, size in zip(report.projects, sizes, strict=True):
        if size:
            scope = f" in {_escape_cell(project.name)}" if has_several and project.name else ""
            count = f" ({MAX_ROWS} of {size})" if size > MAX_ROWS else ""
            lines += [f"What blocks{scope}{count}", *_project_rows(project, width), ""]
    return lines


def _project_rows(project: ProjectReport, width: int) -> Iterator[str]:
    if project.problem:
        yield f"{GAP}{_escape_cell(project.problem.where or project.name)}{GAP}could not be checked"
        return
    blocking = worst_last(project.blocking_verdicts)[-MAX_ROWS:]
    tables = [
        [_verdict_row(verdict, full_check_name(verdict)) for verdict in blocking],
        [_verdict_row(verdict, verdict.check) for verdict in blocking],
        # Where paths are too long for a line, they stand above only.
        [_verdict_row(verdict, full_check_name(verdict))[1:] for verdict in blocking],
    ]
    yield from align_columns(next((rows for rows in tables if _table_width(rows) <= width), tables[-1]))


def _verdict_row(verdict: Verdict, check: str) -> Row:
    """Location, check and object."""
    location = verdict.finding.location or verdict.finding.revision or "-"
    return _escape_cell(str(location)), check, _escape_cell(verdict.finding.object)


def _escape_cell(text: str) -> str:
    return escape_unprintable(shorten_text(text, CELL_LENGTH))


def _column_widths(rows: Sequence[Row]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _table_width(rows: Sequence[Row]) -> int:
    return sum(len(GAP) + column for column in _column_widths(rows))


def align_columns(rows: Sequence[Row]) -> Iterator[str]:
    """Lines in which each column is as wide as its widest cell."""
    widths = _column_widths(rows)
    for row in rows:
        cells = (cell.ljust(column) for cell, column in zip(row, widths, strict=True))
        yield f"{GAP}{GAP.join(cells)}".rstrip()
