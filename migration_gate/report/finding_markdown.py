"""One finding as Markdown, for the summary and the comment: location, evidence and fix; and the counts."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from migration_gate.check import Evidence, Severity
from migration_gate.report.allow_entry import format_allow_entry
from migration_gate.report.anchor import quote_path
from migration_gate.report.check_page import check_page
from migration_gate.report.edit_diff import describe_edit, format_diff
from migration_gate.report.markdown import (
    TEXT_LIMIT,
    escape_markdown,
    fence_code,
    fold_section,
    guess_language,
    render_list,
)
from migration_gate.report.phrases import describe_location
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.report.similar_verdicts import SimilarVerdicts
from migration_gate.report.verdict_selection import full_check_name
from migration_gate.verdict.outcome import ProjectReport, Verdict

MARKS = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.NOTE: "🔵"}
ALLOWED = "allowed"
OLD = "old"
LINE_WIDTH = 96
"""columns of a line of evidence: what a comment shows on a wide screen"""
NEVER_OFFERED = frozenset({"unused-allow", "failing-upgrade"})
"""checks of which no report offers to accept a finding: it cannot be, or nothing would be left to check"""
COLUMN_TITLES = {
    Severity.ERROR.value: "Errors",
    Severity.WARNING.value: "Warnings",
    Severity.NOTE.value: "Notes",
    ALLOWED: "Allowed",
    OLD: "Old",
}


def render_counts(project: ProjectReport) -> str:
    """A folded table of the checks that found something: findings by severity, and allowed ones.

    Empty if there is only one such check: the title of the page says the same.
    """
    counts = _count_by_check(project.verdicts)
    if len(counts) < 2:
        return ""
    columns = [column for column in COLUMN_TITLES if any(count[column] for count in counts.values())]
    titles = " | ".join(COLUMN_TITLES[column] for column in columns)
    rows = [f"| Check | {titles} |", "| :-- |" + " --: |" * len(columns)]
    for check, count in counts.items():
        cells = " | ".join(str(count[column] or "") for column in columns)
        rows.append(f"| {check} | {cells} |")
    return fold_section("Counts", "\n".join(rows))


def _count_by_check(verdicts: Iterable[Verdict]) -> dict[str, Counter[str]]:
    """For each check, how many verdicts belong into each column."""
    counts: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        column = _choose_column(verdict)
        counts.setdefault(verdict.check, Counter())[column] += 1
    return counts


def _choose_column(verdict: Verdict) -> str:
    if verdict.allowed:
        return ALLOWED
    return OLD if verdict.is_spared else verdict.severity.value


def render_finding(
    verdict: Verdict, *, is_open: bool = False, limit: int = TEXT_LIMIT, source: str = "", anchor: str = ""
) -> str:
    """One finding that a reader can unfold: what and where, its evidence, the fix, and how to accept it.

    `limit` is in characters, for each piece of evidence and for the fix. `source` is the address of the
    repository's files (`https://github.com/o/r/blob/SHA`), if it is known. `anchor` is what a link on the
    page names, if there is one.
    """
    finding = verdict.finding
    mark = f'<a name="{anchor}"></a>' if anchor else ""
    blocks = [
        f"<details{' open' if is_open else ''}><summary>{mark}{MARKS[verdict.severity]} "
        f"<b>{_name_severity(verdict)}</b> {escape_markdown(finding.headline)}</summary>"
    ]
    identity = f"{link_check(verdict)} <sub>{verdict.id}</sub>"
    location = _render_location(verdict, source)
    blocks.append(f"{location} · {identity}" if location else identity)
    blocks.extend(_render_evidence(finding.evidence, limit))
    blocks.extend(render_fix(finding.fix, limit))
    for edit in verdict.edits:
        blocks.append(escape_markdown(describe_edit(edit)))
        blocks.append(fence_code(format_diff(edit), "diff", limit=limit))
    if entry := _offer_allow_entry(verdict):
        blocks.append(fold_section("To accept it", fence_code(entry, "yaml")).rstrip())
    return "\n\n".join([*blocks, "</details>\n"])


def _name_severity(verdict: Verdict) -> str:
    """`error`, or `error, worse than before` where a finding of the base says more now."""
    return f"{verdict.severity}, worse than before" if verdict.novelty == "worse" else str(verdict.severity)


def _offer_allow_entry(verdict: Verdict) -> str:
    """The entry that accepts the finding; empty if the fix has one of its own."""
    if verdict.check in NEVER_OFFERED or "allow:" in verdict.finding.fix:
        return ""
    return format_allow_entry(verdict)


def link_check(verdict: Verdict) -> str:
    """`check/kind`, which leads to the documentation of the check."""
    name = escape_markdown(full_check_name(verdict))
    return f'<a href="{check_page(verdict.check)}">{name}</a>'


def render_similar(fold: SimilarVerdicts) -> str:
    """Several findings that differ in their object only, as a list that a reader can unfold."""
    severity = fold.first.severity
    heading = f"{MARKS[severity]} <b>{severity}</b> {escape_markdown(fold.heading)}"
    blocks = [f"<details><summary>{heading}</summary>", render_list(list(fold.lines()))]
    blocks.extend(render_fix(fold.fix))
    blocks.append(f"<sub>{link_check(fold.first)}</sub>\n</details>\n")
    return "\n\n".join(blocks)


def _render_location(verdict: Verdict, source: str) -> str:
    """File, line and revision; the file is a link where `source` is known."""
    location, revision = verdict.finding.location, verdict.finding.revision
    if location is None or not source or location.file.startswith(("/", "..")):
        return escape_markdown(describe_location(verdict))
    address = f"{source}/{quote_path(location.file)}"
    if location.line:
        address += f"#L{location.line}"
    link = f'<a href="{address}">{escape_markdown(str(location).replace("`", ""))}</a>'
    return f"{link}, revision {escape_markdown(revision)}" if revision else link


def render_fix(text: str, limit: int = TEXT_LIMIT) -> Iterator[str]:
    """A fix as paragraphs and blocks of code, of at most `limit` characters."""
    for block in split_blocks(text[:limit]):
        if block.is_code:
            yield fence_code(block.text, guess_language(block.text), limit=limit)
        else:
            yield from (escape_markdown(line) for line in block.text.split("\n") if line.strip())
    if len(text) > limit:
        yield f"... {len(text) - limit} more characters"


def _render_evidence(evidence: tuple[Evidence, ...], limit: int) -> Iterator[str]:
    """Pieces of one line share a block, as a table of label and text; longer ones have their own."""
    pieces = [Evidence(piece.label, shorten_text(piece.text.strip(), limit)) for piece in evidence]
    short_pieces = [piece for piece in pieces if "\n" not in piece.text]
    if short_pieces:
        width = max(len(piece.label) for piece in short_pieces)
        lines = [line for piece in short_pieces for line in _wrap_piece(piece, width)]
        yield fence_code("\n".join(lines), limit=limit)
    for piece in pieces:
        if "\n" in piece.text:
            code = fence_code(piece.text, guess_language(piece.text), limit=limit)
            yield f"{escape_markdown(piece.label)}\n\n{code}"


def _wrap_piece(piece: Evidence, label_width: int) -> list[str]:
    """The label and the text, on as many lines as a page shows without scrolling."""
    label, text = f"{escape_unprintable(piece.label).ljust(label_width)}  ", escape_unprintable(piece.text)
    if len(label + text) <= LINE_WIDTH:
        return [label + text]
    return textwrap.wrap(
        text,
        LINE_WIDTH,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )
