"""Folds what the same check says of very many statements of one revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from migration_gate.check import Evidence, Finding
from migration_gate.wording import count_noun

Item = TypeVar("Item")
MAX_ALIKE = 10
"""findings of one kind, about one object of one revision, that stand for themselves"""


def fold_repeated(pairs: Iterable[tuple[Item, Finding]]) -> Iterator[tuple[Item, Finding]]:
    """What was found, with its findings; of more than ten that are alike the first, which counts the others.

    What costs much is added to the findings that come back: there may be ten thousand before.
    """
    alike: dict[tuple[str | None, str | None, str, str | None], list[tuple[Item, Finding]]] = {}
    for item, finding in pairs:
        key = (finding.revision, finding.kind, finding.object, finding.severity)
        alike.setdefault(key, []).append((item, finding))
    for group in alike.values():
        if len(group) <= MAX_ALIKE:
            yield from group
        else:
            yield group[0][0], _fold([finding for _, finding in group])


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
