"""What a check is, and what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from migration_gate.facts import Subject
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from migration_gate.facts import CatalogObject, Correction, Facts, Location, Origin


class Severity(StrEnum):
    """How much a finding matters: an error blocks the merge."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """listed, never blocking: what models cannot express, for example"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A labelled text that supports a finding: a statement, a definition, an error."""

    label: str
    """`database`, `models`, `statement`, `hint`..."""
    text: str


@dataclass(frozen=True, slots=True)
class Extent:
    """How much work a finding is about, and how long it takes on the machine of this run."""

    amount: str
    """`48 GB, 120 million rows`"""
    time: str = ""
    """`about 6 min`; '' if none is claimed"""
    weight: str = ""
    """`a warning instead of an error`, where a small table made it less severe"""

    def __str__(self) -> str:
        time = f", {self.time} at this machine's rate" if self.time else ""
        return f"{self.amount}{time}{f'; small, so {self.weight}' if self.weight else ''}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that a check saw. It does not name its check: `judge` adds that, which makes it a Verdict."""

    object: str
    """the object as reports show it: `media_items.owner_id`, `sql/init.sql`, `3f2a9c`"""
    message: str
    """what was seen, in the past tense or plain present, the object first and in backticks"""
    location: Location | None = None
    """where a reviewer should look"""
    revision: str | None = None
    """the revision that introduced it"""
    evidence: tuple[Evidence, ...] = ()
    """in the order to show it"""
    fix: str = ""
    """what to do, filled in with the project's own names; may hold a code block as indented lines"""
    kind: str | None = None
    """for a check with kinds of its own (drift): severities and allowances can name `check/kind`"""
    severity: Severity | None = None
    """only if it differs from the severity of the check"""
    corrections: tuple[Correction, ...] = ()
    """what to change in the sources, where that is plain: all of it together"""
    other_locations: tuple[Location, ...] = ()
    """where a reviewer may look as well, the best first: a report shows the one that the change has"""
    extent: Extent | None = None
    """shown after the message, and never compared with another run's: times differ, and tables grow"""

    def __post_init__(self) -> None:
        """A message is one line, whatever a definition or an error in it looks like."""
        if "\n" in self.message:
            lines = (line.strip() for line in self.message.splitlines())
            object.__setattr__(self, "message", " ".join(lines))

    @classmethod
    def at_origin(
        cls,
        origin: Origin,
        object: CatalogObject | str,  # noqa: A002 - as the field is called
        message: str,
        *,
        evidence: tuple[Evidence, ...] = (),
        fix: str = "",
        other_locations: tuple[Location, ...] = (),
        corrections: tuple[Correction, ...] = (),
    ) -> Finding:
        """A finding about an object of the database, at the revision that made it so."""
        return cls(
            str(object),
            message,
            origin.location,
            origin.revision,
            evidence,
            fix,
            other_locations=other_locations,
            corrections=corrections,
        )

    @property
    def headline(self) -> str:
        """The message and the extent of what was found, for people."""
        return f"{self.message}: {self.extent}" if self.extent is not None else self.message

    def with_kind(self, kind: str, severity: Severity | None = None) -> Finding:
        """The finding as one of a kind of its check, with the severity of that kind."""
        return replace(self, kind=kind, severity=severity)

    @property
    def locations(self) -> tuple[Location, ...]:
        """Every location, the best first."""
        return (*filter(None, (self.location,)), *self.other_locations)

    def move_to(self, location: Location) -> Finding:
        """The finding at another one of its locations; the first one becomes evidence.

        The revision stays: it is the one that introduced the problem, wherever it is shown.
        """
        old = self.location
        if old is None or old.file == location.file:
            return replace(self, location=location)
        if self.revision is None:
            evidence = Evidence("see also", str(old))
        else:
            evidence = Evidence("since", f"revision {self.revision}, {old}")
        return replace(self, location=location, evidence=(*self.evidence, evidence))


class Check(Protocol):
    """What a module of `checks/` must have: a docstring, a severity, a subject and a function."""

    __name__: str
    __doc__: str | None
    SEVERITY: Severity
    SUBJECT: Subject
    """what it looks at; a report says of how many"""

    def check(self, facts: Facts, /) -> Iterator[Finding]:
        """Read the facts and yield what is wrong."""
        ...


def check_name(check: Check) -> str:
    """The check's name as it is written after "allow": `nullable-owner`."""
    return check.__name__.rpartition(".")[2].replace("_", "-")


def check_kinds(check: Check) -> tuple[str, ...]:
    """The kinds of finding that the check distinguishes, as `check/kind` names them; often none."""
    return tuple(getattr(check, "KINDS", ()))


__all__ = [
    "Check",
    "Evidence",
    "Extent",
    "Finding",
    "Severity",
    "Subject",
    "check_kinds",
    "check_name",
]
