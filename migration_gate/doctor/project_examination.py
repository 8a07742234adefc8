"""What `doctor` found about one project, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TypeVar

from migration_gate.errors import GateError
from migration_gate.lazy_dataclass import dataclass

T = TypeVar("T")
Section = dict[str, str | list[str]]
"""label and text, or label and several texts"""


@dataclass
class Examination:
    """What was found for one project, by section, and what is missing."""

    name: str
    sections: dict[str, Section] = field(default_factory=dict)
    missing: list[dict[str, str]] = field(default_factory=list)
    """`says`, `advice` and `where` of each problem"""

    def call_or_note_missing(self, call: Callable[[], T]) -> T | None:
        """The result of a call; None if it raised a GateError, which is then noted as missing."""
        try:
            return call()
        except GateError as error:
            self.note_missing(error.message, error.advice, error.where)
            return None

    def note_missing(self, message: str, advice: str, where: str = "") -> None:
        """Note something that is missing, and the setting that helps."""
        self.missing.append({"says": message, "advice": advice, "where": where})
