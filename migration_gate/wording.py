"""Numbers, lists and code blocks as the messages of checks and reports spell them."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent


def count_noun(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 table`, `2 indexes`, `3 policies`."""
    return f"{number} {noun if number == 1 else plural or _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "sh", "ch")):
        return f"{noun}es"
    consonant = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    return f"{noun[:-1]}ies" if consonant else f"{noun}s"


def join_words(words: Iterable[str], *, quote: str = "`") -> str:
    """Words as people list them: `a`, `b` and `c`."""
    quoted = [f"{quote}{word}{quote}" for word in words]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1]))) if quoted else ""


def code_block(text: str) -> str:
    """A block of code inside a fix: its lines indented by four, between empty lines."""
    return "\n\n" + indent(text.strip("\n"), "    ") + "\n"
