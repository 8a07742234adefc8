"""Which findings are new: the verdicts on a change, beside those on its base.

A finding is the same as one at the base if check, kind and object are the same. It has become worse if it is
more severe, or says something that it did not say at the base; a list that got shorter, or a count that got
smaller, says nothing new. What is quoted is no count: another type is another difference, a shorter one too.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from migration_gate.facts import Base, Facts
from migration_gate.lazy_dataclass import dataclass
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
        return Novelties(_mark_verdicts(verdicts, {}, "old"))
    if base is None or not base.is_known:
        return Novelties(tuple(verdicts))
    remaining = _group_by_stem(base_verdicts)
    matches = _match_verdicts(verdicts, remaining)
    novelties = {item.id: _compare_matched(item, matches[item.id]) for item in verdicts if item.id in matches}
    placed = _mark_verdicts(verdicts, novelties, _novelty_of_unmatched(base))
    if not facts.replay.is_complete:
        return Novelties(placed)
    gone = chain.from_iterable(remaining.values())
    return Novelties(placed, tuple(verdict for verdict in gone if verdict.allowed is None))


def _mark_verdicts(
    verdicts: Iterable[Verdict], novelties: Mapping[str, Novelty], other: Novelty
) -> tuple[Verdict, ...]:
    """The verdicts with their novelty, by id; the others are `other`."""
    return tuple(replace(verdict, novelty=novelties.get(verdict.id, other)) for verdict in verdicts)


def _novelty_of_unmatched(base: Base) -> Novelty:
    """What a verdict is that the base does not have; not known if its history did not come to its end."""
    return "new" if base.facts is None or base.facts.replay.is_complete else ""


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
    """Whether a message quotes something else, has a word that the older one lacks, or a greater count.

    has_sides: it says something else too if what it quotes was exchanged.
    """
    new, old = _MessageParts.from_message(message), _MessageParts.from_message(older)
    quotes_more = bool(Counter(new.quoted) - Counter(old.quoted))
    quotes_otherwise = has_sides and len(new.quoted) == len(old.quoted) and new.quoted != old.quoted
    has_new_words = not new.words <= old.words
    has_greater_count = any(count > before for count, before in zip(new.counts, old.counts, strict=False))
    return quotes_more or quotes_otherwise or has_new_words or has_greater_count


@dataclass(frozen=True, slots=True)
class _MessageParts:
    """What a message consists of."""

    quoted: list[str]
    """in their order, with the back quotes"""
    words: frozenset[str]
    """that are not quoted"""
    counts: list[int]
    """in their order"""

    @classmethod
    def from_message(cls, message: str) -> _MessageParts:
        words = _list_words(message)
        return cls(
            _QUOTED.findall(message),
            frozenset(word for word in words if not word.isdecimal()),
            [int(word) for word in words if word.isdecimal()],
        )


def _list_words(message: str) -> list[str]:
    """The words and numbers that are not quoted; a plural counts as its singular."""
    words = _WORD.findall(_QUOTED.sub(" ", message))
    return [_SINGULAR.get(word, word).removesuffix("s") for word in words]
