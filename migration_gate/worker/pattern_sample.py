"""Makes a text that a regular expression matches: for fields that accept nothing else."""

from __future__ import annotations

import re
from typing import Any

CLASS_SAMPLES = {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " "}
MOST_REPEATS = 100


def sample_pattern(pattern: str) -> str:
    """A text that matches; '' if none was found. Look-arounds and the like are not understood."""
    try:
        parser: Any = getattr(re, "_parser", None)  # since Python 3.11
        if parser is None:
            import sre_parse as parser
        text = _sample_sequence(parser.parse(pattern))
        return text if re.search(pattern, text) else ""
    except Exception:  # private modules, and patterns of other dialects
        return ""


def _sample_sequence(items: Any) -> str:
    return "".join(_sample_item(str(operator), value) for operator, value in items)


def _sample_item(operator: str, value: Any) -> str:
    if operator in ("LITERAL", "ANY", "NOT_LITERAL", "IN"):
        return _sample_class(value if operator == "IN" else [(operator, value)])
    if operator in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        lowest, highest, inner = value
        repeats: int = min(max(lowest, 1 if highest else 0), MOST_REPEATS)
        return _sample_sequence(inner) * repeats
    if operator == "SUBPATTERN":
        return _sample_sequence(value[-1])
    if operator == "BRANCH":
        return _sample_sequence(value[1][0])
    return ""  # AT and the like have no length


def _sample_class(items: Any) -> str:
    operator, value = items[0]
    kind = str(operator)
    if kind == "NOT_LITERAL":
        return "b" if value == ord("a") else "a"
    if kind in ("LITERAL", "RANGE"):
        return chr(value if kind == "LITERAL" else value[0])
    return CLASS_SAMPLES.get(str(value), "a")
