"""The objects of two databases in pairs of the same name."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.drift.object_pairs import ObjectPair, pair_objects, without_identifiers
from migration_gate.facts import Column, Routine, Table

USERS = Table("public", "users", oid=1)
POSTS = Table("public", "posts", oid=2)
ID = Column("public", "users", "id", "integer", position=1, number=1)


def test_objects_without_a_partner_come_with_none_on_the_other_side() -> None:
    assert list(pair_objects((USERS,), (POSTS,))) == [ObjectPair(USERS, None), ObjectPair(None, POSTS)]


def test_objects_of_one_name_are_a_pair_whether_they_differ_or_not() -> None:
    wider = replace(ID, type="bigint")
    assert list(pair_objects((ID,), (wider,))) == [ObjectPair(ID, wider)]
    assert list(pair_objects((ID,), (ID,))) == [ObjectPair(ID, ID)]


def test_functions_of_one_name_are_paired_by_their_signature() -> None:
    of_integer, of_text = (Routine("public", "f", args, "function", args) for args in ("integer", "text"))
    pairs = list(pair_objects((of_integer,), (of_text, of_integer)))
    assert pairs == [ObjectPair(of_integer, of_integer), ObjectPair(None, of_text)]


def test_oids_numbers_and_positions_mean_nothing_in_another_database() -> None:
    assert without_identifiers(USERS) == without_identifiers(replace(USERS, oid=9))
    assert without_identifiers(ID) == without_identifiers(replace(ID, number=4, position=2))
    assert without_identifiers(ID) != without_identifiers(replace(ID, nullable=False))
