"""What came of the downgrades of revisions, and of their upgrades after that."""

from __future__ import annotations

from typing import Literal

from migration_gate.facts.failure import Failure
from migration_gate.facts.rehearsal import FailingRows
from migration_gate.lazy_dataclass import dataclass

RollbackScope = Literal["change", "all", "off"]


@dataclass(frozen=True, slots=True)
class UnnamedCall:
    """A call that drops or makes a constraint or an index, with None for its name."""

    function: str
    """`drop_constraint`, `create_unique_constraint`..."""
    line: int
    last_line: int
    code: str
    """the call as it is written, on one line"""
    table: str = ""
    """as written; '' if that is no literal"""
    kind: str = ""
    """unique, foreign key, check, primary key or index; '' if the call does not say so"""
    columns: tuple[str, ...] = ()
    """of what it makes, as far as they are literals"""


@dataclass(frozen=True, slots=True)
class DowngradeText:
    """A revision's `downgrade()` as it is written."""

    line: int | None = None
    """of its `def`; None if the file has no such function"""
    is_empty: bool = False
    """it is missing, or its body does nothing"""
    upgrade_is_empty: bool = False
    """the same of `upgrade()`"""
    refusal: str = ""
    """the `raise` statement that its body consists of; '' if it has others"""
    refusal_line: int | None = None
    unnamed_drops: tuple[UnnamedCall, ...] = ()
    unnamed_creations: tuple[UnnamedCall, ...] = ()
    """of `upgrade()`, if there are unnamed drops that may be of one of them"""
    """those of `upgrade()`"""


@dataclass(frozen=True, slots=True)
class RollbackDifference:
    """An object that is not as it should be after a downgrade, or after the upgrade that follows it."""

    noun: str
    """table, column, enum, function..."""
    object: str
    """as reports show it"""
    expected: str | None
    """its definition; None if it should not be there"""
    found: str | None
    """None if it is not there"""


@dataclass(frozen=True, slots=True)
class AlteredRows:
    """What became of rows whose table stayed, or of values whose column stayed."""

    object: str
    """a table or a column, as reports show it"""
    text: str
    """a clause"""
    by_downgrade: bool
    """the downgrade changed them; else only the upgrade after it did"""
    is_unusual: bool = False
    """only unusual rows, of a column that the upgrade changes as well: it may never leave such values"""


@dataclass(frozen=True, slots=True)
class RevisionRollback:
    """What came of the downgrade of one revision, and of its upgrade after that."""

    revision: str
    failure: Failure | None = None
    """the error that ended the downgrade"""
    refusal: str = ""
    """how the revision says that it is one-way: the exception that it raises; '' if it does not"""
    has_changed_catalog: bool = True
    """its first upgrade did"""
    may_stay: bool = False
    """its first upgrade added labels to enum types or validated constraints, and changed nothing else of the
    catalog"""
    leftovers: tuple[RollbackDifference, ...] = ()
    """what differs after the downgrade from what there was before the revision"""
    reupgrade_failure: Failure | None = None
    reupgrade_differences: tuple[RollbackDifference, ...] = ()
    """what differs after the second upgrade from what there was after the first"""
    row_failure: Failure | None = None
    """an error over rows that the gate had made up; with plainer rows, or without any, there is none"""
    failing_rows: FailingRows = "plain"
    """which rows `row_failure` is about"""
    newer_row_failure: Failure | None = None
    """the error of the downgrade over rows that only the newer schema allows"""
    newer_row: str = ""
    """such a row, as far as Postgres names it"""
    lost_values: tuple[str, ...] = ()
    """columns, and whole tables, that the downgrade removed with the values in them"""
    altered_rows: tuple[AlteredRows, ...] = ()
    is_complete: bool = False
    """both functions ran to their end"""
    unproven: str = ""
    """why nothing, or not all, is known"""
    is_limit: bool = False
    """that is a limit of the gate's own, whatever the downgrade is like"""

    @property
    def name(self) -> str:
        """As `unchecked` names it."""
        return f"rollback of {self.revision}"

    @property
    def was_downgraded(self) -> bool:
        """Whether its downgrade ran to its end."""
        return self.failure is None and not self.refusal and not self.unproven
