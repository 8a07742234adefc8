"""Which differences are drift, of which kind, and that each is reported once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migration_gate.analysis.drift_messages import (
    affects_no_query,
    describe_difference,
    describe_fix,
    is_leftover,
)
from migration_gate.drift.default_names import is_default_name
from migration_gate.drift.model_comparison import compare_with_models, list_called_equal
from migration_gate.facts import (
    AlembicDifference,
    Column,
    ColumnState,
    Constraint,
    DdlCommand,
    Difference,
    EnumType,
    Extension,
    FilteredObject,
    History,
    Index,
    Location,
    Models,
    NamedDefinition,
    Replay,
    Revision,
    Routine,
    Sequence,
    Snapshot,
    Step,
    Table,
    TableState,
    UncreatedObject,
    View,
)

USERS = Table("public", "users", oid=7)
ID = Column("public", "users", "id", "integer", nullable=False, number=1)
EMAIL = Column("public", "users", "email", "character varying(64)", nullable=False, number=2)
KEY = Constraint("public", "users", "users_pkey", "primary key", "PRIMARY KEY (id)", ("id",))
ONCE = Constraint("public", "users", "users_email_key", "unique", "UNIQUE (email)", ("email",))
INDEX = Index(
    "public",
    "users",
    "ix_email",
    "CREATE INDEX ix_email ON public.users USING btree (email)",
    ("email",),
)
MODELS = Snapshot(tables=(USERS,), columns=(ID, EMAIL), constraints=(KEY, ONCE), indexes=(INDEX,))
MOOD = EnumType("public", "mood", ("calm", "loud"))
SERIAL = Sequence(
    "public", "users_id_seq", "integer", 1, 1, 1, 2147483647, 1, cycle=False, owner="public.users.id"
)


def find_differences(
    database: Snapshot, models: Snapshot = MODELS, **options: object
) -> tuple[Difference, ...]:
    facts = replace(Models(metadatas=1, snapshot=models), **options)  # type: ignore[arg-type]
    return compare_with_models(Replay(catalog=database, models=facts))


def find_kinds(database: Snapshot, models: Snapshot = MODELS, **options: object) -> list[str]:
    return [difference.kind for difference in find_differences(database, models, **options)]


def test_equal_catalogs_have_no_drift() -> None:
    assert find_differences(MODELS) == ()


def test_constraints_and_indexes_of_a_missing_column_are_no_differences_of_their_own() -> None:
    database = replace(MODELS, columns=(ID,), constraints=(KEY,), indexes=())
    assert [(d.kind, d.object, d.database, d.models) for d in find_differences(database)] == [
        ("column", "users.email", None, "character varying(64) NOT NULL")
    ]


def test_a_missing_table_is_one_difference() -> None:
    assert find_kinds(Snapshot()) == ["table"]


def test_foreign_keys_to_a_missing_table_are_no_differences_of_their_own() -> None:
    link = Constraint(
        "public", "posts", "fk", "foreign key", "FOREIGN KEY (a) REFERENCES public.users(id)", ("a",),
        references="public.users", referenced_columns=("id",),
    )  # fmt: skip
    posts = Snapshot(tables=(Table("public", "posts"),), columns=(Column("public", "posts", "a", "integer"),))
    models = replace(
        MODELS,
        tables=(USERS, *posts.tables),
        columns=(*MODELS.columns, *posts.columns),
        constraints=(*MODELS.constraints, link),
    )
    assert [(d.kind, d.object) for d in find_differences(posts, models)] == [("table", "users")]


def test_a_type_shows_both_sides() -> None:
    database = replace(MODELS, columns=(ID, replace(EMAIL, type="text")))
    difference = find_differences(database)[0]
    assert (difference.kind, difference.object, difference.column) == ("type", "users.email", "email")
    assert (difference.database, difference.models) == ("text", "character varying(64)")


def test_a_column_that_accepts_null_is_drift() -> None:
    database = replace(MODELS, columns=(ID, replace(EMAIL, nullable=True)))
    assert [(d.kind, d.database, d.models) for d in find_differences(database)] == [
        ("nullability", "NULL", "NOT NULL")
    ]


def test_a_missing_primary_key_is_not_reported_as_nullability_too() -> None:
    database = replace(MODELS, columns=(replace(ID, nullable=True), EMAIL), constraints=(ONCE,))
    assert find_kinds(database) == ["primary key"]


def test_a_renamed_constraint_is_name_only() -> None:
    models = replace(MODELS, constraints=(KEY, replace(ONCE, name="once")))
    assert [(d.kind, d.database, d.models) for d in find_differences(MODELS, models)] == [
        ("name-only", "users_email_key", "once")
    ]


@pytest.mark.parametrize("name", ["users_email_key", "users_email_key1"])
def test_a_constraint_that_the_model_leaves_unnamed_may_have_any_name(name: str) -> None:
    database = replace(MODELS, constraints=(KEY, replace(ONCE, name="once")))
    models = replace(MODELS, constraints=(KEY, replace(ONCE, name=name)))
    assert find_kinds(database, models) == []


def test_the_default_name_of_a_long_table_is_cut_as_postgres_cuts_it() -> None:
    table, column = "t" * 50, "c" * 20
    key = Constraint("public", table, f"{'t' * 38}_{column}_key", "unique", f"UNIQUE ({column})", (column,))
    assert is_default_name(key)
    assert not is_default_name(replace(key, name=f"{table}_{column}_key"))


def test_the_order_of_the_pairs_of_a_foreign_key_means_nothing() -> None:
    def foreign_key(own: str, referenced: str) -> Constraint:
        definition = f"FOREIGN KEY ({own}) REFERENCES public.users({referenced}) ON DELETE CASCADE"
        columns, others = (tuple(text.split(", ")) for text in (own, referenced))
        return Constraint(
            "public", "users", "fk", "foreign key", definition, columns,
            references="public.users", referenced_columns=others,
        )  # fmt: skip

    left = replace(MODELS, constraints=(foreign_key("id, email", "a, b"),))
    assert find_kinds(left, replace(MODELS, constraints=(foreign_key("email, id", "b, a"),))) == []
    assert find_kinds(left, replace(MODELS, constraints=(foreign_key("email, id", "a, b"),))) == [
        "foreign key"
    ]


def test_storage_parameters_that_say_the_default_are_none() -> None:
    options = replace(MODELS, tables=(replace(USERS, options=("autovacuum_enabled=on", "fillfactor=100")),))
    assert find_kinds(options) == []
    index = replace(INDEX, definition=f"{INDEX.definition} WITH (fillfactor='90')")
    assert find_kinds(replace(MODELS, indexes=(index,))) == []
    (index_difference,) = find_differences(
        replace(MODELS, indexes=(replace(INDEX, definition=f"{INDEX.definition} WITH (fillfactor='70')"),))
    )
    (table_difference,) = find_differences(
        replace(MODELS, tables=(replace(USERS, options=("fillfactor=70",)),))
    )
    assert affects_no_query(index_difference)
    assert affects_no_query(table_difference)


@pytest.mark.parametrize(
    ("change", "mild"),
    [
        ({"type": "bigint", "maximum": 9223372036854775807}, True),
        ({"cache": 20}, True),
        ({"increment": 2}, False),
        ({"maximum": 9}, False),
        ({"cycle": True}, False),
    ],
)
def test_a_sequence_that_counts_alike_is_a_warning(change: dict[str, Any], mild: bool) -> None:
    free = replace(SERIAL, owner=None)
    sides = [replace(MODELS, sequences=(sequence,)) for sequence in (replace(SERIAL, **change), free)]
    differences = find_differences(*sides)
    assert [affects_no_query(difference) for difference in differences] == (
        [mild] if change != {"owner": None} else []
    )


FROZEN_TIME = "'2026-11-28 07:20:00.123456+00'::timestamp with time zone"


@pytest.mark.parametrize(
    ("database", "models"),
    [
        (FROZEN_TIME, FROZEN_TIME.replace("123456", "654321")),
        ("now()", FROZEN_TIME),
        (FROZEN_TIME, "now()"),
        (FROZEN_TIME, FROZEN_TIME),
    ],
)
def test_a_default_that_was_evaluated_once_is_shown_without_its_moment(database: str, models: str) -> None:
    column = Column("public", "users", "at", "timestamp with time zone")
    sides = [replace(MODELS, columns=(ID, EMAIL, replace(column, default=d))) for d in (database, models)]
    (difference,) = find_differences(*sides)
    assert difference.kind == "default"
    assert "2026" not in f"{difference.database}{difference.models}"
    assert "evaluated once" in describe_difference(difference)
    assert "sa.func.now()" in describe_fix(difference)


def test_a_date_that_a_person_wrote_is_a_constant() -> None:
    column = Column(
        "public",
        "users",
        "at",
        "timestamp with time zone",
        default="'2020-01-01 00:00:00+00'::timestamp with time zone",
    )
    sides = replace(MODELS, columns=(ID, EMAIL, column))
    assert find_kinds(sides, sides) == []


def test_a_default_of_the_new_type_is_no_difference_of_its_own() -> None:
    def with_default(type_name: str, default: str) -> Snapshot:
        return replace(
            MODELS, columns=(ID, EMAIL, Column("public", "users", "x", type_name, default=default))
        )

    flag = with_default("smallint", "0")
    assert find_kinds(flag, with_default("boolean", "false")) == ["type"]
    assert find_kinds(flag, with_default("boolean", "true")) == ["type", "default"]
    text = with_default("character varying(10)", "'x'::character varying")
    assert find_kinds(text, with_default("public.mood", "'x'::public.mood")) == ["type"]
    assert find_kinds(text, with_default("public.mood", "'y'::public.mood")) == ["type", "default"]


def test_a_renamed_index_is_name_only() -> None:
    renamed = replace(INDEX, name="i", definition=INDEX.definition.replace("ix_email", "i"))
    assert find_kinds(replace(MODELS, indexes=(renamed,))) == ["name-only"]


def test_a_constraint_with_another_name_and_action_is_one_difference() -> None:
    changed = replace(ONCE, name="once", definition="UNIQUE (email) DEFERRABLE", deferrable=True)
    assert find_kinds(replace(MODELS, constraints=(KEY, changed))) == ["unique"]


def test_a_unique_index_for_a_unique_constraint_is_one_difference() -> None:
    index = Index(
        "public",
        "users",
        "u",
        "CREATE UNIQUE INDEX u ON public.users USING btree (email)",
        ("email",),
        unique=True,
    )
    database = replace(MODELS, constraints=(KEY,), indexes=(INDEX, index))
    assert [(d.kind, d.database, d.models) for d in find_differences(database)] == [
        ("unique", index.definition, "UNIQUE (email)")
    ]


def test_an_invalid_index_is_drift() -> None:
    assert find_kinds(replace(MODELS, indexes=(replace(INDEX, valid=False),))) == ["index"]


def test_partitions_are_no_drift() -> None:
    child = Table("public", "users_1", partition_bound="DEFAULT", inherits=("public.users",))
    database = replace(
        MODELS,
        tables=(USERS, child),
        columns=(*MODELS.columns, replace(ID, table="users_1")),
        indexes=(INDEX, replace(INDEX, table="users_1", name="i")),
    )
    assert find_differences(database) == ()


def test_a_renamed_serial_sequence_is_name_only() -> None:
    def serial(name: str) -> Snapshot:
        column = replace(ID, default=f"nextval('public.{name}'::regclass)")
        return replace(MODELS, columns=(column, EMAIL), sequences=(replace(SERIAL, name=name),))

    assert find_kinds(serial("people_seq"), serial("users_id_seq")) == ["name-only"]


@pytest.mark.parametrize("name", ["a", "z"])
@pytest.mark.parametrize("identity", [False, True])
def test_a_second_sequence_of_a_column_is_a_leftover(name: str, identity: bool) -> None:
    default = None if identity else "nextval('public.users_id_seq'::regclass)"
    column = replace(ID, default=default, identity="always" if identity else None)
    own = replace(SERIAL, identity=identity)
    models = replace(MODELS, columns=(column, EMAIL), sequences=(own,))
    for sequences in ((own, replace(SERIAL, name=name)), (replace(SERIAL, name=name), own)):
        (found,) = find_differences(replace(models, sequences=sequences), models)
        assert (found.kind, found.object, found.models) == ("sequence", name, None)


def test_serial_for_identity_is_one_difference() -> None:
    serial = replace(ID, default="nextval('public.users_id_seq'::regclass)")
    identity = replace(ID, identity="by default")
    database = replace(MODELS, columns=(serial, EMAIL), sequences=(SERIAL,))
    models = replace(MODELS, columns=(identity, EMAIL), sequences=(replace(SERIAL, identity=True),))
    assert find_kinds(database, models) == ["default"]


def test_an_enum_with_other_labels_is_drift() -> None:
    database = replace(MODELS, enums=(replace(MOOD, labels=("calm",)),))
    models = replace(MODELS, enums=(MOOD,))
    assert [(d.kind, d.database, d.models) for d in find_differences(database, models)] == [
        ("enum", "('calm')", "('calm', 'loud')")
    ]


def test_a_renamed_enum_is_not_reported_again_for_each_column() -> None:
    def with_enum(name: str) -> Snapshot:
        mood = Column("public", "users", "mood", f"public.{name}", default=f"'calm'::public.{name}")
        return replace(MODELS, columns=(ID, EMAIL, mood), enums=(replace(MOOD, name=name),))

    assert find_kinds(with_enum("feeling"), with_enum("mood")) == ["enum"]


def test_objects_that_models_cannot_express_are_unmanaged() -> None:
    database = replace(
        MODELS,
        views=(View("public", "v", "view", "SELECT 1"),),
        routines=(Routine("public", "f", "", "function", "SELECT 1"),),
    )
    assert {(d.kind, d.object_noun, d.object) for d in find_differences(database)} == {
        ("unmanaged", "view", "v"),
        ("unmanaged", "function", "f()"),
    }


FREE = replace(SERIAL, name="numbers", owner=None)
OF_MOOD = replace(EMAIL, type="public.mood[]")
NUMBERED = replace(EMAIL, default="nextval('public.numbers'::regclass)")
SHOUT = Routine("public", "shout", "m mood", "function", "SELECT 1")
LOUD = View("public", "v", "view", "SELECT 'loud'::public.mood AS m;")


@pytest.mark.parametrize(
    ("database", "models"),
    [
        ({"enums": (MOOD,)}, {}),
        ({"enums": (replace(MOOD, oid=5),)}, {"enums": (replace(MOOD, oid=5),)}),
        ({"sequences": (FREE,)}, {"sequences": ()}),
    ],
)
def test_a_type_or_a_sequence_that_nothing_uses_is_a_leftover(
    database: dict[str, Any], models: dict[str, Any]
) -> None:
    (found,) = find_differences(replace(MODELS, **database), replace(MODELS, **models))
    assert found.kind in ("enum", "sequence")
    assert found.models is None
    assert is_leftover(found)


@pytest.mark.parametrize(
    ("database", "models"),
    [
        ({"enums": (MOOD,), "columns": (ID, OF_MOOD)}, {"columns": (ID, OF_MOOD)}),
        ({"enums": (MOOD,), "routines": (SHOUT,)}, {"routines": (SHOUT,)}),
        ({"enums": (MOOD,), "views": (LOUD,)}, {}),
        ({"sequences": (FREE,), "columns": (ID, NUMBERED)}, {"columns": (ID, NUMBERED)}),
    ],
)
def test_a_type_or_a_sequence_that_is_in_use_is_no_leftover(
    database: dict[str, Any], models: dict[str, Any]
) -> None:
    found = find_differences(replace(MODELS, **database), replace(MODELS, **models))
    assert {d.kind for d in found} == {"unmanaged"}
    assert {d.object_noun for d in found} >= {"enum" if "enums" in database else "sequence"}


def test_objects_that_the_models_database_only_copied_are_unmanaged() -> None:
    copied = replace(MODELS, extensions=(Extension("citext", "public", "1.6", oid=99),))
    assert [(d.kind, d.object_noun, d.object) for d in find_differences(copied, copied)] == [
        ("unmanaged", "extension", "citext")
    ]


def test_objects_that_the_project_filters_out_are_not_compared() -> None:
    filtered = (FilteredObject("table", "public", None, "users"),)
    assert find_differences(Snapshot(), filtered_objects=filtered) == ()
    assert (
        find_differences(
            replace(MODELS, indexes=()),
            filtered_objects=(FilteredObject("index", "public", "users", "ix_email"),),
        )
        == ()
    )


@pytest.mark.parametrize(("column", "count"), [("email", 0), ("id", 1)])
def test_a_key_without_a_name_is_filtered_out_by_its_columns(column: str, count: int) -> None:
    filtered = (FilteredObject("unique_constraint", "public", "users", "", columns=(column,)),)
    models = replace(MODELS, constraints=(KEY, replace(ONCE, columns=("email",))))
    database = replace(models, constraints=(KEY,))
    found = find_differences(database, models, filtered_objects=filtered)
    assert len([item for item in found if item.kind == "unique"]) == count


@pytest.mark.parametrize("left_out_side", ["database", "models"])
def test_a_constraint_of_a_column_that_is_left_out_is_compared_on_neither_side(left_out_side: str) -> None:
    """One side's CHECK is about the column, and the other's of the same name is not."""
    filtered = (FilteredObject("column", "public", "users", "email"),)
    without_column = replace(ONCE, name="ck", kind="check", columns=("id",), definition="CHECK ((id > 0))")
    with_column = replace(without_column, columns=("id", "email"))
    sides = [with_column, without_column] if left_out_side == "database" else [without_column, with_column]
    database, models = (replace(MODELS, constraints=(KEY, check), indexes=()) for check in sides)
    found = find_differences(database, models, filtered_objects=filtered)
    assert [item for item in found if item.kind != "unmanaged"] == []


@pytest.mark.parametrize("left_out_side", ["database", "models"])
def test_a_key_that_has_a_left_out_column_on_one_side_is_another_one(left_out_side: str) -> None:
    """Alembic compares these by their columns, and would find it."""
    filtered = (FilteredObject("column", "public", "users", "email"),)
    without_column = replace(ONCE, name="uq", columns=("id",), definition="UNIQUE (id)")
    with_column = replace(without_column, columns=("id", "email"), definition="UNIQUE (id, email)")
    sides = [with_column, without_column] if left_out_side == "database" else [without_column, with_column]
    database, models = (replace(MODELS, constraints=(KEY, key), indexes=()) for key in sides)
    found = find_differences(database, models, filtered_objects=filtered)
    (difference,) = [item for item in found if item.kind != "unmanaged"]
    assert (difference.object, difference.database is None, difference.models is None) == (
        "users.uq",
        False,
        False,
    )


VIEW = View(
    "public",
    "users",
    "view",
    " SELECT a.id, a.email\n   FROM a;",
    column_names=("id", "email"),
    column_types=("integer", "text"),
)


def test_a_model_of_a_view_is_no_missing_table_but_may_have_a_missing_column() -> None:
    definition = " SELECT people.id\n   FROM people\n  WHERE people.email IS NOT NULL;"
    view = View("public", "users", "view", definition, column_names=("id",), column_types=("integer",))
    database = Snapshot(views=(view,))
    models = replace(MODELS, constraints=(KEY,), indexes=())
    drifts = [(d.kind, d.object) for d in find_differences(database, models) if d.kind != "unmanaged"]
    assert drifts == [("column", "users.email")]
    filtered = (FilteredObject("table", "public", None, "users"),)
    found = find_differences(database, models, filtered_objects=filtered)
    assert {d.kind for d in found} == {"unmanaged"}


@pytest.mark.parametrize(
    "part",
    [
        {"indexes": (INDEX,)},
        {"constraints": (KEY, ONCE)},
        {"constraints": (KEY, replace(ONCE, table="posts", kind="foreign key", references="public.users"))},
    ],
)
def test_a_model_with_an_index_or_another_key_is_no_model_of_a_view(part: dict[str, Any]) -> None:
    view = View("public", "users", "view", " SELECT people.id\n   FROM people;")
    models = replace(MODELS, **{"constraints": (KEY,), "indexes": (), **part})
    (table,) = (d for d in find_differences(Snapshot(views=(view,)), models) if d.kind == "table")
    assert (table.object, table.table) == ("users", "public.users")
    assert (table.database or "").startswith("view: SELECT people.id")


def test_a_materialized_view_may_have_indexes_in_its_model() -> None:
    view = replace(VIEW, kind="materialized view", column_types=("integer", "character varying(64)"))
    models = replace(MODELS, constraints=(KEY,))
    database = Snapshot(views=(view,), indexes=(replace(INDEX, on_view=True, name="other"),))
    assert {d.kind for d in find_differences(database, models)} == {"unmanaged"}
    drifts = [(d.kind, d.object) for d in find_differences(Snapshot(views=(view,)), models)]
    assert ("index", "ix_email") in drifts


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (("bigint", "text"), [("users.email", True), ("users.id", True)]),
        (("uuid", "character varying(64)[]"), [("users.email", False), ("users.id", False)]),
    ],
)
def test_the_types_of_a_views_columns_are_compared(
    types: tuple[str, ...], expected: list[tuple[str, bool]]
) -> None:
    database = Snapshot(views=(replace(VIEW, column_types=types),))
    found = find_differences(database, replace(MODELS, constraints=(KEY,), indexes=()))
    typed = [(d.object, bool(d.harmless_because)) for d in found if d.kind == "type"]
    assert typed == expected
    assert [(d.database, d.upgrade) for d in found if d.kind == "type"] == [(types[1], ""), (types[0], "")]


def test_a_table_that_left_a_view_under_its_old_name_is_renamed_back() -> None:
    view = View(
        "public", "users", "view", " SELECT users_v2.id,\n    users_v2.email\n   FROM public.users_v2;"
    )
    moved = Snapshot(
        tables=(replace(USERS, name="users_v2"),),
        columns=tuple(replace(column, table="users_v2") for column in (ID, EMAIL)),
        constraints=tuple(replace(part, table="users_v2") for part in (KEY, ONCE)),
        indexes=(
            replace(INDEX, table="users_v2", definition=INDEX.definition.replace(".users ", ".users_v2 ")),
        ),
        views=(view,),
    )
    (table,) = find_differences(moved)
    assert (table.kind, table.object) == ("table", "users")


def test_a_view_of_some_columns_is_no_other_name_of_the_table() -> None:
    view = View("public", "users", "view", " SELECT users_v2.id\n   FROM public.users_v2;")
    moved = Snapshot(
        tables=(replace(USERS, name="users_v2"),),
        columns=tuple(replace(column, table="users_v2") for column in (ID, EMAIL)),
        views=(view,),
    )
    found = {(d.kind, d.object) for d in find_differences(moved)}
    assert found >= {("table", "users"), ("table", "users_v2")}


def test_each_option_of_a_table_is_a_difference_of_its_own() -> None:
    database = replace(MODELS, tables=(replace(USERS, persistence="unlogged", options=("fillfactor=70",)),))
    assert [(d.kind, d.database, d.models) for d in find_differences(database)] == [
        ("table option", "unlogged", "permanent"),
        ("table option", "WITH (fillfactor=70)", "no storage parameters"),
    ]


def test_a_table_that_postgres_did_not_create_from_the_models_is_compared_by_alembic() -> None:
    database = replace(MODELS, tables=(USERS, Table("public", "places")))
    uncreated = (
        UncreatedObject("public.places", 'type "geometry" does not exist', compared_by_alembic=True),
    )
    alembic = (AlembicDifference("add_column", "public.places", "x", None, "INTEGER"),)
    assert [
        (d.kind, d.object, d.models)
        for d in find_differences(database, uncreated_objects=uncreated, alembic_differences=alembic)
    ] == [("column", "places.x", "INTEGER")]


def test_what_alembic_alone_compares_has_its_revision_and_both_sides() -> None:
    def touch(step: int, type_: str, *indexes: NamedDefinition) -> DdlCommand:
        states = (ColumnState(2, "email", type_, nullable=False, default=None),)
        return DdlCommand(
            step, "ALTER TABLE", "table", "public.users", 7, columns=states, indexes=indexes,
            table=TableState("public", "users"),
        )  # fmt: skip

    made = NamedDefinition("ix_email", INDEX.definition, 0, ("email",))
    replay = Replay(
        history=History(
            (Revision("aa", (), "", Location("a.py")), Revision("bb", ("aa",), "", Location("b.py")))
        ),
        steps=(Step(1, "aa", 0.1), Step(2, "bb", 0.1)),
        ddl_commands=(touch(1, "text", made), touch(2, EMAIL.type, made)),
        catalog=MODELS,
        models=Models(
            metadatas=1,
            snapshot=Snapshot(),
            uncreated_objects=(UncreatedObject("public.users", "no", compared_by_alembic=True),),
            alembic_differences=(
                AlembicDifference("modify_type", "public.users", "email", "VARCHAR(64)", "ODD"),
                AlembicDifference("modify_nullable", "public.users", "email", "NOT NULL", "NULL"),
                AlembicDifference("remove_index", "public.users", "ix_email", "INDEX (email)", None),
                AlembicDifference("add_column", "public.users", "age", None, "INTEGER"),
            ),
        ),
    )
    found = [(d.object, d.revision, d.database, d.models) for d in compare_with_models(replay)]
    assert sorted(found, key=str) == [
        ("ix_email", "aa", INDEX.definition, None),
        ("users.age", None, None, "INTEGER"),
        ("users.email", "aa", "NOT NULL", "NULL"),
        ("users.email", "bb", "VARCHAR(64)", "ODD"),
    ]


def test_a_key_that_postgres_did_not_create_from_the_models_is_not_missing_there() -> None:
    link = Constraint("public", "users", "fk", "foreign key", "FOREIGN KEY (id) REFERENCES x(id)", ("id",))
    database = replace(MODELS, constraints=(KEY, ONCE, link))
    refused = UncreatedObject(
        "foreign key (id)", "no unique constraint", compared_by_alembic=True, table="public.users",
        kind="foreign key", columns=("id",),
    )  # fmt: skip
    assert find_kinds(database) == ["foreign key"]
    assert find_kinds(database, uncreated_objects=(refused,)) == []


def test_the_revision_that_changed_a_column_is_named() -> None:
    def touch(step: int, type_: str) -> DdlCommand:
        states = (ColumnState(2, "email", type_, nullable=False, default=None),)
        return DdlCommand(step, "ALTER TABLE", "table", "public.users", 7, columns=states)

    replay = Replay(
        history=History(
            (Revision("aa", (), "", Location("a.py")), Revision("bb", ("aa",), "", Location("b.py")))
        ),
        steps=(Step(1, "aa", 0.1), Step(2, "bb", 0.1)),
        ddl_commands=(touch(1, "character varying(64)"), touch(2, "text")),
        catalog=replace(MODELS, columns=(ID, replace(EMAIL, type="text"))),
        models=Models(metadatas=1, snapshot=MODELS),
    )
    assert [difference.revision for difference in compare_with_models(replay)] == ["bb"]


@pytest.mark.parametrize(("unique", "culprit"), [("", "bb"), ("UNIQUE ", "cc")])
def test_a_lost_unique_constraint_is_laid_to_what_dropped_it(unique: str, culprit: str) -> None:
    definition = f"CREATE {unique}INDEX ix_mail ON public.users USING btree (email)"
    index = replace(INDEX, name="ix_mail", definition=definition, unique=bool(unique), oid=9)
    once = NamedDefinition("users_email_key", "UNIQUE (email)", 8, ("email",))
    made = NamedDefinition("ix_mail", definition, 9, ("email",))

    def touch(
        step: int,
        constraints: tuple[NamedDefinition, ...] = (),
        indexes: tuple[NamedDefinition, ...] = (),
    ) -> DdlCommand:
        states = (ColumnState(2, "email", EMAIL.type, nullable=False, default=None),)
        return DdlCommand(
            step,
            "ALTER TABLE",
            "table",
            "public.users",
            7,
            columns=states,
            constraints=constraints,
            indexes=indexes,
            table=TableState("public", "users"),
        )

    revisions = (("aa", ()), ("bb", ("aa",)), ("cc", ("bb",)))
    replay = Replay(
        history=History(tuple(Revision(r, parents, "", Location(f"{r}.py")) for r, parents in revisions)),
        steps=tuple(Step(number, r, 0.1) for number, (r, _) in enumerate(revisions, 1)),
        ddl_commands=(touch(1, constraints=(once,)), touch(2), touch(3, indexes=(made,))),
        catalog=replace(MODELS, constraints=(KEY,), indexes=(index,)),
        models=Models(metadatas=1, snapshot=replace(MODELS, indexes=())),
    )
    (difference,) = compare_with_models(replay)
    assert difference.revision == culprit
    assert ("only the models make its values unique" in describe_difference(difference)) == (not unique)


def test_types_that_the_project_itself_calls_equal_are_no_drift() -> None:
    column = Column("public", "users", "email", "text")
    table = Table("public", "users")
    modelled = Snapshot(tables=(table,), columns=(replace(column, type="citext"),))
    replay = Replay(
        catalog=Snapshot(tables=(table,), columns=(column,)),
        models=Models(tables=("public.users",), snapshot=modelled),
    )

    def with_filter(filtered: FilteredObject) -> Replay:
        return replace(replay, models=replace(replay.models, filtered_objects=(filtered,)))

    assert [difference.kind for difference in compare_with_models(replay)] == ["type"]
    for equal in (FilteredObject("type", "public", "users", "email"), FilteredObject("type", "*", "*", "*")):
        assert compare_with_models(with_filter(equal)) == ()
    assert len(compare_with_models(with_filter(FilteredObject("default", "public", "users", "email")))) == 1
    # Only what an option of env.py called equal is told as that.
    by_option = FilteredObject("type", "public", "users", "email", "compare_type")
    assert [item.kind for item in list_called_equal(with_filter(by_option))] == ["type"]
    assert list_called_equal(with_filter(replace(by_option, option=""))) == ()
