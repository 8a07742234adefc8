"""What each statement of the looked-at revisions did to what stood before: its locks, and its work."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from functools import cached_property
from typing import Literal

from migration_gate.facts.location import Location
from migration_gate.facts.object_names import display_name
from migration_gate.lazy_dataclass import dataclass

ObserveScope = Literal["change", "all", "off"]
RelationKind = Literal[
    "table", "partitioned table", "foreign table", "materialized view", "view", "sequence", "index"
]


class LockMode(StrEnum):
    """A table's lock, the weakest first."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def strength(self) -> int:
        """From 0, for ACCESS SHARE, to 7."""
        return list(LockMode).index(self)

    @property
    def blocks_writes(self) -> bool:
        """Whether INSERT, UPDATE and DELETE of other sessions wait for it."""
        return self.strength >= LockMode.SHARE.strength

    @property
    def blocks_reads(self) -> bool:
        """Whether even SELECT waits for it."""
        return self is LockMode.ACCESS_EXCLUSIVE


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
class StoredRelation:
    """A relation that stood before the first looked-at revision, under the name that it had then."""

    schema: str
    name: str
    kind: RelationKind = "table"
    table: str = ""
    """of an index: its table's name"""

    @property
    def is_table(self) -> bool:
        """Whether it has rows that an application reads and writes."""
        return self.kind in ("table", "partitioned table", "foreign table", "materialized view")

    @property
    def table_name(self) -> str:
        """As reports show it: its own name, or that of an index's table."""
        return display_name(self.schema, self.table or self.name)

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock on a relation that stood before, held until the transaction ends."""

    relation: StoredRelation
    mode: LockMode
    since: int
    """`number` of the statement that took it"""

    @property
    def blocks_writes(self) -> bool:
        """Whether an application that writes waits for it; nobody writes into a materialized view."""
        return self.blocks_reads if self.relation.kind == "materialized view" else self.mode.blocks_writes

    @property
    def blocks_reads(self) -> bool:
        """Whether even one that reads does."""
        return self.mode.blocks_reads


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
    locks: tuple[HeldLock, ...] = ()
    """at its end, its own ones too; the strongest of each relation"""
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
    remarks: tuple[str, ...] = ()
    """what could not be seen for a reason that lies in old revisions"""

    def find_statement(self, number: int) -> ObservedStatement | None:
        """The statement of that number."""
        return self._statements_by_number.get(number)

    @cached_property
    def _statements_by_number(self) -> dict[int, ObservedStatement]:
        return {statement.number: statement for statement in self.statements}
