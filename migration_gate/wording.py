"""Numbers, sizes, times, lists, code blocks and suggested names, as checks and reports spell them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from difflib import get_close_matches
from textwrap import indent

MOST_WORDS = 50
"""of a list in a sentence"""

TO_FILL_IN = "…"
"""in the place of a value that only the user can know"""


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 table`, `2 indexes`, `3 policies`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {plural or _form_plural(noun)}"


def _form_plural(noun: str) -> str:
    if clause := re.search(r" (?:that|with) ", noun):  # a revision that ran
        return _form_plural(noun[: clause.start()]) + noun[clause.start() :]
    if noun.endswith(("s", "x", "sh", "ch")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
"""each 1024 of the one before, as Postgres has them"""
ROW_UNITS = ("", " thousand", " million", " billion", " trillion")
_TIMES = ((90, 1, "s"), (90 * 60, 60, "min"), (48 * 3600, 3600, "h"), (math.inf, 86400, "days"))
"""up to how many seconds a unit is used, and how many one of it has"""


def format_bytes(number: int) -> str:
    """A number of bytes as Postgres' pg_size_pretty spells them, never less than it is: `8 kB`, `1.5 GB`."""
    return _scale(number, 1024, BYTE_UNITS, " ")


def format_rows(number: int) -> str:
    """A number of rows, never less than it is: `1 row`, `950 rows`, `1.2 million rows`."""
    return "1 row" if number == 1 else f"{_scale(number, 1000, ROW_UNITS, '')} rows"


def _scale(number: int, step: int, units: tuple[str, ...], gap: str) -> str:
    """Two digits at least, rounded up: what is too small would let more pass."""
    power = 0
    while power + 1 < len(units) and number >= step ** (power + 1):
        power += 1
    tenths = -(-number * 10 // step**power)
    if tenths >= step * 10 and power + 1 < len(units):  # rounded up to one of the next unit
        return f"1{gap}{units[power + 1]}"
    text = f"{tenths / 10:g}" if tenths < 100 else str(-(-tenths // 10))
    return f"{text}{gap}{units[power]}"


def format_duration(seconds: float) -> str:
    """About how long something takes, in the largest unit that fits: `less than 1 s`, `6 min`, `3 h`."""
    if seconds < 1:
        return "less than 1 s"
    size, unit = next((size, unit) for limit, size, unit in _TIMES if seconds < limit)
    return f"{round(seconds / size)} {unit}"


def join_words(words: Iterable[str], *, quote: str = "`") -> str:
    """A list in a sentence: `a`, `b` and `c`; empty for no words. A long one ends with `and 9950 more`."""
    quoted = [f"{quote}{word}{quote}" for word in words]
    if len(quoted) > MOST_WORDS:
        quoted[MOST_WORDS:] = [f"{len(quoted) - MOST_WORDS} more"]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def join_lines(text: str) -> str:
    """A text of several lines, such as a definition that Postgres prints, inside of a sentence."""
    return " ".join(line.strip() for line in text.splitlines())


def code_block(text: str) -> str:
    """A block of code inside a fix: its lines indented by four, between empty lines."""
    return "\n\n" + indent(text.strip("\n"), "    ") + "\n"


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that was probably meant, or None; case, `-` and `_` make no difference."""
    folded_names = {known.lower().replace("-", "_"): known for known in names}
    matches = get_close_matches(name.lower().replace("-", "_"), folded_names, n=1, cutoff=0.6)
    return folded_names[matches[0]] if matches else None


def suggest_name(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Advice for a name that is not one of `names`: the nearest one, else `otherwise` or all of them."""
    known_names = list(names)
    nearest = nearest_name(name, known_names)
    if nearest:
        return f"Did you mean `{nearest}`?"
    return otherwise or f"Known here: {', '.join(known_names)}."
