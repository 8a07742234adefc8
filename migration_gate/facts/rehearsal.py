"""What became of rows when the new revisions of a change ran: rows that were made at its base."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from migration_gate.facts.coverage import Unchecked
from migration_gate.facts.failure import Failure
from migration_gate.facts.object_names import display_name
from migration_gate.lazy_dataclass import dataclass

RowLoss = Literal[
    "lost rows",
    "dropped table",
    "dropped column",
    "merged values",
    "emptied values",
    "other values",
    "repeated rows",
]
"""lost rows: of a table that is there; merged values: different ones became the same; emptied values: they
became NULL; other values: each is another one than before, and all can still be told apart;
repeated rows: there are more of the same, but for a number that counts them"""
FailingRows = Literal["plain", "filled", "unusual", "extreme", "own"]
"""with which rows a revision fails: with the plainest ones, too; with such ones, but not if they have NULL
wherever that is allowed; only with NULL, duplicates, the longest text and the like; only with the ends of
what a type can hold, such as the date `infinity`; or only with the project's own"""


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a revision did to rows of a table that stood at the base."""

    kind: RowLoss
    schema: str
    table: str
    """as it was called before the revision"""
    column: str = ""
    """'' if whole rows are meant"""
    count: int = 0
    """of rows that it happened to"""
    total: int = 0
    """of rows that the table had"""
    row: str = ""
    """one of them, before the revision: `id=3, email=''`"""
    before: str = ""
    """its value"""
    after: str = ""
    statement: str = ""
    """that did it, as far as that is plain"""
    line: int | None = None
    """of the revision's file"""

    def __str__(self) -> str:
        name = display_name(self.schema, self.table)
        return f"{name}.{self.column}" if self.column else name


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A constraint that stands in the database, and does not hold for all of its rows."""

    schema: str
    table: str
    constraint: str
    definition: str
    message: str
    """Postgres's own"""
    detail: str = ""
    is_validated: bool = False
    """Postgres takes it for valid: it was circumvented, by disabled triggers for example"""
    statement: str = ""
    """that most probably broke it, or made it without a look at the rows"""
    line: int | None = None
    """of the statement in the revision's file"""

    def __str__(self) -> str:
        return f"{self.constraint} on {display_name(self.schema, self.table)}"


@dataclass(frozen=True, slots=True)
class RowFailure:
    """A revision that fails where there are rows, and runs where there are none."""

    failure: Failure
    rows: FailingRows
    row: str = ""
    """the one in question, as far as Postgres names it"""
    tables: tuple[str, ...] = ()
    """whose rows are to blame, as reports show them"""


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """A statement that changed many of the made rows, by itself or repeated."""

    statement: str
    line: int | None
    """of the revision's file"""
    rows: int
    """that it changed in all"""
    earlier_lines: tuple[int, ...] = ()
    """of the statements before it in its transaction, in their order"""


@dataclass(frozen=True, slots=True)
class RehearsedRevision:
    """What came of one new revision, with rows in all tables."""

    revision: str
    changes: tuple[RowChange, ...] = ()
    failure: RowFailure | None = None
    broken_rules: tuple[BrokenRule, ...] = ()
    written: tuple[WrittenRows, ...] = ()
    """in the migration's transaction"""
    unproven: str = ""
    """why nothing is known, as a clause"""


@dataclass(frozen=True, slots=True)
class RowlessTable:
    """A table for which no row could be made, or not those that are unusual."""

    schema: str
    name: str
    refusal: str
    """the constraint, trigger or type that refused them, in Postgres's words"""

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The new revisions, run from the base with rows in all of its tables."""

    revisions: tuple[RehearsedRevision, ...] = ()
    """in their order"""
    tables: int = 0
    """that stood at the base"""
    rows: int = 0
    """that were made in all"""
    own_rows: int = 0
    """of these, the project's own"""
    unchecked: tuple[Unchecked, ...] = ()
    """the project's own rows, if they could not be made"""
    notes: tuple[str, ...] = ()
    rowless: tuple[RowlessTable, ...] = ()
    unproven: str = ""
    """why nothing was rehearsed, as a clause; '' if there was nothing to rehearse, or all was"""
    is_limit: bool = False
    """`unproven` is a limit of the gate's own: the first run made the same for all databases of the server"""
    is_impossible: bool = False
    """no change of this project can be rehearsed"""

    def list_changes(self) -> Iterator[tuple[RehearsedRevision, RowChange]]:
        """What became of rows, revision by revision."""
        for rehearsed in self.revisions:
            for change in rehearsed.changes:
                yield rehearsed, change
