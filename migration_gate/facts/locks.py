"""A lock that a statement holds, and the relation that it is on."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from migration_gate.facts.object_names import display_name
from migration_gate.lazy_dataclass import dataclass

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
