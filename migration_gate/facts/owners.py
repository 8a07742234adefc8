"""Which columns name the owner of a row, and whether Postgres accepts rows without one."""

from __future__ import annotations

from dataclasses import dataclass


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
