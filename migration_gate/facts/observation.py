"""What each statement of the looked-at revisions did to what stood before: its locks, and its work."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from functools import cached_property
from typing import Literal

from migration_gate.facts.held_locks import HeldLocks
from migration_gate.facts.location import Location
from migration_gate.facts.locks import HeldLock, StoredRelation
from migration_gate.lazy_dataclass import dataclass

ObserveScope = Literal["change", "all", "off"]


class WorkKind(StrEnum):
    """Work that takes the longer, the more rows a relation has."""

    REWRITE = "rewrite"
    """of a table or materialized view: every row is written anew, and every index built"""
    VERIFICATION = "verification"
    """every row is read, and held against a rule"""
    FOREIGN_KEY = "foreign key"
    """every row is read, and its reference looked up"""
    INDEX_BUILD = "index build"
    """of an index that was not there"""
    INDEX_REBUILD = "index rebuild"
    """of an index that stood before"""
    ROWS = "rows"
    """a statement such as UPDATE or SELECT goes through all rows"""


@dataclass(frozen=True, slots=True)
class RowWork:
    """Work on the rows of a relation that stood before."""

    kind: WorkKind
    relation: StoredRelation
    detail: str = ""
    """the name of the index or of the constraint"""


@dataclass(frozen=True, slots=True)
class ObservedStatement:
    """One statement as the server executed it; those inside of a DO block or a function have their own."""

    number: int
    """from 1, in their order"""
    step: int
    revision: str
    sql: str
    """its text; '' if the server named only its kind"""
    tag: str = ""
    """ALTER TABLE, UPDATE...; as far as it is known"""
    client_sql: str = ""
    """what the client sent, if that is more: a DO block, several statements"""
    location: Location | None = None
    transaction: int = 0
    """the same number for the statements of one transaction"""
    is_in_block: bool = True
    """it ran in a transaction that did not end with it"""
    locks: tuple[HeldLock, ...] | HeldLocks = ()
    """at its end, its own ones too; the strongest of each relation. `find_locks` finds those on one"""
    taken: tuple[HeldLock, ...] = ()
    """those of them that it took itself, or made stronger"""
    works: tuple[RowWork, ...] = ()
    written: tuple[StoredRelation, ...] = ()
    """tables of which it inserts, updates or deletes rows"""
    emptied: tuple[StoredRelation, ...] = ()
    """tables that it truncates"""
    proofs: tuple[str, ...] = ()
    """columns and partitions that needed no scan, as `table.column` or `table`: a CHECK proves them"""
    lock_timeout: int = 0
    """milliseconds; 0: none is set"""
    statement_timeout: int = 0
    """milliseconds, as the project set it; 0: none is set"""


@dataclass(frozen=True)
class Observation:
    """What the looked-at revisions did, statement by statement."""

    scope: ObserveScope = "change"
    """which revisions were to be looked at"""
    revisions: tuple[str, ...] = ()
    """that were looked at, in the order of the replay"""
    statements: tuple[ObservedStatement, ...] = ()
    relations: tuple[StoredRelation, ...] = ()
    """that stood before"""
    blind_spots: tuple[str, ...] = field(default=())
    """what could not be seen, in words"""
    partly_seen: tuple[str, ...] = ()
    """revisions of which something could not be seen"""
    remarks: tuple[str, ...] = ()
    """what could not be seen for a reason that lies in old revisions"""

    def find_statement(self, number: int) -> ObservedStatement | None:
        """The statement of that number."""
        return self._statements_by_number.get(number)

    @cached_property
    def _statements_by_number(self) -> dict[int, ObservedStatement]:
        return {statement.number: statement for statement in self.statements}
