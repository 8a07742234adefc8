"""The line of a revision's text that is about one part of a statement, where the text leaves no doubt."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from migration_gate.analysis.revision_text import SoughtPart, find_literal_line, find_part_line
from migration_gate.scan.revision_calls import find_schema_calls

TABLE = """
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "email", sa.Text(), unique=True),
        sa.Column("team_id", sa.Integer(), sa.ForeignKey("teams.id")),
        sa.Column("mood", sa.Enum("a", "b", name="mood")),
        sa.Column("left", sa.Text()), sa.Column("right", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.ForeignKeyConstraint(["left", "right"], ["pairs.left", "pairs.right"]),
        sa.CheckConstraint("id > 0", name="ck_id"),
        sa.Index("ix_left", "left"),
    )
"""
BATCH = """
    with op.batch_alter_table("users") as batch:
        batch.alter_column("email", nullable=False)
        batch.alter_column("email", type_=sa.Text())
        batch.drop_constraint("ck_id")
        batch.add_column(
            sa.Column("age", sa.Integer()))
    op.add_column("users", sa.Column("age", sa.Integer()))
"""


def find_line(text: str, part: SoughtPart, line: int | None = 2) -> int | None:
    return find_part_line(find_schema_calls(ast.parse(dedent(text))), line, part)


@pytest.mark.parametrize(
    ("part", "line"),
    [
        (SoughtPart("column", "id", "users"), 4),
        (SoughtPart("column", "email", "users", properties=("type",)), 5),
        (SoughtPart("column", "right", "users"), 9),
        (SoughtPart("primary key", "pk_users", "users", ("id",)), 10),
        (SoughtPart("unique", "users_email_key", "users", ("email",)), 5),
        (SoughtPart("foreign key", "users_team_id_fkey", "users", ("team_id",)), 7),
        (SoughtPart("foreign key", "other", "users", ("left", "right")), 11),
        (SoughtPart("check", "ck_id", "users"), 12),
        (SoughtPart("index", "ix_left", "users", ("left",)), 13),
        (SoughtPart("type", "mood"), 8),
        (SoughtPart("table", "users", "users"), None),
        (SoughtPart("column", "gone", "users"), None),
    ],
)
def test_a_part_of_a_created_table_is_found_at_its_own_line(part: SoughtPart, line: int | None) -> None:
    assert find_line(TABLE, part) == line


@pytest.mark.parametrize(
    ("part", "line"),
    [
        (SoughtPart("column", "email", "users", properties=("nullable",)), 3),
        (SoughtPart("column", "email", "users", properties=("type", "collation")), 4),
        (SoughtPart("column", "email", "users"), None),  # two lines could be meant
        (SoughtPart("check", "ck_id", "users"), 5),
        (SoughtPart("column", "age", "users"), 7),
    ],
)
def test_an_operation_of_a_batch_is_found_inside_of_its_block(part: SoughtPart, line: int | None) -> None:
    assert find_line(BATCH, part) == line


def test_only_the_statement_itself_is_searched() -> None:
    assert find_line(BATCH, SoughtPart("column", "age", "users"), 8) == 8
    assert find_line(BATCH, SoughtPart("column", "email", "users"), 8) is None
    assert find_line(BATCH, SoughtPart("column", "age", "users"), 99) is None


def test_a_statement_of_the_drivers_own_cursor_is_found_by_its_text() -> None:
    text = """
    SQL = "ALTER TABLE a ADD b int"
    cursor.execute(
        '''DROP TABLE   c;
        ''')
    cursor.execute("DROP TABLE d")
    other.execute("DROP TABLE d")
    cursor.execute(SQL)
    """
    calls = find_schema_calls(ast.parse(dedent(text)))
    assert find_literal_line(calls, "DROP TABLE c") == 3
    assert find_literal_line(calls, "DROP TABLE d") is None
    assert find_literal_line(calls, "ALTER TABLE a ADD b int") == 2
    assert find_literal_line(calls, "") is None
