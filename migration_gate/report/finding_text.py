"""One finding as text for a terminal: what and where, its evidence, its fix."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from migration_gate.check import Evidence, Severity
from migration_gate.facts import SourceEdit
from migration_gate.report.edit_diff import describe_edit, format_diff
from migration_gate.report.phrases import describe_location
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.report.similar_verdicts import SimilarVerdicts
from migration_gate.report.text_layout import (
    CYAN,
    LABEL_LENGTH,
    LINE_LENGTH,
    RED,
    TEXT_LENGTH,
    YELLOW,
    Layout,
    indent_lines,
)

SEVERITY_COLOURS = {Severity.ERROR: RED, Severity.WARNING: YELLOW, Severity.NOTE: CYAN}
MAX_EVIDENCE_LINES = 12
"""of one piece of evidence; the rest is in the JSON report"""
LABEL_COLUMN = 12
"""characters of the longest label that has its text in the same column as others"""


def list_similar(fold: SimilarVerdicts, layout: Layout) -> Iterator[str]:
    """What was found and where; for several findings that say the same, a line for each object."""
    if not fold.is_folded:
        yield from _headline(fold.first.finding.headline, fold.first.severity, layout)
        yield from layout.wrap(describe_location(fold.first), "    ")
        return
    yield from _headline(fold.heading, fold.first.severity, layout)
    for line in fold.lines():
        yield from layout.wrap(line, "        ", "      ")


def _headline(message: str, severity: Severity, layout: Layout) -> Iterator[str]:
    first, *others = layout.wrap(message, "    ", f"  {severity}: ")
    yield first.replace(severity, layout.paint(severity, SEVERITY_COLOURS[severity]), 1)
    yield from others


def list_evidence(evidence: tuple[Evidence, ...], layout: Layout) -> Iterator[str]:
    """Each label with its text beside it, or below it where the text has several lines."""
    lengths = [len(piece.label) for piece in evidence if len(piece.label) <= LABEL_COLUMN]
    column = max(lengths, default=0)
    for piece in evidence:
        label = escape_unprintable(shorten_text(piece.label, LABEL_LENGTH))
        text = shorten_text(piece.text, LINE_LENGTH)
        lines = escape_unprintable(text.strip("\n"), keep_lines=True).split("\n")
        if len(lines) == 1:
            start = f"    {label.ljust(column)}  "
            yield from layout.wrap(text, " " * (column + 6), start) or [start.rstrip()]
        else:
            yield f"    {label}"
            yield from _indented_evidence(lines, layout)


def _indented_evidence(lines: list[str], layout: Layout) -> Iterator[str]:
    """Lines that keep their indentation relative to each other."""
    shown = textwrap.dedent("\n".join(lines[:MAX_EVIDENCE_LINES])).split("\n")
    for line in shown:
        indent = " " * (6 + len(line) - len(line.lstrip()))
        yield from layout.wrap(line.strip(), f"{indent}  ", indent) or [""]
    if len(lines) > MAX_EVIDENCE_LINES:
        yield f"      ... {len(lines) - MAX_EVIDENCE_LINES} more lines"


def list_edits(edits: tuple[SourceEdit, ...], layout: Layout) -> Iterator[str]:
    """Each edit as a sentence and a diff, to be copied."""
    for edit in edits:
        yield ""
        yield from layout.wrap(describe_edit(edit), "    ")
        yield ""
        yield from indent_lines(format_diff(edit), "        ")


def list_fix(fix: str, layout: Layout, indent: str = "    ") -> Iterator[str]:
    """Prose is wrapped; code stays as it is, to be copied."""
    for block in split_blocks(shorten_text(fix, TEXT_LENGTH)):
        yield ""
        if block.is_code:
            yield from indent_lines(block.text, f"{indent}    ")
        else:
            yield from layout.wrap_lines(block.text, indent)
