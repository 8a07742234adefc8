"""The entry of `allow:` that would accept a finding, to be copied."""

from __future__ import annotations

import json
import re

from migration_gate.report.printable_text import escape_unprintable
from migration_gate.report.verdict_selection import full_check_name
from migration_gate.verdict.outcome import Verdict

LONGEST_OBJECT = 300
"""characters"""
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*")
"""a text that YAML reads as itself without quotes, unless it is one of its own words"""
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_PATTERN_CHARACTER = re.compile(r"[*?\[]")


def format_allow_entry(verdict: Verdict) -> str:
    """Lines of YAML for `.migration-gate.yml`; the reason is left to the user, who has to give one.

    Empty if the object has a name that nobody would copy.
    """
    if len(verdict.finding.object) > LONGEST_OBJECT:
        return ""
    pattern = escape_pattern(verdict.finding.object)
    lines = (
        "allow:",
        f"- check: {full_check_name(verdict)}",
        f"  object: {_quote_scalar(pattern)}",
        '  reason: ""  # why it is right here',
    )
    return "\n".join(lines)


def escape_pattern(name: str) -> str:
    """The glob pattern that matches this name alone."""
    return _PATTERN_CHARACTER.sub(lambda match: f"[{match[0]}]", name)


def _quote_scalar(text: str) -> str:
    """A scalar of YAML with this value; JSON's strings, and Python's escapes, are YAML's as well."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return escape_unprintable(json.dumps(text, ensure_ascii=False))
