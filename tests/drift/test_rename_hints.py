"""Which missing and extra tables and columns may be one under two names."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher

import pytest

from migration_gate.analysis.drift_messages import describe_fix
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import Column, Constraint, Index, Models, Replay, Snapshot, Table

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


LIKELY = (
    ("email", "text", "email_address", "character varying(90)"),
    ("userName", "text", "user_name", "text"),
    ("qty", "integer", "quantity", "bigint"),
    ("created", "timestamp without time zone", "created_at", "timestamp with time zone"),
    ("colour", "text", "color", "character varying(9)"),
    ("active", "smallint", "is_active", "boolean"),
    ("token", "character varying(36)", "token_uid", "uuid"),
    ("name", "text", "full_name", "character varying(80)"),
    ("order", "integer", "order_no", "bigint"),
    ("tag_names", "text[]", "tags", "character varying(9)[]"),
)
UNLIKELY = (
    ("published", "boolean", "published_at", "timestamp with time zone"),
    ("email", "text", "email_verified", "boolean"),
    ("id_no", "integer", "user_id", "bigint"),
    ("latitude", "real", "longitude", "double precision"),
    ("is_active", "integer", "is_inactive", "bigint"),
    ("read_count", "integer", "unread_count", "bigint"),
    ("start_date", "date", "end_date", "timestamp without time zone"),
    ("bio", "text", "status", "character varying(9)"),
    ("price", "integer", "cost", "numeric(9,2)"),
)


@pytest.mark.parametrize("pair", LIKELY, ids=lambda pair: f"{pair[0]} and {pair[2]}")
def test_a_column_that_is_renamed_and_changed_is_recognised(pair: tuple[str, str, str, str]) -> None:
    assert are_likely_one(*pair)


@pytest.mark.parametrize("pair", UNLIKELY, ids=lambda pair: f"{pair[0]} and {pair[2]}")
def test_columns_that_mean_other_things_are_no_rename(pair: tuple[str, str, str, str]) -> None:
    assert not are_likely_one(*pair)


def are_likely_one(old: str, old_type: str, new: str, new_type: str) -> bool:
    database = replace(EMAIL, name=old, type=old_type, position=2)
    models = replace(EMAIL, name=new, type=new_type, position=9)
    sides = [replace(SNAPSHOT, columns=(ID, column)) for column in (database, models)]
    found = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    assert {item.rename_hint for item in found} in ({old, new}, {""})
    return {item.rename_is_likely for item in found} == {True}


def test_two_candidates_are_none() -> None:
    name = replace(EMAIL, name="name", type="character varying(99)")
    split = [replace(EMAIL, name=f"{part}_name") for part in ("first", "last")]
    sides = [replace(SNAPSHOT, columns=(ID, *columns)) for columns in ([name], split)]
    found = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    assert not any(item.rename_hint for item in found)


def test_tables_of_other_columns_are_no_rename() -> None:
    common = ("id", "name", "created_at")
    sides = [
        Snapshot(
            tables=(Table("public", table),),
            columns=tuple(Column("public", table, name, "text") for name in (*common, *own)),
        )
        for table, own in (("orders", ("total",)), ("invoices", ("due", "paid")))
    ]
    found = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    assert not any(item.rename_hint for item in found)


@pytest.mark.parametrize(
    ("models_name", "models_schema", "hints"),
    [
        ("accounts", "public", {"accounts", "user_account"}),
        ("user_account", "auth", {"auth.user_account", "public.user_account"}),
    ],
)
def test_a_table_that_is_renamed_and_changed_is_recognised(
    models_name: str, models_schema: str, hints: set[str]
) -> None:
    sides = [
        Snapshot(
            tables=(Table(schema, table),),
            columns=tuple(Column(schema, table, name, "text") for name in ("id", "login", "born", own)),
        )
        for schema, table, own in (
            ("public", "user_account", "city"),
            (models_schema, models_name, "town"),
        )
    ]
    found = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    assert {item.rename_hint for item in found} == hints
    assert all(item.rename_is_likely for item in found)


ID_COLUMN = ("id", "integer")
PLACES = {
    "one of three columns too, of a table whose name is alike": (
        ("customer", ID_COLUMN, ("name", "text"), ("phone", "text")),
        ("customers", ID_COLUMN, ("name", "text"), ("contact", "text")),
        True,
    ),
    "one of three columns too, of a table with another name": (
        ("person", ID_COLUMN, ("email", "text"), ("nickname", "text")),
        ("member", ID_COLUMN, ("email", "text"), ("handle", "text")),
        False,
    ),
    "a column whose name is alike, with another type": (
        ("users", ID_COLUMN, ("name", "text"), ("email", "character varying(40)")),
        ("accounts", ID_COLUMN, ("name", "text"), ("email_address", "character varying(90)")),
        False,
    ),
    "two columns tell what it is": (
        ("person", ID_COLUMN, ("email", "text"), ("born", "date"), ("nickname", "text")),
        ("member", ID_COLUMN, ("email", "text"), ("born", "date"), ("handle", "text")),
        True,
    ),
    "a column of another type": (
        ("person", ID_COLUMN, ("email", "text"), ("nickname", "text")),
        ("member", ID_COLUMN, ("email", "text"), ("rank", "integer")),
        None,
    ),
    "most columns": (
        ("color", ID_COLUMN, ("name", "text"), ("hex", "text"), ("alpha", "real")),
        ("size", ID_COLUMN, ("name", "text"), ("code", "text"), ("rank", "integer")),
        None,
    ),
}
"""what differs beside the name of the table: both sides, and whether it is likely, may be, or is none"""


def make_side(name: str, *columns: tuple[str, str]) -> Snapshot:
    """One table."""
    made = (Column("public", name, column, type_) for column, type_ in columns)
    return Snapshot(tables=(Table("public", name),), columns=tuple(made))


@pytest.mark.parametrize("place", PLACES)
def test_a_table_that_is_renamed_together_with_columns(place: str) -> None:
    database, models, is_likely = PLACES[place]
    sides = make_side(*database), make_side(*models)  # type: ignore[arg-type]
    found = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    expected = {""} if is_likely is None else {database[0], models[0]}
    assert {item.rename_hint for item in found} == expected
    assert {item.rename_is_likely for item in found} == {bool(is_likely)}


@pytest.mark.parametrize("own_column", ["owner_id", "author_id"])
def test_foreign_keys_of_the_same_columns_show_which_table_it_is(own_column: str) -> None:
    def refer(target: str, column: str) -> Constraint:
        return Constraint(
            "public", "orders", "fk", "foreign key", f"FOREIGN KEY ({column}) REFERENCES {target}(id)",
            (column,), references=f"public.{target}", referenced_columns=("id",),
        )  # fmt: skip

    orders = make_side("orders", ID_COLUMN, ("owner_id", "integer"), ("author_id", "integer"))
    user = make_side("users", ID_COLUMN, ("name", "text"), ("town", "text"), ("born", "date"))
    member = make_side("member", ID_COLUMN, ("name", "text"), ("town", "text"), ("age", "integer"))
    sides = [
        replace(
            side,
            tables=(*side.tables, *orders.tables),
            columns=(*side.columns, *orders.columns),
            constraints=(refer(side.tables[0].name, column),),
        )
        for side, column in ((user, "owner_id"), (member, own_column))
    ]
    found = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    tables = [item for item in found if item.kind == "table"]
    assert {item.rename_is_likely for item in tables} == {own_column == "owner_id"}


def test_of_many_tables_the_columns_are_paired_by_their_names_as_they_are() -> None:
    def make_tables(name: str, count: int, own: str) -> Snapshot:
        names = [f"{name}{number:02}" for number in range(count)]
        columns = {table: (*(f"c{table[-2:]}x{number}" for number in range(20)), own) for table in names}
        made = (Column("public", table, column, "text") for table in names for column in columns[table])
        return Snapshot(tables=tuple(Table("public", table) for table in names), columns=tuple(made))

    def count_hints(count: int) -> int:
        database, models = make_tables("old", count, "user_name"), make_tables("new", count, "userName")
        found = compare_with_models(Replay(catalog=database, models=Models(metadatas=1, snapshot=models)))
        return sum(item.rename_is_likely for item in found)

    assert (count_hints(1), count_hints(60)) == (2, 120)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SequenceMatcher, "ratio", lambda self: pytest.fail("it is slow"))
        count_hints(60)


def test_checks_and_indexes_that_are_renamed_and_changed_are_one_difference() -> None:
    check = Constraint("public", "users", "ck_city", "check", "CHECK (city > 'a')", ("city",))
    other_check = replace(check, name="ck_users_city", definition="CHECK (city > 'b')")
    index = Index("public", "users", "ix_city", "CREATE INDEX ix_city ON users (city)", columns=("city",))
    definition = "CREATE INDEX ix_town ON users (city) WHERE id > 1"
    other_index = replace(index, name="ix_town", definition=definition)
    sides = [
        replace(SNAPSHOT, constraints=(constraint,), indexes=(part,))
        for constraint, part in ((check, index), (other_check, other_index))
    ]
    found = compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))
    assert [(item.kind, item.models) for item in found] == [
        ("check", other_check.definition),
        ("index", definition),
    ]
