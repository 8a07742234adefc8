"""Which findings are new: the verdicts on a change, beside those on its base.

A finding is the same as one at the base if check, kind and object are the same. It has become worse if it is
more severe, or says something that it did not say at the base; a list that got shorter, or a count that got
smaller, says nothing new. What is quoted is no count: another type is another difference, a shorter one too.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from migration_gate.facts import Facts, Replay
from migration_gate.verdict.outcome import SEVERITY_RANK, Novelty, Verdict

_WORD = re.compile(r"\d+|[^\W\d]+")
_QUOTED = re.compile(r"`[^`]*`")
_SINGULAR = {"are": "is", "were": "was", "have": "has", "they": "it", "them": "it", "these": "this"}
SIDED_CHECKS = frozenset({"drift", "version-difference"})
"""checks whose messages quote both sides of a difference in a fixed order; others quote lists"""


@dataclass(frozen=True, slots=True)
class Novelties:
    """The verdicts on a change, each with its novelty."""

    verdicts: tuple[Verdict, ...]
    fixed: tuple[Verdict, ...] = ()
    """findings of the base that are gone"""


def find_novelties(verdicts: Sequence[Verdict], facts: Facts, base_verdicts: Sequence[Verdict]) -> Novelties:
    """The verdicts with their novelty; without one if the base does not tell."""
    base = facts.base
    if base is not None and base.is_unchanged:
        return Novelties(tuple(replace(verdict, novelty="old") for verdict in verdicts))
    if base is None or (base.facts is None and not base.is_new_project):
        return Novelties(tuple(verdicts))
    is_complete = base.facts is None or _is_complete(base.facts.replay)
    remaining = _group_by_stem(base_verdicts)
    matches = _match_verdicts(verdicts, remaining)
    unmatched: Novelty = "new" if is_complete else ""
    placed = tuple(
        replace(verdict, novelty=_compare_matched(verdict, matches[verdict.id]))
        if verdict.id in matches
        else replace(verdict, novelty=unmatched)
        for verdict in verdicts
    )
    gone = [verdict for group in remaining.values() for verdict in group if verdict.allowed is None]
    return Novelties(placed, tuple(gone) if _is_complete(facts.replay) else ())


def spare_old(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, of which the old ones block no more."""
    return tuple(
        replace(verdict, is_spared=verdict.novelty == "old" and verdict.can_be_old) for verdict in verdicts
    )


def _group_by_stem(verdicts: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.id_stem].append(verdict)
    return groups


def _match_verdicts(verdicts: Sequence[Verdict], remaining: dict[str, list[Verdict]]) -> dict[str, Verdict]:
    """The verdict of the base for each id, taken out of `remaining`: the most similar ones first."""
    matches: dict[str, Verdict] = {}
    for is_same in (_says_the_same_there, _says_the_same, _is_any):
        for verdict in verdicts:
            group = remaining.get(verdict.id_stem, [])
            if verdict.id in matches:
                continue
            older = next((item for item in group if is_same(verdict, item)), None)
            if older is not None:
                group.remove(older)
                matches[verdict.id] = older
    return matches


def _says_the_same_there(verdict: Verdict, older: Verdict) -> bool:
    files = {location.file for location in older.finding.locations}
    return _says_the_same(verdict, older) and any(
        location.file in files for location in verdict.finding.locations
    )


def _says_the_same(verdict: Verdict, older: Verdict) -> bool:
    return verdict.finding.message == older.finding.message


def _is_any(_verdict: Verdict, _older: Verdict) -> bool:
    return True


def compare_with_older(verdict: Verdict, message: str) -> Novelty:
    """What a finding is beside what was said of it earlier."""
    has_sides = verdict.check in SIDED_CHECKS
    return "worse" if _says_more(verdict.finding.message, message, has_sides=has_sides) else "old"


def _compare_matched(verdict: Verdict, older: Verdict) -> Novelty:
    is_more_severe = SEVERITY_RANK[verdict.severity] < SEVERITY_RANK[older.severity]
    return "worse" if is_more_severe else compare_with_older(verdict, older.finding.message)


def _says_more(message: str, older: str, *, has_sides: bool) -> bool:
    """Whether a message quotes something else, has a word that the older one lacks, or a greater count."""
    quoted, older_quoted = _QUOTED.findall(message), _QUOTED.findall(older)
    if Counter(quoted) - Counter(older_quoted):
        return True
    if has_sides and quoted != older_quoted and len(quoted) == len(older_quoted):
        return True  # the sides were exchanged
    words, older_words = _list_words(message), _list_words(older)
    if {word for word in words if not word.isdigit()} - {*older_words}:
        return True
    counts, older_counts = ([int(word) for word in texts if word.isdigit()] for texts in (words, older_words))
    return any(count > old for count, old in zip(counts, older_counts, strict=False))


def _list_words(message: str) -> list[str]:
    """The words and numbers that are not quoted; a plural counts as its singular."""
    words = _WORD.findall(_QUOTED.sub(" ", message))
    return [_SINGULAR.get(word, word).removesuffix("s") for word in words]
