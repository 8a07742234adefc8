"""Why a project could not be checked, as Markdown for the summary and the comment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.report.anchor import is_in_repository, quote_path
from migration_gate.report.finding_markdown import render_fix
from migration_gate.report.markdown import escape_markdown, fence_code
from migration_gate.report.printable_text import escape_unprintable
from migration_gate.verdict.outcome import Problem

_PLACE = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+)")
TEXT_LIMIT = 4000
"""characters of the evidence and of the advice"""


def render_problem(problem: Problem, *, source: str = "", limit: int = TEXT_LIMIT) -> str:
    """What happened, where, the evidence and the advice.

    `source` is the address of the repository's files, if it is known; `limit` is in characters.
    """
    return "\n\n".join(_render_paragraphs(problem, source, limit)) + "\n"


def _render_paragraphs(problem: Problem, source: str, limit: int) -> Iterator[str]:
    yield "\n".join(map(escape_markdown, problem.message.split("\n")))
    if problem.where:
        yield _render_place(problem.where, source)
    evidence = problem.evidence.strip()
    if evidence and not _repeats(evidence, problem.where):
        yield fence_code(problem.evidence, limit=limit)
    yield from render_fix(problem.advice, limit)


def _repeats(evidence: str, place: str) -> bool:
    """Whether a traceback has the one line `migrations/env.py:2 in <module>`, and that is the place."""
    return evidence in (place, f"{place} in <module>")


def _render_place(place: str, source: str) -> str:
    """A line of a file as a link, if the address is known; an option or an input as code."""
    text = escape_markdown(escape_unprintable(place).replace("`", ""))
    match = _PLACE.fullmatch(place)
    if match and source and is_in_repository(match["file"]):
        return f'<a href="{source}/{quote_path(match["file"])}#L{match["line"]}">{text}</a>'
    return f"<code>{text}</code>"
