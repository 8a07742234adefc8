"""What a check is, and what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from migration_gate.facts import Facts, Location


class Severity(StrEnum):
    """How much a finding matters: an error blocks the merge."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """listed, never blocking: what models cannot express, for example"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check saw. It does not know its check: `judge` signs it as a Verdict."""

    object: str
    """the object, as people say it: `media_items.owner_id`, `sql/init.sql`, `3f2a9c`"""
    message: str
    """what was seen: past tense or plain present, the object first, in backticks"""
    location: Location | None = None
    """where a reviewer should look"""
    revision: str | None = None
    """the revision that introduced it"""
    evidence: tuple[tuple[str, str], ...] = ()
    """label and text (`database`, `models`, `statement`, `hint`), in the order to show them"""
    fix: str = ""
    """what to do, filled in with the project's own names; may hold a code block as indented lines"""
    kind: str | None = None
    """for a check with kinds of its own (drift): severities and allowances can name `check/kind`"""
    severity: Severity | None = None
    """only where this one finding weighs otherwise than its check"""


class Check(Protocol):
    """A module of `checks/` satisfies this."""

    __name__: str
    __doc__: str | None
    SEVERITY: Severity

    def check(self, facts: Facts, /) -> Iterator[Finding]:
        """Look at the facts and yield what is wrong."""
        ...


def check_name(check: Check) -> str:
    """The check's name, as people write it after "allow"."""
    return check.__name__.rpartition(".")[2].replace("_", "-")


def check_kinds(check: Check) -> tuple[str, ...]:
    """The kinds of finding that the check tells apart, as `check/kind` names them."""
    return tuple(getattr(check, "KINDS", ()))
