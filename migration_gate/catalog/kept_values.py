"""Whether two values of different types mean the same, and whether one is still in another."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

_MIDNIGHT = re.compile(r"T00:00:00(?:\+00:00)?$")
_UTC = re.compile(r"\+00(?::00)?$")
_TRUE = ("t", "true", "1", "yes", "on", "y")
_FALSE = ("f", "false", "0", "no", "off", "n")
PRECISION_OF_REAL = 1e-6


def is_same_value(old: Any, new: Any) -> bool:
    """Whether a value, as JSON, survived: also as one of another type that says the same."""
    if old is None or new is None:
        return old is new
    if isinstance(old, bool) or isinstance(new, bool):
        return _is_same_truth(old, new)
    if _is_number(old) and _is_number(new):
        return _is_same_number(old, new)
    if isinstance(new, list) and not isinstance(old, list):
        return len(new) == 1 and is_same_value(old, new[0])
    if isinstance(old, str) and isinstance(new, str):
        return _normalize_text(old) == _normalize_text(new)
    return bool(old == new) or _is_same_across_types(old, new)


def is_contained(old: Any, new: Any) -> bool:
    """Whether a value is the other one, or a part of its text: of a JSON object, for example."""
    return is_same_value(old, new) or canonical_text(old) in canonical_text(new)


def compare_attributes(old: Any, new: Any) -> tuple[Any, Any]:
    """Of values of a composite type, or arrays of such: what is lost, and None; both, if others are changed.

    A new attribute loses nothing, and one that has another name keeps its value: then the same is returned
    twice. Other values are returned as they are.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        return _compare_composites(old, new)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [compare_attributes(*pair) for pair in zip(old, new, strict=True)]
        lost = [before for before, after in pairs if after is None and before is not None]
        if lost and all(after is None or before == after for before, after in pairs):
            return lost, None
        return (old, old) if all(before == after for before, after in pairs) else (old, new)
    return old, new


def _compare_composites(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Any, Any]:
    new_values = [canonical_text(value) for name, value in new.items() if name not in old]
    lost: dict[str, Any] = {}
    for name, value in old.items():
        if value is None:
            continue
        if name not in new:
            if canonical_text(value) not in new_values:
                lost[name] = value
            continue
        before, after = compare_attributes(value, new[name])
        if after is None:
            lost[name] = before
        elif not is_same_value(before, after):
            return old, new
    return (lost, None) if lost else (old, old)


def canonical_text(value: Any) -> str:
    """The value as text; the same for numbers that are equal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_number(value):
        number = Decimal(str(value))
        return format(number.normalize(), "f") if number.is_finite() else str(value)
    if isinstance(value, str):
        return _normalize_text(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _is_same_truth(old: Any, new: Any) -> bool:
    truth = _as_truth(old)
    return truth is not None and truth == _as_truth(new)


def _is_same_number(old: Any, new: Any) -> bool:
    if Decimal(str(old)) == Decimal(str(new)):
        return True
    return isinstance(new, float) and math.isclose(float(old), new, rel_tol=PRECISION_OF_REAL)


def _is_same_across_types(old: Any, new: Any) -> bool:
    """A text beside a number or JSON."""
    text, other = (old, new) if isinstance(old, str) else (new, old)
    if not isinstance(text, str):
        return False
    if _is_number(other):
        try:
            return Decimal(text.strip().lstrip("$").replace(",", "")) == Decimal(str(other))
        except InvalidOperation:
            return False
    try:
        return bool(json.loads(text) == other)
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _as_truth(value: Any) -> bool | None:
    text = str(value).lower()
    return True if text in _TRUE else False if text in _FALSE else None


def _normalize_text(text: str) -> str:
    """Without the blanks that char(n) adds, and without what a date or time in UTC may lack."""
    return _UTC.sub("", _MIDNIGHT.sub("", text.rstrip(" ")))
