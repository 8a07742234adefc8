"""Values for the rows of a rehearsal: plain ones, unusual ones, and the extremes of a type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from migration_gate.catalog.simple_values import NamedTypes, make_simple_value

_LENGTH = re.compile(r"\((\d+)\)")
_PRECISION = re.compile(r"\((\d+),(-?\d+)\)")
_TEXTS = ("character varying", "text", "citext")
LONG_TEXT = 5000
"""characters, where no length is set"""
LONGEST_TEXT = 10_000
LONGEST_BITS = 64
"""of a varying length"""
_MOST_SINGLE_DIGITS = 9
_MOST_DAYS = 28
_FEW_NUMBERS = re.compile(r"^(bytea|int[48]range|numrange|tsrange|tstzrange|daterange|\w+multirange|bit)")
"""types whose simplest values end with a digit"""


def make_plain_value(type_text: str, number: int, named: NamedTypes) -> str | None:
    """The value of a row's number (from 1), such as an application would write; None if none is known."""
    base = find_base_type(type_text, named)
    if _FEW_NUMBERS.match(base):
        number = (number - 1) % _MOST_SINGLE_DIGITS + 1
    elif base.startswith(("date", "timestamp")):
        number = (number - 1) % _MOST_DAYS + 1
    value = make_simple_value(type_text, number, named)
    if value is not None and base.startswith(("numeric", "double", "real")):
        return _add_fraction(base, value, number)
    return value


def find_base_type(type_text: str, named: NamedTypes) -> str:
    """The type below a domain, as `format_type` prints it, without quotes."""
    plain = type_text.replace('"', "")
    while plain in named.domain_bases:
        plain = named.domain_bases[plain].replace('"', "")
    return plain


def list_unusual_values(type_text: str, named: NamedTypes) -> tuple[str, ...]:
    """Values that applications write now and then, and that migrations forget.

    Two of them are alike but for their ends, where the type allows that: so it shows when values are cut.
    """
    base = find_base_type(type_text, named)
    if base in named.labels:
        return ()  # the plain rows have every label
    if base.endswith("[]"):
        return ("{}", *_list_pairs(base.removesuffix("[]"), named))
    if base.startswith(_TEXTS) or base.endswith("citext"):
        return _list_unusual_texts(base)
    if base.startswith("numeric"):
        return _list_unusual_numerics(base)
    if base.startswith("bit"):
        return _list_unusual_bits(base)
    return next((values for start, values in _UNUSUAL.items() if base.startswith(start)), ())


def list_extreme_values(type_text: str, named: NamedTypes) -> tuple[str, ...]:
    """The ends of what the type can hold, as far as they are special."""
    base = find_base_type(type_text, named)
    if base.startswith("numeric"):
        precision = _PRECISION.search(base)
        return ("9" * min(int(precision[1]) - int(precision[2]), 100),) if precision else ()
    return next((values for start, values in _EXTREME.items() if base.startswith(start)), ())


def _list_pairs(element: str, named: NamedTypes) -> Iterator[str]:
    """Two arrays of two elements, whose first ones are the same."""
    first, *others = (make_simple_value(element, number, named) for number in (1, 2, 3))
    for other in others:
        if first is not None and other is not None and first != other:
            yield "{" + ",".join(json.dumps(value, ensure_ascii=False) for value in (first, other)) + "}"


def _list_unusual_texts(base: str) -> tuple[str, ...]:
    length = _LENGTH.search(base)
    longest = min(int(length[1]), LONGEST_TEXT) if length else LONG_TEXT
    beginning = "long text " * (longest // 10 + 1)
    alike = tuple(beginning[: longest - 1] + end for end in "ab")
    texts = ("", alike[0], alike[1], "Text 1", "\u00e9 \u20ac"[:longest])
    return tuple(text for text in texts if len(text) <= longest)


def _list_unusual_bits(base: str) -> tuple[str, ...]:
    """Two that differ in their last bit, and of a varying length none at all."""
    is_varying = base.startswith("bit varying")
    length = _LENGTH.search(base)
    number = int(length[1]) if length else LONGEST_BITS if is_varying else 1
    if is_varying:
        number = min(number, LONGEST_BITS)
    alike = tuple("1" * (number - 1) + end for end in "01") if number > 1 else ()
    return ("", *alike) if is_varying else alike


def _add_fraction(base: str, value: str, number: int) -> str:
    """The number with a quarter, a half or three, where the type can hold that."""
    precision = _PRECISION.search(base)
    scale = int(precision[2]) if precision else 2
    if base.startswith("numeric(") and precision is None:
        scale = 0
    fractions = ("", ".25", ".5", ".75") if scale > 1 else ("", ".5") if scale == 1 else ("",)
    return value if "." in value else value + fractions[number % len(fractions)]


def _list_unusual_numerics(base: str) -> tuple[str, ...]:
    precision = _PRECISION.search(base)
    scale = int(precision[2]) if precision else 6
    if base.startswith("numeric(") and precision is None:
        return ("0", "-1")
    same = "1." + "1" * (scale - 1)
    return ("0", f"{same}1", f"{same}2", "-1") if scale > 0 else ("0", "-1")


_UNUSUAL: Mapping[str, tuple[str, ...]] = {
    "character": (),
    "smallint": ("0", "-1", "100"),
    "integer": ("0", "-1", "100000"),
    "bigint": ("0", "-1", "3000000000"),
    "real": ("0", "1.11", "1.12", "-1"),
    "double precision": ("0", "1.110000001", "1.110000002", "-1"),
    "date": ("1970-01-01", "2099-12-31"),
    "timestamp": ("2024-01-01 12:00:00.25", "2024-01-01 12:00:00.375", "2024-01-01 13:30:00.75"),
    "time": ("00:00:00", "12:00:01.25", "12:00:01.375"),
    "interval": ("0", "-1 days", "1 day 02:03:04", "1 day 02:03:04.25", "1 day 02:03:05"),
    "jsonb": ("{}", "[]"),
    "json": ("{}", "[]"),
    "inet": ("10.0.0.5/24", "10.0.0.6/24"),
    "bytea": ("", "\\x" + "ab" * 99 + "01", "\\x" + "ab" * 99 + "02"),
    "hstore": ("",),
}
"""by the beginnings of the types' names; the first that fits counts"""
_EXTREME: Mapping[str, tuple[str, ...]] = {
    "smallint": ("32767", "-32768"),
    "integer": ("2147483647", "-2147483648"),
    "bigint": ("9223372036854775807",),
    "date": ("infinity", "-infinity"),
    "timestamp": ("infinity", "-infinity"),
    "jsonb": ("null",),
    "json": ("null",),
}
