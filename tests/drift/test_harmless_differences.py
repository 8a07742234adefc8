"""Which differences no query notices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.drift_messages import affects_no_query, describe_difference
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import (
    Column,
    Constraint,
    Difference,
    EnumType,
    Index,
    Models,
    Replay,
    Sequence,
    Snapshot,
    Table,
)

USERS = Table("public", "users")
ID = Column("public", "users", "id", "integer", nullable=False, position=1)
EMAIL = Column("public", "users", "email", "text", position=2)
CITY = Column("public", "users", "city", "text", position=3)
SNAPSHOT = Snapshot(tables=(USERS,), columns=(ID, EMAIL, CITY))


def unique(*columns: str, name: str = "uq", suffix: str = "") -> Constraint:
    text = f"UNIQUE ({', '.join(columns)}){suffix}"
    return Constraint("public", "users", name, "unique", text, columns, deferrable=bool(suffix))


def key(*columns: str) -> Constraint:
    return Constraint("public", "users", "pk", "primary key", f"PRIMARY KEY ({', '.join(columns)})", columns)


def index(*columns: str, name: str = "ix", is_unique: bool = False, where: str = "") -> Index:
    head = f"CREATE {'UNIQUE ' if is_unique else ''}INDEX {name} ON public.users"
    text = f"{head} USING btree ({', '.join(columns)}){where}"
    return Index("public", "users", name, text, columns, unique=is_unique, partial=bool(where))


def find_differences(
    database: tuple[Constraint | Index, ...], models: tuple[Constraint | Index, ...]
) -> tuple[Difference, ...]:
    sides = [
        replace(
            SNAPSHOT,
            constraints=tuple(part for part in side if isinstance(part, Constraint)),
            indexes=tuple(part for part in side if isinstance(part, Index)),
        )
        for side in (database, models)
    ]
    return compare_with_models(Replay(catalog=sides[0], models=Models(metadatas=1, snapshot=sides[1])))


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ((unique("email"),), (index("email", is_unique=True),), "one by a constraint, the other by an index"),
        (
            (unique("email"), index("email")),
            (index("email", is_unique=True),),
            "one by a constraint, the other by an index",
        ),
        (
            (unique("email"), index("email", is_unique=True)),
            (index("email", is_unique=True),),
            "with or without it",
        ),
        (
            (unique("email"), index("email", is_unique=True)),
            (unique("email", name="x"), index("email")),
            "another index",
        ),
        ((unique("email"), index("email")), (unique("email"),), "with or without it"),
        ((key("id"), unique("id")), (key("id"),), "with or without it"),
        ((unique("email", "city"),), (unique("city", "email", name="x"),), "another order"),
        ((unique("email", "city"),), (index("city", "email", is_unique=True),), "another order"),
        (
            (index("email", "city", is_unique=True),),
            (index("city", "email", is_unique=True),),
            "another order",
        ),
        ((key("email", "city"),), (key("city", "email"),), "another order"),
    ],
)
def test_uniqueness_that_both_guarantee_is_one_warning(
    first: tuple[Constraint | Index, ...], second: tuple[Constraint | Index, ...], reason: str
) -> None:
    for database, models in ((first, second), (second, first)):
        (difference,) = [d for d in find_differences(database, models) if d.kind != "name-only"]
        assert difference.harmless_because.startswith("both guarantee")
        assert difference.harmless_because.endswith(reason) or reason in difference.harmless_because
        assert affects_no_query(difference)
        assert describe_difference(difference).endswith(f"({difference.harmless_because})")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((index("email"),), (index("email", is_unique=True),)),
        ((index("email"),), (unique("email"),)),
        ((unique("email"),), (unique("email", suffix=" DEFERRABLE"),)),
        ((unique("email"),), (unique("email", "city"),)),
        ((unique("email"),), ()),
        ((unique("email"),), (index("email", is_unique=True, where=" WHERE (id > 0)"),)),
        ((unique("email", "city"), index("city", "email")), (unique("email", "city"),)),
        ((unique("email"), index("city")), (unique("email"),)),
    ],
)
def test_uniqueness_or_an_index_that_one_side_lacks_is_an_error(
    first: tuple[Constraint | Index, ...], second: tuple[Constraint | Index, ...]
) -> None:
    for database, models in ((first, second), (second, first)):
        differences = find_differences(database, models)
        assert differences
        assert not any(affects_no_query(difference) for difference in differences)


def test_a_primary_key_is_more_than_unique() -> None:
    differences = find_differences((unique("email"),), (key("email"),))
    assert {d.kind: affects_no_query(d) for d in differences} == {"unique": True, "primary key": False}


def test_what_is_unique_by_one_side_alone_is_still_one_difference() -> None:
    (difference,) = find_differences((index("email"),), (unique("email"),))
    assert (difference.kind, difference.models) == ("unique", "UNIQUE (email)")


SERIAL = Sequence("public", "s", "integer", 1, 1, 1, 2147483647, 1, cycle=False, owner="public.users.id")


@pytest.mark.parametrize("always", [False, True])
def test_serial_for_identity_counts_alike(always: bool) -> None:
    serial = replace(
        SNAPSHOT, columns=(replace(ID, default="nextval('public.s'::regclass)"),), sequences=(SERIAL,)
    )
    identity = replace(
        SNAPSHOT,
        columns=(replace(ID, identity="always" if always else "by default"),),
        sequences=(replace(SERIAL, name="users_id_seq", identity=True),),
    )
    for database, models in ((serial, identity), (identity, serial)):
        (difference,) = compare_with_models(
            Replay(catalog=database, models=Models(metadatas=1, snapshot=models))
        )
        assert difference.kind == "default"
        assert affects_no_query(difference)
        assert ("refuses an INSERT" in difference.harmless_because) == always
    faster = replace(identity, sequences=(replace(SERIAL, increment=10, identity=True),))
    (difference,) = compare_with_models(Replay(catalog=serial, models=Models(metadatas=1, snapshot=faster)))
    assert not affects_no_query(difference)


def test_text_without_a_limit_is_alike_under_both_names() -> None:
    def with_type(type_: str) -> Snapshot:
        return replace(SNAPSHOT, columns=(ID, replace(EMAIL, type=type_)))

    for database_type, models_type, mild in (
        ("text", "character varying", True),
        ("text[]", "character varying[]", True),
        ("text", "character varying(9)", False),
        ("text", "character varying[]", False),
    ):
        models = Models(metadatas=1, snapshot=with_type(models_type))
        (difference,) = compare_with_models(Replay(catalog=with_type(database_type), models=models))
        assert affects_no_query(difference) == mild


def test_an_enum_with_its_labels_in_another_order_is_a_warning() -> None:
    original, reordered, extended = (
        EnumType("public", "mood", tuple(labels)) for labels in ("ab", "ba", "bac")
    )
    for modelled, mild in ((reordered, True), (extended, False)):
        models = Models(metadatas=1, snapshot=replace(SNAPSHOT, enums=(modelled,)))
        (difference,) = compare_with_models(
            Replay(catalog=replace(SNAPSHOT, enums=(original,)), models=models)
        )
        assert affects_no_query(difference) == mild


def test_partitions_that_the_models_do_not_name_are_a_warning() -> None:
    partitioned = replace(SNAPSHOT, tables=(replace(USERS, partition_key="LIST (city)"),))
    for database, models, mild in ((partitioned, SNAPSHOT, True), (SNAPSHOT, partitioned, False)):
        (difference,) = compare_with_models(
            Replay(catalog=database, models=Models(metadatas=1, snapshot=models))
        )
        assert (difference.kind, affects_no_query(difference)) == ("table option", mild)
