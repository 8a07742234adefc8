"""Lines of text for a terminal: colour, width, and how much of a text is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.printable_text import escape_unprintable, shorten_text

BOLD, RED, YELLOW, CYAN, GREEN = "1", "31;1", "33", "36", "32;1"
"""codes of a terminal"""
LABEL_LENGTH = 200
"""characters of a name or a label"""
LINE_LENGTH = 1500
"""characters of one piece of evidence, or of a printed line"""
PARAGRAPH_LENGTH = 4000
"""characters of one sentence, path or remark"""
TEXT_LENGTH = 20_000
"""characters of one fix"""


def wants_colour(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether to use colour: NO_COLOR and FORCE_COLOR decide, else whether a terminal can show it."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal and environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Layout:
    """How lines are written."""

    colour: bool
    width: int
    """columns"""

    def paint(self, text: str, code: str) -> str:
        """`text` in a colour of the terminal, if colour is on."""
        if not self.colour or not text:
            return text
        return f"\x1b[{code}m{text}\x1b[0m"

    def wrap(self, text: str, indent: str = "", first_indent: str | None = None) -> list[str]:
        """The lines of one paragraph. Names and paths stay whole, so that a terminal can open them."""
        return textwrap.wrap(
            escape_unprintable(shorten_text(text, PARAGRAPH_LENGTH)),
            self.width,
            initial_indent=indent if first_indent is None else first_indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def wrap_lines(self, text: str, indent: str) -> Iterator[str]:
        """Each line of `text` as a paragraph."""
        for line in text.split("\n"):
            yield from self.wrap(line, indent)


def indent_lines(text: str, indent: str) -> Iterator[str]:
    """Each line of code or output, as it is."""
    for line in escape_unprintable(text, keep_lines=True).split("\n"):
        yield f"{indent}{line}".rstrip()
