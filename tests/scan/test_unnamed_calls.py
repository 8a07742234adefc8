"""Calls of Alembic's operations without a name, as they stand in revisions."""

from __future__ import annotations

import ast
from textwrap import dedent, indent

import pytest

from migration_gate.facts import DowngradeText
from migration_gate.scan.downgrade_text import read_downgrade


def read(upgrade: str, downgrade: str) -> DowngradeText:
    """The functions with these bodies."""
    bodies = [indent(dedent(body).strip(), "    ") for body in (upgrade, downgrade)]
    return read_downgrade(ast.parse("def upgrade():\n{}\n\n\ndef downgrade():\n{}\n".format(*bodies)))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('op.drop_constraint(None, "notes", type_="unique")', ("notes", "unique")),
        ('op.drop_constraint(None, "notes", "foreignkey")', ("notes", "foreign key")),
        ('op.drop_constraint(op.f(None), table_name="notes")', ("notes", "")),
        ('op.drop_index(None, table_name="notes")', ("notes", "index")),
        ('op.drop_index(index_name=None, table_name="notes")', ("notes", "index")),
        ('op.drop_constraint(None, TABLE, type_="check")', ("", "check")),
        ('op.drop_constraint("notes_key", "notes", type_="unique")', None),
    ],
)
def test_a_drop_says_of_which_table_and_of_which_kind(call: str, expected: tuple[str, str] | None) -> None:
    drops = read("pass", call).unnamed_drops
    assert [(drop.table, drop.kind) for drop in drops] == ([] if expected is None else [expected])


def test_a_batch_names_the_table() -> None:
    text = read(
        """
        with op.batch_alter_table("notes", schema=None) as batch_op:
            batch_op.create_unique_constraint(None, ["title"])
            batch_op.create_foreign_key(None, "users", ["owner_id"], ["id"])
        """,
        """
        with op.batch_alter_table("notes") as batch_op:
            batch_op.drop_constraint(None, "foreignkey")
            batch_op.drop_constraint(None, type_="unique")
        """,
    )
    assert [(item.table, item.kind, item.columns) for item in text.unnamed_creations] == [
        ("notes", "unique", ("title",)),
        ("notes", "foreign key", ("owner_id",)),
    ]
    assert [(item.table, item.kind) for item in text.unnamed_drops] == [
        ("notes", "foreign key"),
        ("notes", "unique"),
    ]


def test_a_creation_says_its_columns_as_far_as_they_are_literals() -> None:
    text = read(
        """
        op.create_unique_constraint(None, "notes", ["owner_id", "title"])
        op.create_foreign_key(None, "notes", "users", ["owner_id"], ["id"])
        op.create_unique_constraint(None, "notes", COLUMNS)
        op.create_check_constraint(None, "notes", "length(title) > 0")
        """,
        'op.drop_constraint(None, "notes")',
    )
    assert [item.columns for item in text.unnamed_creations] == [("owner_id", "title"), ("owner_id",), (), ()]
