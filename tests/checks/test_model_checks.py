"""drift, missing-models and unchecked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis.drift_messages import KINDS
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.checks import drift, missing_models, unchecked
from migration_gate.facts import (
    Difference,
    DifferenceKind,
    Facts,
    Failure,
    Location,
    ModelLocation,
    Models,
    Tree,
    Unchecked,
    UncreatedObject,
)
from tests.support.fact_builders import chain, difference, replayed


def drifted(*differences: Difference, **fields: object) -> list[Finding]:
    return list(drift.check(replayed(chain("a1", "b2"), differences=differences, **fields)))


def test_no_difference_is_no_finding() -> None:
    assert drifted() == []


def test_a_column_that_accepts_null_is_drift_with_the_revision_that_mends_it() -> None:
    mended = replace(
        difference("nullability", "users.email", "email text", "email text NOT NULL"),
        upgrade='    op.alter_column("users", "email", nullable=False)\n',
        downgrade='op.alter_column("users", "email", nullable=True)',
        revision="a1",
    )
    (found,) = drifted(mended)
    assert found.message == "`users.email` is NOT NULL in the models only"
    assert found.location == Location("migrations/versions/a1.py", 12)
    assert found.evidence == (Evidence("migrations", "email text"), Evidence("models", "email text NOT NULL"))
    body = found.fix.replace("\n    ", "\n")
    compile(body.partition("\n\n")[2], "revision.py", "exec")
    assert '# upgrade\nop.alter_column("users", "email", nullable=False)\n' in body
    assert '# downgrade\nop.alter_column("users", "email", nullable=True)\n' in body


def test_a_default_left_over_from_adding_a_column_is_a_warning() -> None:
    (left_over,) = drifted(difference("default", "users.active", "true", None))
    (missing,) = drifted(difference("default", "users.active", None, "true"))
    assert left_over.severity is Severity.WARNING
    assert missing.severity is None


def test_a_downgrade_that_nobody_can_write_says_so() -> None:
    (found,) = drifted(replace(difference("table", "old", "x", None), upgrade='op.drop_table("old")'))
    assert "raise NotImplementedError" in found.fix


def test_a_difference_that_no_revision_mends_is_left_to_people() -> None:
    (found,) = drifted(difference("check", "users.c", None, "CHECK (a > 0)"))
    assert found.fix.startswith("Correct the model, or write a revision")
    assert found.evidence[0] == Evidence("migrations", "nothing")


@pytest.mark.parametrize("kind", ["name-only", "comment"])
def test_names_and_comments_are_warnings(kind: DifferenceKind) -> None:
    (found,) = drifted(difference(kind, "x", "a", "b"))
    assert found.severity is Severity.WARNING


def test_kinds_have_hyphens_and_are_known() -> None:
    (found,) = drifted(difference("primary key", "users.pk", "a", "b"))
    assert found.kind == "primary-key"
    assert found.kind in KINDS
    assert found.severity is None


def test_what_no_revision_makes_is_placed_at_its_model() -> None:
    models = Models(
        ("public.users",), 1, locations=(ModelLocation("public.users", Location("app/models.py", 4)),)
    )
    missing = replace(difference("column", "users.nick", None, "nick text"), table="public.users")
    (found,) = drifted(missing, models=models)
    assert found.location == Location("app/models.py", 4)


def test_what_models_cannot_express_is_one_note_by_kind() -> None:
    views = [replace(difference("unmanaged", f"v{n}", "x", None), object_noun="view") for n in (1, 2)]
    policy = replace(difference("unmanaged", "p on users", "x", None), object_noun="policy")
    (found,) = drifted(*views, policy)
    assert found.severity is Severity.NOTE
    assert found.kind == "unmanaged"
    assert found.message == "Models cannot express 1 policy and 2 views: listed, not compared"
    assert found.evidence == (Evidence("policy", "p on users"), Evidence("view", "v1, v2"))


def test_kinds_of_what_models_cannot_express_are_counted_in_english() -> None:
    nouns = ("policy", "row security", "replica identity", "index", "statistics", "view")
    several = [
        replace(difference("unmanaged", f"{noun} {n}", "x", None), object_noun=noun)
        for noun in nouns
        for n in (1, 2)
    ]
    (found,) = drifted(*several)
    assert found.message == (
        "Models cannot express 2 indexes, 2 policies, 2 replica identities, 2 row security settings, "
        "2 statistics objects and 2 views: listed, not compared"
    )


def without_models(**fields: object) -> Facts:
    return replayed(chain("a1"), models=Models((), **fields))  # type: ignore[arg-type]


def test_without_models_nothing_is_drift() -> None:
    facts = without_models()
    facts = replace(facts, replay=replace(facts.replay, differences=(difference("table", "t", "x", None),)))
    assert list(drift.check(facts)) == []


def test_a_missing_target_metadata_has_words_of_its_own() -> None:
    (found,) = missing_models.check(without_models(metadatas=0))
    assert found.message == "`target_metadata` is missing in env.py: there are no models to compare with"


def test_an_env_that_imports_no_models_has_words_of_its_own() -> None:
    (found,) = missing_models.check(without_models(metadatas=1))
    assert found.message == "`target_metadata` holds no tables: env.py imports no models"


def test_models_are_not_missed_where_env_py_never_ran() -> None:
    facts = without_models()
    broke = replace(facts.replay, steps=(), failure=Failure("No module named 'app'"))
    assert list(missing_models.check(replace(facts, replay=broke))) == []
    assert list(missing_models.check(replayed(chain("a1")))) == []


def test_models_that_raise_are_not_missing() -> None:
    facts = without_models(metadatas=0)
    raised = replace(
        facts.replay, unchecked=(Unchecked("models", "could not be created: NoReferencedTableError"),)
    )
    assert list(missing_models.check(replace(facts, replay=raised))) == []


def test_what_could_not_be_checked_is_an_error_by_its_name() -> None:
    facts = replayed(
        chain("a1"),
        unchecked=(Unchecked("alembic/data.py", "it is a link"),),
        models=Models(
            ("public.a", "public.b"),
            1,
            (
                UncreatedObject("places", 'type "geometry" does not exist', False),
                UncreatedObject("b", "x", True),
            ),
            locations=(ModelLocation("public.places", Location("app/models.py", 3)),),
        ),
    )
    facts = replace(facts, tree=Tree(unchecked=(Unchecked("dump.sql", "it is binary"),)))
    found = list(unchecked.check(facts))
    assert [one.object for one in found] == ["alembic/data.py", "dump.sql", "places"]
    assert found[2].location == Location("app/models.py", 3)
    assert unchecked.SEVERITY is Severity.ERROR
