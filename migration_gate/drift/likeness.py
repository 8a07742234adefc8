"""How alike two names are, and which objects of two sides are so alike that they may be one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import TypeVar

LeftT = TypeVar("LeftT")
RightT = TypeVar("RightT")

ALIKE = 0.7
"""of names: as alike as `email` and `email_address`, or `colour` and `color`"""
MARGIN = 0.5
"""by how much a candidate must be more alike than the next best"""
MAX_PAIRS = 10_000
"""where more than a hundred objects of either side have no partner, there is another cause than renames"""
_CONTAINED = 0.85
_ABBREVIATED = 0.75
_SAME_SPELLING = 0.8
"""below it, words that share letters mean different things: `latitude` and `longitude`"""
_COMMON_WORDS = frozenset(
    {"id", "at", "on", "by", "is", "has", "no", "number", "date", "time", "type", "key", "value", "code"}
)
"""words that say little about which thing a name is of"""
_COMMON_WEIGHT = 0.3
_VOWELS = frozenset("aeiou")
_NEGATIONS = ("in", "un", "non", "dis", "de")
"""at the beginning of a word"""
_NEGATION_WORDS = frozenset({"not", "non", "un"})
_BEFORE_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\W_]+")


def measure_name_likeness(first: str, second: str) -> float:
    """From 0 (nothing in common) to 1 (the same but for case, underscores and a plural)."""
    words = _split_words(first), _split_words(second)
    if "".join(words[0]) == "".join(words[1]):
        return 1.0
    shared = set(words[0]) & set(words[1])
    own, other = ([word for word in side if word not in shared] for side in words)
    if _NEGATION_WORDS & {*own, *other}:
        return 0.0
    if shared - _COMMON_WORDS and not (own and other):
        return _CONTAINED
    alike = _measure_spelling("".join(own), "".join(other))
    shared_weight, own_weight = 2 * _weigh_words(shared), _weigh_words(own) + _weigh_words(other)
    return (shared_weight + alike * own_weight) / (shared_weight + own_weight)


@cache
def _split_words(name: str) -> tuple[str, ...]:
    """`UserIDs` is `user`, `id`; `created_at` is `created`, `at`."""
    words = _SEPARATORS.split(_BEFORE_CAPITAL.sub("_", name).casefold())
    return tuple(_without_plural(word) for word in words if word)


def _without_plural(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")) else word


def _weigh_words(words: Sequence[str] | set[str]) -> float:
    return sum(_COMMON_WEIGHT if word in _COMMON_WORDS else 1.0 for word in words)


def _measure_spelling(first: str, second: str) -> float:
    """Of words that are not the same: 0 if they only share some letters."""
    short, long = sorted((first, second), key=len)
    if not short or any(long == prefix + short for prefix in _NEGATIONS):
        return 0.0
    if len(short) >= 3 and long.startswith(short):
        return _CONTAINED
    if _is_abbreviation(short, long):
        return _ABBREVIATED
    if not _share_letters(short, long):
        return 0.0
    ratio = SequenceMatcher(None, first, second, autojunk=False).ratio()
    return ratio if ratio >= _SAME_SPELLING else 0.0


def _share_letters(short: str, long: str) -> bool:
    """Whether they share enough letters to be spelled alike: much faster to tell than whether they are."""
    needed = _SAME_SPELLING * (len(short) + len(long)) / 2
    return len(short) >= needed and (_count_letters(short) & _count_letters(long)).total() >= needed


@cache
def _count_letters(word: str) -> Counter[str]:
    return Counter(word)


def _is_abbreviation(short: str, long: str) -> bool:
    """Whether it has some of the letters in their order, and the first and the last: `qty` of `quantity`."""
    if len(short) < 3 or (short[0], short[-1]) != (long[0], long[-1]):
        return False
    # Abbreviations leave the vowels out; a short word that has some is another word (`date`, `duplicate`).
    if not _VOWELS.isdisjoint(short[1:]):
        return False
    letters = iter(long)
    return all(letter in letters for letter in short)


def pair_most_alike(
    left: Sequence[LeftT], right: Sequence[RightT], measure: Callable[[LeftT, RightT], float]
) -> list[tuple[LeftT, RightT]]:
    """One to one: those of which each is the other's best, and by far; `measure` is 0 for what is no pair.

    None if there are too many to compare.
    """
    if not left or not right or len(left) * len(right) > MAX_PAIRS:
        return []
    rows = [[measure(first, second) for second in right] for first in left]
    columns = list(zip(*rows, strict=True))
    pairs: list[tuple[LeftT, RightT]] = []
    for row, scores in enumerate(rows):
        column = _find_clearly_best(scores)
        if column is not None and _find_clearly_best(columns[column]) == row:
            pairs.append((left[row], right[column]))
    return pairs


def _find_clearly_best(scores: Sequence[float]) -> int | None:
    """The position of the one that is above 0, and above all others by far; None for no such score."""
    best, *others = sorted(scores, reverse=True)
    is_clear = not others or best - others[0] >= MARGIN
    return scores.index(best) if best > 0 and is_clear else None
