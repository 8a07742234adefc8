"""Markdown in which a project's words stay words: for the summary and the comment.

Everything that is not ours stands in code or is spelt in character references, so that no name, message or
comment of a project becomes a heading, a link, a mention, HTML or a broken table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from migration_gate.check import Evidence, Severity
from migration_gate.report.phrases import describe_location
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.verdict.outcome import ProjectReport, Verdict
from migration_gate.wording import count_noun

TEXT_LIMIT = 20_000
"""characters of one piece of evidence, one fix or one output"""
LINE_LIMIT = 2000
"""characters of one sentence or one table cell"""
MARKS = {Severity.ERROR: "🔴", Severity.WARNING: "🟡", Severity.NOTE: "🔵"}
SPECIAL = re.compile(
    r"[\\`*_{}\[\]#|~@<>&$]|:(?=//)|(?<=www)\.|^[-+=]|^\d(?=\d*[.)])|(?<=\bGH)-(?=\d)", re.IGNORECASE
)
LINKS = re.compile(r"(&#64;|&#35;(?=\d)|&#45;(?=\d))")
PYTHON = re.compile(r"\bop\.|\bsa\.|^(?:def|import|from|down_revision)\b", re.MULTILINE)
SQL = re.compile(
    r"^\s*(?:ALTER|CREATE|DROP|UPDATE|DELETE|INSERT|SELECT|WITH|COMMENT|TRUNCATE)\s", re.IGNORECASE
)


def escape_markdown(text: str) -> str:
    """`text` on one line, for any place in Markdown; what stands in backticks becomes code."""
    parts = escape_unprintable(shorten_text(text, LINE_LIMIT)).split("`")
    if len(parts) % 2 == 0:
        return _spelt("`".join(parts))
    return "".join(
        f"<code>{_spelt(part)}</code>" if at % 2 and part else _spelt(part) for at, part in enumerate(parts)
    )


def fence_code(text: str, language: str = "", *, limit: int = TEXT_LIMIT) -> str:
    """`text` as a block of code, whatever backticks it holds."""
    more = len(text) - limit
    text = escape_unprintable(text[:limit], lines=True).strip("\n")
    if more > 0:
        text = f"{text}\n... {more} more characters"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _spelt(text: str) -> str:
    """Every character that means something to Markdown or HTML, as a reference."""
    spelt = SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)
    # Mentions and issues are looked for in the finished page, where these are plain signs again.
    return LINKS.sub(r"\1&#8203;", spelt)


def render_counts(project: ProjectReport) -> str:
    """The checks that found something, and how much of it."""
    columns = (*(severity.value for severity in Severity), "allowed")
    names = dict.fromkeys(verdict.check for verdict in project.verdicts)
    counts = {
        name: Counter(
            "allowed" if verdict.allowed else verdict.severity.value
            for verdict in project.verdicts
            if verdict.check == name
        )
        for name in names
    }
    # A column of nothing is noise.
    used = [column for column in columns if any(count[column] for count in counts.values())]
    titles = {"error": "Errors", "warning": "Warnings", "note": "Notes", "allowed": "Allowed"}
    rows = [f"| Check | {' | '.join(titles[column] for column in used)} |", "| :-- |" + " --: |" * len(used)]
    rows += [
        f"| {name} | {' | '.join(str(count[column] or '') for column in used)} |"
        for name, count in counts.items()
    ]
    return "\n".join(rows) + "\n"


def render_finding(
    verdict: Verdict, *, opened: bool = False, limit: int = TEXT_LIMIT, source: str = ""
) -> str:
    """One finding, to unfold: what and where, its evidence, and the fix.

    `source` is the address of the repository's files (`https://github.com/o/r/blob/SHA`), where it is known.
    """
    found = verdict.finding
    mark = MARKS[verdict.severity]
    blocks = [
        f"<details{' open' if opened else ''}><summary>{mark} <b>{verdict.severity}</b> "
        f"{escape_markdown(found.message)}</summary>"
    ]
    if place := _place(verdict, source):
        blocks.append(place)
    blocks.extend(_evidence(found.evidence, limit))
    blocks.extend(render_fix(found.fix, limit))
    blocks.append(f"<sub>{verdict.check} {verdict.id}</sub>\n</details>\n")
    return "\n\n".join(blocks)


def _place(verdict: Verdict, source: str) -> str:
    place, revision = verdict.finding.location, verdict.finding.revision
    if place is None or not source or place.file.startswith(("/", "..")):
        return escape_markdown(describe_location(verdict))
    address = f"{source}/{quote(place.file, safe='/')}{f'#L{place.line}' if place.line else ''}"
    shown = f'<a href="{address}">{escape_markdown(str(place).replace("`", ""))}</a>'
    return f"{shown}, revision {escape_markdown(revision)}" if revision else shown


def render_fix(text: str, limit: int = TEXT_LIMIT) -> Iterator[str]:
    """Advice as paragraphs and blocks of code."""
    for is_code, block in split_blocks(text[:limit]):
        if is_code:
            yield fence_code(block, _language(block), limit=limit)
        else:
            yield from (escape_markdown(line) for line in block.split("\n") if line.strip())
    if len(text) > limit:
        yield f"... {len(text) - limit} more characters"


def _language(code: str) -> str:
    if PYTHON.search(code):
        return "python"
    return "sql" if SQL.match(code) else ""


def _evidence(evidence: tuple[Evidence, ...], limit: int) -> Iterator[str]:
    """Short pieces share one block, as a table of label and text; longer ones have their own."""
    clean = [(piece.label, shorten_text(piece.text.strip(), limit)) for piece in evidence]
    short = [(label, text) for label, text in clean if "\n" not in text]
    room = max((len(label) for label, _ in short), default=0)
    if short:
        lines = "\n".join(
            f"{escape_unprintable(label).ljust(room)}  {escape_unprintable(text)}" for label, text in short
        )
        yield fence_code(lines, limit=limit)
    for label, text in clean:
        if "\n" in text:
            yield f"{escape_markdown(label)}\n\n{fence_code(text, _language(text), limit=limit)}"


def render_list(lines: tuple[str, ...], most: int = 50) -> str:
    """A list; what is beyond `most` is counted."""
    shown = [f"- {escape_markdown(line)}" for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"- {count_noun(len(lines) - most, 'more line')}")
    return "\n".join(shown) + "\n"
