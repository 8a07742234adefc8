"""Markdown in which a project's words stay plain text: escapes, code blocks and lists.

Everything that comes from a project goes through `escape_markdown` or `fence_code`, so that no name, message
or comment of a project becomes a heading, a link, a mention, HTML or a broken table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.report.printable_text import escape_unprintable, shorten_text
from migration_gate.wording import count_noun

TEXT_LIMIT = 20_000
"""characters of one piece of evidence, one fix or one output"""
LINE_LIMIT = 2000
"""characters of one sentence or one table cell"""
MAX_LIST_ITEMS = 50
MIN_FENCE = 3
"""backticks that begin a code block in Markdown"""
SPECIAL_CHARACTER = re.compile(
    r"""
      [\\`*_{}\[\]#|~@<>&$]  # Markdown, tables, mentions, HTML and formulas
    | :(?=//)                # https://…
    | (?<=www)\.             # www.…
    | ^[-+=]                 # lists and headings
    | ^\d(?=\d*[.)])         # numbered lists
    | (?<=\bGH)-(?=\d)       # GH-12, an issue of GitHub
    """,
    re.IGNORECASE | re.VERBOSE,
)
MENTION_OR_ISSUE = re.compile(r"(&#64;|&#35;(?=\d)|&#45;(?=\d))")
"""an escaped `@`, or an escaped `#` or `-` before a number"""
ZERO_WIDTH_SPACE = "&#8203;"
PYTHON = re.compile(r"\bop\.|\bsa\.|^(?:def|import|from|down_revision)\b", re.MULTILINE)
SQL = re.compile(
    r"^\s*(?:ALTER|CREATE|DROP|UPDATE|DELETE|INSERT|SELECT|WITH|COMMENT|TRUNCATE)\s", re.IGNORECASE
)


def escape_markdown(text: str) -> str:
    """`text` on one line, for any place in Markdown; what stands between backticks becomes code."""
    parts = escape_unprintable(shorten_text(text, LINE_LIMIT)).split("`")
    has_unpaired_backtick = len(parts) % 2 == 0
    if has_unpaired_backtick:
        return _escape_characters("`".join(parts))
    escaped_parts = []
    for number, part in enumerate(parts):
        escaped = _escape_characters(part)
        is_code = number % 2 == 1
        escaped_parts.append(f"<code>{escaped}</code>" if is_code and part else escaped)
    return "".join(escaped_parts)


def _escape_characters(text: str) -> str:
    """Each character that has a meaning in Markdown or HTML, as a character reference."""
    escaped = SPECIAL_CHARACTER.sub(lambda match: f"&#{ord(match[0])};", text)
    # GitHub looks for mentions and issues in the finished page, in which references are characters again.
    return MENTION_OR_ISSUE.sub(rf"\1{ZERO_WIDTH_SPACE}", escaped)


def fence_code(text: str, language: str = "", *, limit: int = TEXT_LIMIT) -> str:
    """`text` as a block of code, in a fence that is longer than any run of backticks inside."""
    left_out = len(text) - limit
    text = escape_unprintable(text[:limit], keep_lines=True).strip("\n")
    if left_out > 0:
        text = f"{text}\n... {left_out} more characters"
    longest_run = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(MIN_FENCE, longest_run + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def guess_language(code: str) -> str:
    """`python`, `sql` or nothing, for the first line of a code block."""
    if PYTHON.search(code):
        return "python"
    return "sql" if SQL.match(code) else ""


def render_list(lines: Sequence[str]) -> str:
    """A list of at most 50 lines; the others are counted."""
    items = [f"- {escape_markdown(line)}" for line in lines[:MAX_LIST_ITEMS]]
    if len(lines) > MAX_LIST_ITEMS:
        items.append(f"- {count_noun(len(lines) - MAX_LIST_ITEMS, 'more line')}")
    return "\n".join(items) + "\n"


def fold_section(title: str, text: str) -> str:
    """A part of the page that is folded at first; the title must be our own text."""
    return f"<details><summary>{title}</summary>\n\n{text.rstrip()}\n\n</details>\n"


def fence_mermaid(diagram: str) -> str:
    """A block that GitHub draws as a diagram."""
    return f"```mermaid\n{diagram}\n```\n"
