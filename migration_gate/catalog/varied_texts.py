"""Other texts like one that a CHECK has accepted: a unique column needs another one in each row."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase

from migration_gate.lazy_dataclass import dataclass

_CODE_LENGTH = 2
"""of the end that counts the rows, where a text has to keep its length"""


def _count_in_letters(number: int) -> str:
    return ascii_lowercase[number // 26 % 26] + ascii_lowercase[number % 26]


def _count_in_capitals(number: int) -> str:
    return _count_in_letters(number).upper()


def _replace_end(text: str, end: str) -> str:
    return text[:-_CODE_LENGTH] + end if len(text) >= _CODE_LENGTH else ""


_FORMS: tuple[Callable[[str, int], str], ...] = (
    lambda text, number: f"{number}{text}",
    lambda text, number: f"{text}{number}",
    lambda text, number: f"{number}{text}{number}",
    lambda text, number: text + _count_in_letters(number),
    lambda text, number: text + _count_in_capitals(number),
    lambda text, number: _replace_end(text, f"{number % 100:02d}"),
    lambda text, number: _replace_end(text, _count_in_letters(number)),
    lambda text, number: _replace_end(text, _count_in_capitals(number)),
    lambda text, number: text * number,
)


@dataclass(frozen=True, slots=True)
class VariedText:
    """A text that was accepted, and one way to make others of it."""

    text: str
    form: int

    def make(self, number: int) -> str:
        """The text of a row's number, from 1."""
        return _FORMS[self.form](self.text, number)


def list_forms(text: str) -> tuple[VariedText, ...]:
    """All ways to make others of a text; which of them its rules accept is Postgres' to say."""
    return tuple(VariedText(text, form) for form in range(len(_FORMS))) if text else ()
