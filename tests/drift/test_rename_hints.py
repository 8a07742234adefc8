"""Which missing and extra tables and columns may be one under two names."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.analysis.drift_messages import describe_fix
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import Column, Models, Replay, Snapshot, Table

USERS = Table("public", "users")
ID = Column("public", "users", "id", "integer", nullable=False, position=1)
EMAIL = Column("public", "users", "email", "text", position=2)
CITY = Column("public", "users", "city", "text", position=3)
SNAPSHOT = Snapshot(tables=(USERS,), columns=(ID, EMAIL, CITY))


def of_columns(database: tuple[Column, ...], models: tuple[Column, ...]) -> list[str]:
    sides = [replace(SNAPSHOT, columns=columns) for columns in (database, models)]
    differences = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    return [describe_fix(difference).rpartition("\n")[2] for difference in differences]


def test_a_column_that_may_be_renamed_has_the_operation_on_both_findings() -> None:
    hints = of_columns((ID, replace(EMAIL, name="mail"), CITY), (ID, EMAIL, CITY))
    assert (
        hints
        == [
            "If `users.mail` was renamed to `users.email`: "
            "`op.alter_column('users', 'mail', new_column_name='email')`"
        ]
        * 2
    )


def test_of_several_columns_those_at_the_same_place_may_be_renamed() -> None:
    mail, town = replace(EMAIL, name="mail"), replace(CITY, name="town")
    hints = of_columns((ID, mail, town), (ID, EMAIL, CITY))
    assert {hint.partition(":")[0] for hint in hints} == {
        "If `users.mail` was renamed to `users.email`",
        "If `users.town` was renamed to `users.city`",
    }


def test_columns_of_other_types_or_without_a_partner_are_not_renamed() -> None:
    assert not any("renamed" in hint for hint in of_columns((ID, EMAIL), (ID, EMAIL, CITY)))
    number = replace(CITY, name="town", type="integer")
    assert not any("renamed" in hint for hint in of_columns((ID, EMAIL, number), (ID, EMAIL, CITY)))
    both = (replace(CITY, name="a", position=7), replace(CITY, name="b", position=8))
    assert not any("renamed" in hint for hint in of_columns((ID, EMAIL, *both), (ID, EMAIL, CITY)))


def test_a_table_that_may_be_renamed_has_the_operation() -> None:
    people = Table("billing", "people")
    sides = [
        Snapshot(
            tables=(replace(people, name=name),),
            columns=tuple(replace(column, schema="billing", table=name) for column in SNAPSHOT.columns),
        )
        for name in ("people", "users")
    ]
    differences = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    assert [describe_fix(difference).rpartition("\n")[2] for difference in differences] == [
        "If `billing.people` was renamed to `billing.users`: "
        "`op.rename_table('people', 'users', schema='billing')`"
    ] * 2
