"""What a check is, what it finds, and how it asks which revision is to blame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from textwrap import indent
from typing import Protocol

from migration_gate.facts import Column, Facts, Place, Replay, Step, Table, Touch


class Severity(StrEnum):
    """How much a finding matters: an error blocks the merge."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """listed, never blocking: what models cannot express, for example"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check saw. It does not know its check: `judge` signs it as a Verdict."""

    at: str
    """the object, as people say it: `media_items.owner_id`, `sql/init.sql`, `3f2a9c`"""
    says: str
    """what was seen: past tense or plain present, the object first, in backticks"""
    place: Place | None = None
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


@dataclass(frozen=True, slots=True)
class Origin:
    """The revision that made something the way it is."""

    revision: str | None = None
    place: Place | None = None

    def __bool__(self) -> bool:
        return self.revision is not None


@dataclass(frozen=True, slots=True)
class Trace:
    """Asks the replay's history who did what; build it once per check."""

    replay: Replay
    _steps: dict[int, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._steps.update({step.number: step for step in self.replay.steps})

    def _origin(self, touch: Touch | None) -> Origin:
        step = self._steps.get(touch.step) if touch else None
        if step is None:
            return Origin()
        revision = self.replay.history.revision(step.revision)
        return Origin(step.revision, revision.place if revision else None)

    def of_table(self, table: Table) -> Origin:
        """The revision that created the table."""
        return self._origin(next((t for t in self.replay.touches if t.oid == table.oid), None))

    def of_column(self, table: Table, column: Column) -> Origin:
        """The revision since which the column has had its type, nullability and default."""
        since: Touch | None = None
        now = (column.type, column.nullable)
        for touch in self.replay.touches:
            if touch.oid != table.oid or not touch.columns:
                continue
            state = next((c for c in touch.columns if c.number == column.number), None)
            if state is None or (state.type, state.nullable) != now:
                since = None
            elif since is None:
                since = touch
        return self._origin(since)

    def of_constraint(self, table: Table, name: str) -> Origin:
        """The revision since which the table has had a constraint or index of that name, as it is now."""
        since: Touch | None = None
        last: str | None = None
        for touch in self.replay.touches:
            if touch.oid != table.oid or not touch.columns:
                continue
            definition = dict((*touch.constraints, *touch.indexes)).get(name)
            if definition is None:
                since, last = None, None
            elif definition != last:
                since, last = touch, definition
        return self._origin(since)

    def of_named(self, identity: str) -> Origin:
        """The last revision that touched an object, by its qualified identity (enums, sequences, views)."""
        return self._origin(next((t for t in reversed(self.replay.touches) if t.identity == identity), None))


def name(check: Check) -> str:
    """The check's name, as people write it after "allow"."""
    return check.__name__.rpartition(".")[2].replace("_", "-")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 table`, `2 indexes`, `3 policies`."""
    return f"{number} {noun if number == 1 else plural or _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "sh", "ch")):
        return f"{noun}es"
    consonant = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    return f"{noun[:-1]}ies" if consonant else f"{noun}s"


def listed(words: Iterable[str], *, quote: str = "`") -> str:
    """Words as people list them: `a`, `b` and `c`."""
    quoted = [f"{quote}{word}{quote}" for word in words]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1]))) if quoted else ""


def code(text: str) -> str:
    """A block of code inside a fix: its lines indented by four, between empty lines."""
    return "\n\n" + indent(text.strip("\n"), "    ") + "\n"


def kinds(check: Check) -> tuple[str, ...]:
    """The kinds of finding that the check tells apart, as `check/kind` names them."""
    return tuple(getattr(check, "KINDS", ()))
