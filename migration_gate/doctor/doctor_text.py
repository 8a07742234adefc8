"""The answer of `doctor` as text for people: what is missing comes first, defaults are counted."""

from __future__ import annotations

import textwrap

from migration_gate.doctor.examination_sections import is_default
from migration_gate.doctor.project_examination import Examination, Section
from migration_gate.wording import count_noun

WIDTH = 80
"""columns of a line"""


def render_text(examination: Examination) -> str:
    """One project's report, in 80 columns where paths allow it."""
    lines = [examination.name, "=" * len(examination.name), "", *_render_missing(examination)]
    for title, section in examination.sections.items():
        shown = _fold_defaults(section) if title == "configuration" else section
        lines += ["", title.capitalize(), *_render_section(shown)]
    return "\n".join(lines)


def _fold_defaults(section: Section) -> Section:
    shown = {key: text for key, text in section.items() if not is_default(str(text))}
    defaults = len(section) - len(shown)
    if defaults:
        shown["defaults"] = f"{count_noun(defaults, 'key')} (`--format json` lists them)"
    return shown


def _render_section(section: Section) -> list[str]:
    width = max(map(len, section), default=0) + 2
    lines: list[str] = []
    for label, value in section.items():
        texts = [value] if isinstance(value, str) else value
        for number, text in enumerate(texts):
            shown_label = label if number == 0 else ""
            lines += _wrap_line(text, f"  {shown_label:<{width}}")
    return lines


def _render_missing(examination: Examination) -> list[str]:
    if not examination.missing:
        if "trial" in examination.sections:
            return ["Nothing is missing: env.py ran to its end."]
        return ["Nothing is missing that can be seen without running it (`--try` runs env.py once)."]
    lines = ["Missing"]
    for problem in examination.missing:
        is_in_message = not problem["where"] or problem["where"] in problem["says"]
        where = "" if is_in_message else f" ({problem['where']})"
        lines += _wrap_line(problem["says"] + where, "  - ")
        for line in problem["advice"].splitlines():
            lines += _wrap_advice(line)
    return lines


def _wrap_advice(line: str) -> list[str]:
    """A line of advice; indented lines are configuration to copy, and stay as they are."""
    if line.startswith(" "):
        return [f"    {line}"]
    return _wrap_line(line, "    ") if line else [""]


def _wrap_line(line: str, start: str) -> list[str]:
    """`start` and the line in 80 columns; further lines are indented as far as `start` is long.

    An indented line is configuration to copy.
    """
    wrapper = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent = start
    wrapper.subsequent_indent = " " * len(start)
    return wrapper.wrap(line) or [start.rstrip()]
