"""A snapshot answers questions about one table."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.facts import Constraint, Snapshot, Table
from tests.support.fact_builders import join_tables, make_table

NOTES = make_table(
    "notes", "id integer NOT NULL", "owner_id integer", "owner_id -> users.id", "index owner_id"
)
KEY = Constraint("public", "notes", "notes_pkey", "primary key", "PRIMARY KEY (id)", ("id",))


def test_the_parts_of_a_table_are_found_by_its_schema_and_name() -> None:
    catalog = join_tables(make_table("notes", "id text", schema="app"), NOTES, make_table("users"))
    (notes,) = NOTES.tables
    assert [column.type for column in catalog.columns_of(notes)] == ["integer", "integer"]
    assert catalog.indexes_of(notes) == NOTES.indexes
    assert catalog.foreign_keys_of(notes) == NOTES.constraints
    assert catalog.find_table("public", "notes") == notes
    column = catalog.find_column(notes, "owner_id")
    assert column is not None
    assert str(column) == "notes.owner_id"


def test_a_table_has_a_primary_key_or_none() -> None:
    (notes,) = NOTES.tables
    assert NOTES.primary_key_of(notes) is None
    keyed = replace(NOTES, constraints=(*NOTES.constraints, KEY))
    assert keyed.primary_key_of(notes) == KEY
    assert keyed.foreign_keys_of(notes) == NOTES.constraints


def test_a_table_that_is_not_there_has_no_parts() -> None:
    unknown = Table("public", "unknown")
    assert NOTES.find_table("public", "unknown") is None
    assert NOTES.columns_of(unknown) == ()
    assert NOTES.find_column(unknown, "id") is None


def test_asking_a_snapshot_changes_neither_its_equality_nor_its_hash() -> None:
    asked = replace(NOTES)
    asked.columns_of(asked.tables[0])
    assert asked == NOTES
    assert hash(asked) == hash(NOTES)
    assert Snapshot() == Snapshot()
