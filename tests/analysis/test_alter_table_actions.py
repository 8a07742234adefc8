"""The parts of one ALTER TABLE."""

from __future__ import annotations

import pytest

from migration_gate.analysis.alter_table_actions import AlterTable, changes_column, split_alter_table


def test_a_statement_is_split_at_its_own_commas() -> None:
    sql = (
        'alter table if exists only "My App"."a, b" * add check (x in (1, 2)), '
        "alter y set default 'a, b' /* , */, add z numeric(4, 2); select 1"
    )
    assert split_alter_table(sql) == AlterTable(
        'alter table if exists only "My App"."a, b" *',
        ("add check (x in (1, 2))", "alter y set default 'a, b'", "add z numeric(4, 2)"),
    )


@pytest.mark.parametrize("sql", ["", "ALTER", "ALTER TABLE item", "ALTER TYPE a ADD VALUE 'b'"])
def test_what_has_no_actions_has_no_parts(sql: str) -> None:
    assert split_alter_table(sql) is None


def test_quick_actions_keep_their_side_of_those_with_work() -> None:
    table = split_alter_table(
        "ALTER TABLE item DROP COLUMN a, ADD b integer, ALTER b SET DEFAULT 1, VALIDATE CONSTRAINT c, "
        "ADD CONSTRAINT d CHECK (b > 0) NOT VALID, ALTER e SET NOT NULL, ALTER f SET DATA TYPE text, "
        'ALTER COLUMN "type" DROP NOT NULL, SET UNLOGGED, ADD PRIMARY KEY USING INDEX ux'
    )
    assert table is not None
    assert table.validations == ("VALIDATE CONSTRAINT c",)
    assert table.split_quick() == (
        ("DROP COLUMN a",),
        (
            "ALTER b SET DEFAULT 1",
            "ADD CONSTRAINT d CHECK (b > 0) NOT VALID",
            'ALTER COLUMN "type" DROP NOT NULL',
            "ADD PRIMARY KEY USING INDEX ux",
        ),
    )
    assert table.write([]) == ""
    assert table.write(["RESET (a)", "RESET (b)"]) == "ALTER TABLE item RESET (a), RESET (b)"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("ALTER COLUMN Name SET DEFAULT 1", True),
        ('alter "name" drop default', True),
        ('ALTER "Name" DROP DEFAULT', False),
        ("ADD name text", False),
        ("DROP", False),
    ],
)
def test_an_action_changes_the_column_that_it_names(action: str, expected: bool) -> None:
    assert changes_column(action, ["name"]) is expected
