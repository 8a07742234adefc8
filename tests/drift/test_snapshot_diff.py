"""Two snapshots, compared by the names of their objects."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.drift.snapshot_diff import Change, compare
from migration_gate.facts import Column, Routine, Snapshot, Table

USERS = Table("public", "users", oid=1)
ID = Column("public", "users", "id", "integer", position=1, number=1)


def test_oids_numbers_and_positions_do_not_count() -> None:
    before = Snapshot(tables=(USERS,), columns=(ID,))
    after = Snapshot(tables=(replace(USERS, oid=9),), columns=(replace(ID, number=4, position=2),))
    assert compare(before, after) == ()


def test_a_made_object_has_nothing_before() -> None:
    assert compare(Snapshot(), Snapshot(tables=(USERS,))) == (Change(None, USERS),)


def test_a_dropped_object_has_nothing_after() -> None:
    change = compare(Snapshot(tables=(USERS,)), Snapshot())[0]
    assert (change.after, change.object) == (None, USERS)


def test_a_changed_object_has_both_sides() -> None:
    wider = replace(ID, type="bigint")
    assert compare(Snapshot(columns=(ID,)), Snapshot(columns=(wider,))) == (Change(ID, wider),)


def test_overloads_are_told_apart_by_their_signature() -> None:
    one, other = (Routine("public", "f", args, "function", args) for args in ("integer", "text"))
    assert compare(Snapshot(routines=(one,)), Snapshot(routines=(one, other))) == (Change(None, other),)
