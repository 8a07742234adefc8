"""Folds what the same check says of very many statements of one revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from migration_gate.check import Evidence, Finding
from migration_gate.wording import count_noun

MAX_ALIKE = 10
"""findings of one kind, about one object of one revision, that stand for themselves"""


def fold_repeated(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; of more than ten that are alike, the first one, which counts the others."""
    alike: dict[tuple[str | None, str | None, str, str | None], list[Finding]] = {}
    for finding in findings:
        key = (finding.revision, finding.kind, finding.object, finding.severity)
        alike.setdefault(key, []).append(finding)
    for group in alike.values():
        yield from group if len(group) <= MAX_ALIKE else (_fold(group),)


def _fold(group: list[Finding]) -> Finding:
    first = group[0]
    text = f"{count_noun(len(group) - 1, 'more statement')} of this revision do the same{_name_lines(group)}"
    return replace(first, evidence=(*first.evidence, Evidence("as well", text)))


def _name_lines(group: list[Finding]) -> str:
    """Where the statements are, as the rest of a sentence; '' if no line is known."""
    lines = [item.location.line for item in group if item.location is not None and item.location.line]
    if not lines:
        return ""
    first, last = min(lines), max(lines)
    return f" (line {first})" if first == last else f" (lines {first} to {last})"
