"""Which columns name the owner of a row, whether Postgres accepts rows without one, and their deletion."""

from __future__ import annotations

from typing import Literal

from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Owners:
    """Which columns name the owner of a row (`owners:` in the configuration)."""

    columns: tuple[str, ...] = ("owner_id", "ownerId")
    tables: tuple[str, ...] = ()
    """glob patterns of tables that must have an owner column"""
    exempt: tuple[str, ...] = ()
    """glob patterns of tables, or table.column, that need none"""
    references: str | None = None
    """the table of owners, which every owner column must reference"""
    every_reference: bool = False
    """every table that references `references` is an owned table"""
    on_delete: tuple[str, ...] = ("cascade",)
    """the ON DELETE actions that are accepted for an owner's foreign key"""


@dataclass(frozen=True, slots=True)
class NullTrial:
    """What Postgres did with rows that name no owner, tried on an empty copy of the table.

    There is one for each owner column that a CHECK or a domain may keep from being NULL.
    """

    schema: str
    table: str
    column: str
    is_refused: bool
    """proved: no row is accepted that has NULL in this column and in the other owners"""
    other_owners: tuple[str, ...] = ()
    """columns that a CHECK names beside this one and that can own a row in its place"""
    accepted_row: str = ""
    """the values of other columns with which a row without any owner is accepted; empty for none"""
    demanding_row: str = ""
    """the values of other columns with which Postgres accepts NULL and refuses an owner; empty for none"""
    demanded_by: str = ""
    """the CHECK that refuses an owner there, as Postgres prints it"""


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """An error of Postgres about a row, or about its deletion."""

    sqlstate: str
    message: str
    schema: str = ""
    table: str = ""
    constraint: str = ""
    column: str = ""
    context: str = ""
    """the function that raised it; empty for none"""

    def __str__(self) -> str:
        words = f"{self.sqlstate} {self.message}".strip()
        return f"{words} ({self.context})" if self.context else words


LeftOwner = Literal["", "gone", "null", "other"]
"""what is in the owner column of rows that were left: an owner who is gone, NULL, or somebody else"""


@dataclass(frozen=True, slots=True)
class DeletionBlocker:
    """What refused the deletion of an owner."""

    refusal: RowRefusal
    needs_other_owner: bool = False
    """only if the row that references the owned one belongs to somebody else"""


@dataclass(frozen=True, slots=True)
class OwnershipTrial:
    """What became of a row when its owner was deleted, tried with made rows in the replayed database.

    Everything was rolled back. There is one for each owner column that can be tried.
    """

    schema: str
    table: str
    column: str
    owners_table: str
    """`schema.name` of the table that the owner was in"""
    obstacle: RowRefusal | None = None
    """why no row could be made; then nothing else is known"""
    ended_by: RowRefusal | None = None
    """a statement that took too long, of this trial or of one before it; then nothing else is known"""
    owner_refusal: RowRefusal | None = None
    """why not even an owner without rows can be deleted; then nothing else is known of the deletion"""
    keeps_owner: bool = False
    """the owner was there afterwards: a trigger or a rule did something else than delete"""
    blockers: tuple[DeletionBlocker, ...] = ()
    """empty if the deletion succeeded"""
    rows_left: int = 0
    """of the one that was owned, and those that a trigger made; after a deletion that succeeded"""
    left_owner: LeftOwner = ""
    unmade: tuple[RowRefusal, ...] = ()
    """rows that reference the owned one, and could not be made"""
    null_refusal: RowRefusal | None = None
    """what refused a row without an owner; only of columns that accept NULL"""
    null_beside: tuple[str, ...] = ()
    """the other references that were NULL in that row; none: it was refused whatever they were"""
    stranger_is_accepted: bool = False
    """a row was accepted whose owner does not exist, although there is a foreign key"""
