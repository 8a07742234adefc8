"""What a check says should be changed in the sources, and when it says nothing."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from migration_gate.analysis.evaluated_defaults import FROZEN, QUOTED
from migration_gate.checks import broken_history, drift, nullable_owner, several_heads, uncascaded_owner
from migration_gate.facts import (
    COLUMN_FUNCTIONS,
    FOREIGN_KEY_FUNCTIONS,
    ChangedFile,
    Correction,
    DdlCommand,
    Difference,
    DifferenceKind,
    Facts,
    LineRange,
    Location,
    MissingParent,
    ModelDefinition,
    ModelPart,
    RevisionFile,
    SetKeyword,
    SetTypeArguments,
    SetVariable,
    Tree,
)
from tests.support import fact_builders

REVISION = "migrations/versions/b2.py"
STATEMENT = Location(REVISION, 31)
MODEL = Location("app/models.py", 8)
KEY = Location("app/models.py", 9)
EDITED = Difference("nullability", "users.email", "NOT NULL", "NULL", revision="b2", location=STATEMENT)
EDITED = replace(EDITED, table="public.users", column="email")


def make_facts(*changed: str, mixin: bool = False) -> Facts:
    """A model `users` with a column `email`, which is a key; the change has these files whole."""
    column = ModelPart("column", Location("app/mixins.py", 90) if mixin else MODEL, "email")
    parts = (column, ModelPart("foreign key", KEY, columns=("email",)))
    definition = ModelDefinition("users", Location("app/models.py", 5), parts=parts)
    facts = fact_builders.make_replay_facts(
        fact_builders.make_chain("a1", "b2"),
        changed_files=changed,
        changed_lines=tuple(ChangedFile(file, (LineRange(1, None),)) for file in changed),
    )
    return replace(facts, tree=Tree(model_definitions=(definition,)))


def correct(difference: Difference, facts: Facts | None = None) -> tuple[Correction, ...]:
    facts = facts or make_facts(REVISION)
    (finding,) = drift.check(replace(facts, replay=replace(facts.replay, differences=(difference,))))
    return tuple(replace(correction, introduction="") for correction in finding.corrections)


def set_on_email(keyword: str, value: str) -> SetKeyword:
    return SetKeyword(MODEL, COLUMN_FUNCTIONS, keyword, value, "email")


def test_a_call_with_quotes_is_a_string_of_python() -> None:
    call = """nextval('"Counter"'::regclass)"""
    difference = replace(EDITED, kind="default", database=call, models=f"{QUOTED}{call}")
    (correction,) = correct(difference)
    assert isinstance(correction, SetKeyword)
    assert ast.unparse(ast.parse(correction.value)) == f"sa.text({call!r})"


@pytest.mark.parametrize("changed", [(), (REVISION,), (REVISION, "app/models.py")])
def test_the_model_is_corrected_where_the_change_does_not_edit_it_alone(changed: tuple[str, ...]) -> None:
    assert correct(EDITED, make_facts(*changed)) == (set_on_email("nullable", "False"),)


def test_the_model_is_not_corrected_where_a_revision_is_missing() -> None:
    assert correct(EDITED, make_facts("app/models.py")) == ()
    assert correct(replace(EDITED, revision=None, location=None), make_facts("app/models.py")) == ()


def test_a_column_of_a_mixin_is_not_corrected() -> None:
    assert correct(EDITED, make_facts(REVISION, mixin=True)) == ()


@pytest.mark.parametrize(
    ("kind", "database", "models", "expected"),
    [
        ("nullability", "NULL", "NOT NULL", set_on_email("nullable", "True")),
        (
            "type",
            "character varying(250)",
            "character varying(200)",
            SetTypeArguments(MODEL, "email", ("String", "VARCHAR", "Unicode"), (250,)),
        ),
        (
            "type",
            "numeric(10,2)",
            "numeric",
            SetTypeArguments(MODEL, "email", ("Numeric", "NUMERIC", "DECIMAL"), (10, 2)),
        ),
        ("type", "text", "character varying(9)", None),
        ("type", "character varying(250)", "character varying(200) COLLATE x", None),
        ("default", "'a'::text", None, None),
        (
            "foreign key",
            "FOREIGN KEY (email) REFERENCES a(id) ON DELETE CASCADE",
            "FOREIGN KEY (email) REFERENCES a(id)",
            SetKeyword(KEY, FOREIGN_KEY_FUNCTIONS, "ondelete", '"CASCADE"'),
        ),
        (
            "foreign key",
            "FOREIGN KEY (email) REFERENCES a(id) DEFERRABLE",
            "FOREIGN KEY (email) REFERENCES a(id) ON DELETE SET NULL DEFERRABLE",
            SetKeyword(KEY, FOREIGN_KEY_FUNCTIONS, "ondelete", "None"),
        ),
        (
            "foreign key",
            "FOREIGN KEY (email) REFERENCES a(id) ON DELETE CASCADE",
            "FOREIGN KEY (email) REFERENCES b(id)",
            None,
        ),
    ],
)
def test_a_property_gets_what_the_migrations_have(
    kind: DifferenceKind, database: str, models: str | None, expected: Correction | None
) -> None:
    difference = replace(EDITED, kind=kind, database=database, models=models)
    assert correct(replace(difference, columns=("email",))) == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("name", "index", "is_corrected"),
    [
        ("ix_users_email", "CREATE INDEX ix_users_email ON public.users USING btree (email)", True),
        ("email_idx", "CREATE INDEX email_idx ON public.users USING btree (email)", False),
        ("ix_users_email", "CREATE UNIQUE INDEX ix_users_email ON public.users USING btree (email)", False),
        ("ix_users_email", "CREATE INDEX ix_users_email ON public.users USING hash (email)", False),
        ("ix_users_email", "CREATE INDEX ix_users_email ON public.users USING btree (email) WHERE a", False),
    ],
)
def test_an_index_that_the_model_lacks_is_a_keyword_by_its_usual_name(
    name: str, index: str, *, is_corrected: bool
) -> None:
    difference = Difference("index", name, index, None, table="public.users", columns=("email",))
    assert correct(difference) == ((set_on_email("index", "True"),) if is_corrected else ())


def test_a_default_that_is_no_call_is_corrected_on_both_sides() -> None:
    difference = replace(EDITED, kind="default", database=FROZEN, models=FROZEN)
    functions = ("Column", "mapped_column", "MappedColumn")
    in_model = SetKeyword(MODEL, functions, "server_default", "sa.func.now()", "email")
    in_revision = replace(in_model, location=STATEMENT, functions=(*functions, "alter_column"))
    assert correct(difference, make_facts(REVISION, MODEL.file)) == (in_model, in_revision)
    assert correct(difference, make_facts(MODEL.file)) == (in_model,)


@pytest.mark.parametrize(("check", "keyword"), [(nullable_owner, "nullable"), (uncascaded_owner, "ondelete")])
def test_an_owner_column_is_corrected_in_a_new_revision_and_in_the_model(check: object, keyword: str) -> None:
    table = fact_builders.make_table("notes", "owner_id integer", "owner_id -> users.id", oid=9)
    command = fact_builders.make_ddl_command(2, "notes", "owner_id integer", oid=9)
    parts = (
        ModelPart("column", MODEL, "owner_id"),
        ModelPart("foreign key", KEY, columns=("owner_id",)),
    )
    definition = ModelDefinition("notes", Location("app/models.py", 5), parts=parts)
    facts = fact_builders.make_owner_facts(table, ddl_commands=(replace(command, line=31),))
    facts = replace(facts, tree=Tree(model_definitions=(definition,)))
    assert isinstance(command, DdlCommand)
    in_model = MODEL if keyword == "nullable" else KEY
    (finding,) = check.check(facts)  # type: ignore[attr-defined]
    assert [(item.location, item.keyword) for item in finding.corrections] == [(in_model, keyword)]
    changed = (ChangedFile(REVISION, (LineRange(1, None),)),)
    facts = replace(facts, replay=replace(facts.replay, changed_lines=changed))
    (finding,) = check.check(facts)  # type: ignore[attr-defined]
    assert [item.location.file for item in finding.corrections] == [REVISION, MODEL.file]


@pytest.mark.parametrize(("made_by", "needs_owners"), [(2, False), (1, True)])
def test_forbidding_null_says_that_the_rows_of_an_older_table_need_an_owner(
    made_by: int, *, needs_owners: bool
) -> None:
    table = fact_builders.make_table("notes", "owner_id integer", "owner_id -> users.id", oid=9)
    commands = [
        fact_builders.make_ddl_command(made_by, "notes", "owner_id integer NOT NULL", oid=9),
        fact_builders.make_ddl_command(2, "notes", "owner_id integer", oid=9),
    ]
    facts = fact_builders.make_owner_facts(table, ddl_commands=[replace(item, line=31) for item in commands])
    changed = (ChangedFile(REVISION, (LineRange(1, None),)),)
    facts = replace(facts, replay=replace(facts.replay, changed_lines=changed))
    (finding,) = nullable_owner.check(facts)
    (correction,) = finding.corrections
    assert ("need an owner before it:" in correction.introduction) is needs_owners


def make_forked(*changed: str, parents: tuple[str, ...] = ("a1",)) -> Facts:
    """Two heads, b2 and c3, on top of a1."""
    revisions = (
        fact_builders.make_revision("a1"),
        fact_builders.make_revision("b2", *parents),
        fact_builders.make_revision("c3", "a1"),
    )
    return fact_builders.make_replay_facts(fact_builders.make_history(*revisions), changed_files=changed)


@pytest.mark.parametrize(
    ("changed", "moved", "other"),
    [((), "c3", "b2"), (("c3",), "c3", "b2"), (("b2",), "b2", "c3"), (("b2", "c3"), "c3", "b2")],
)
def test_the_newer_of_two_heads_goes_on_top_of_the_other(
    changed: tuple[str, ...], moved: str, other: str
) -> None:
    facts = make_forked(*(f"migrations/versions/{name}.py" for name in changed))
    (finding,) = several_heads.check(facts)
    (correction,) = finding.corrections
    file = f"migrations/versions/{moved}.py"
    assert replace(correction, introduction="") == SetVariable(file, "down_revision", "a1", other)
    assert (finding.revision, f'down_revision = "{other}"' in finding.fix) == (moved, True)
    assert finding.object == "b2 c3"


def test_a_head_stays_where_the_other_line_depends_on_it_or_there_are_more() -> None:
    facts = make_forked()
    second = replace(facts.replay.history.revisions[1], depends_on=("c3",))
    revisions = (facts.replay.history.revisions[0], second, facts.replay.history.revisions[2])
    third = fact_builders.make_revision("d4", "a1")
    for graph in (revisions, (*facts.replay.history.revisions, third)):
        history = fact_builders.make_history(*graph)
        (finding,) = several_heads.check(fact_builders.make_replay_facts(history))
        assert finding.corrections == ()


@pytest.mark.parametrize(("parent", "meant"), [("a1b2c3d4e5f7", "a1b2c3d4e5f6"), ("zzzzzzzzzzzz", None)])
def test_a_parent_that_is_missing_gets_the_id_that_was_meant(parent: str, meant: str | None) -> None:
    file = RevisionFile("migrations/versions/b2.py", "b2b2b2b2b2b2", (parent,), line=1, parents_line=2)
    graph = fact_builders.make_chain("a1b2c3d4e5f6")
    missing = (MissingParent("b2b2b2b2b2b2", parent),)
    facts = fact_builders.make_replay_facts(replace(graph, files=(file,), missing_parents=missing))
    (finding,) = broken_history.check(facts)
    corrections = [replace(correction, introduction="") for correction in finding.corrections]
    assert corrections == ([SetVariable(file.path, "down_revision", parent, meant)] if meant else [])
