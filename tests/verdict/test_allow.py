"""Comments that allow a finding: where they may stand and what they must say."""

from __future__ import annotations

from datetime import date

import pytest

from migration_gate.check import Finding
from migration_gate.config.settings import Allowance
from migration_gate.facts import Location
from migration_gate.verdict.allow import AllowComment, allowance_covers, comment_covers, find_allow_comments

REVISION = '''"""Add owners.

# migration-gate: allow drift -- this is prose, not a comment
"""
# migration-gate: allow unindexed-owner -- a hundred rows
import sqlalchemy as sa
from alembic import op

revision = "b2"


def upgrade() -> None:
    # migration-gate: allow nullable-owner -- imported rows have no owner
    op.add_column(
        "media",
        sa.Column("owner_id", sa.Integer()),
    )
    op.add_column("media", sa.Column("title", sa.Text()))  # migration-gate: allow drift/comment -- later
'''


def read(text: str = REVISION, path: str = "b2.py") -> tuple[AllowComment, ...]:
    return find_allow_comments({path: text})


def finding(at: str, line: int | None = 12, kind: str | None = None, file: str = "b2.py") -> Finding:
    return Finding(at, "said", Location(file, line), kind=kind)


def covered(check: str, about: Finding, text: str = REVISION) -> bool:
    return any(comment_covers(comment, check, about) for comment in read(text))


def test_comments_have_their_line_and_text_in_strings_is_ignored() -> None:
    comments = [(comment.line, comment.check, comment.reason) for comment in read()]
    assert comments == [
        (5, "unindexed-owner", "a hundred rows"),
        (13, "nullable-owner", "imported rows have no owner"),
        (18, "drift/comment", "later"),
    ]


def test_a_comment_above_the_first_statement_covers_the_whole_file() -> None:
    assert covered("unindexed-owner", finding("media.owner_id", 99))
    assert not covered("unindexed-owner", finding("media.owner_id", 99, file="c3.py"))


def test_a_comment_covers_its_line_and_the_line_below() -> None:
    assert covered("nullable-owner", finding("x.y", 13))
    assert covered("nullable-owner", finding("x.y", 14))
    assert not covered("nullable-owner", finding("x.y", 15))


def test_a_comment_above_a_statement_covers_the_objects_in_the_statement() -> None:
    assert covered("nullable-owner", finding("media.owner_id", 12)), "findings stand at the line of upgrade()"
    assert not covered("nullable-owner", finding("media.title", 12)), "the next statement is another matter"
    assert not covered("nullable-owner", finding("media.owner", 12)), "a part of a name is no name"


@pytest.mark.parametrize("line", ["\x0c\n", "text = '\u2028'\n", "\r", "\r\n"])
def test_the_statement_is_found_below_lines_of_any_kind(line: str) -> None:
    text = f"x = 1\n{line}# migration-gate: allow drift -- r\nowner_id = f(\n    1)\n"
    (comment,) = find_allow_comments({"a.py": text})
    assert (comment.line, "owner_id" in comment.code) == (3, True)


def test_a_comment_after_code_covers_the_objects_on_its_line() -> None:
    assert covered("drift", finding("media.title", 12, "comment"))
    assert not covered("drift", finding("media.owner_id", 12, "comment"))
    assert not covered("drift", finding("media.title", 12, "type")), "another kind"


def test_a_finding_without_a_line_is_covered_by_any_comment_of_its_file() -> None:
    assert covered("nullable-owner", finding("media.owner_id", None))


def test_a_comment_can_name_several_checks() -> None:
    (first, second) = read("x = 1  # migration-gate: allow nullable-owner, drift/type -- legacy\n")
    assert (first.check, second.check) == ("nullable-owner", "drift/type")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("# migration-gate: allow drift", "it gives no reason"),
        ("# migration-gate: allow drift --  ", "it gives no reason"),
        ("# migration-gate: ignore drift -- x", "is not `allow <check> -- <reason>`"),
        ("# migration-gate:", "is not `allow <check> -- <reason>`"),
    ],
)
def test_a_malformed_comment_has_a_fault(text: str, wrong: str) -> None:
    (comment,) = read(text + "\n")
    assert wrong in comment.fault
    assert not comment_covers(comment, "drift", finding("x", 1))


def test_comments_before_a_syntax_error_are_found() -> None:
    assert [c.line for c in read("# migration-gate: allow drift -- a\nx = (\n")] == [1]


def test_comments_in_shell_scripts_and_sql_are_found() -> None:
    (shell,) = read("psql -c x  # migration-gate: allow raw-sql-file -- seed\n", "seed.sh")
    (sql,) = read("-- migration-gate: allow raw-sql-file -- seed\n", "seed.sql")
    assert shell.check == sql.check == "raw-sql-file"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Allowance("drift", "r"), True),
        (Allowance("drift/type", "r"), True),
        (Allowance("drift/table", "r"), False),
        (Allowance("nullable-owner", "r"), False),
        (Allowance("drift", "r", "users.*"), True),
        (Allowance("drift", "r", "media.*"), False),
        (Allowance("drift", "r", until=date(2026, 5, 1)), True),
        (Allowance("drift", "r", until=date(2026, 4, 30)), False),
    ],
)
def test_an_entry_of_the_configuration_is_matched_by_check_object_and_date(
    entry: Allowance, expected: bool
) -> None:
    assert allowance_covers(entry, "drift", finding("users.email", kind="type"), date(2026, 5, 1)) is expected
