"""The values that a statement was given, as a text that is the same in each run of the same code."""

from __future__ import annotations

import hashlib
import re
from typing import Any

MAX_TEXT = 600
"""characters that are kept; behind them stands a hash of all"""
MAX_ROWS = 1000
"""rows of values that are looked at, of a statement that is run for many"""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def describe_parameters(parameters: Any) -> str:
    """The values as Python writes them; empty if there are none, or if they cannot be written."""
    if not parameters:
        return ""
    try:
        text = _write_values(parameters)
    except Exception:  # their classes are the project's
        return ""
    if len(text) <= MAX_TEXT:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return f"{text[:MAX_TEXT]}… {digest}"


def _write_values(parameters: Any) -> str:
    if isinstance(parameters, list) and len(parameters) > MAX_ROWS:
        return _ADDRESS.sub("", f"{parameters[:MAX_ROWS]!r} of {len(parameters)}")
    return _ADDRESS.sub("", repr(parameters))
