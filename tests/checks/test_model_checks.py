"""drift, missing-models and unchecked."""

from __future__ import annotations

from dataclasses import replace
from textwrap import indent

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
    ModelDefinition,
    ModelLocation,
    Models,
    NameUse,
    Tree,
    Unchecked,
    UncreatedObject,
)
from tests.support.fact_builders import make_chain, make_difference, make_replay_facts


def check_drift(*differences: Difference, **fields: object) -> list[Finding]:
    return list(drift.check(make_replay_facts(make_chain("a1", "b2"), differences=differences, **fields)))


def test_no_difference_is_no_finding() -> None:
    assert check_drift() == []


def test_a_column_that_accepts_null_is_drift_with_the_revision_that_removes_it() -> None:
    mended = replace(
        make_difference("nullability", "users.email", "email text", "email text NOT NULL"),
        upgrade='    op.alter_column("users", "email", nullable=False)\n',
        downgrade='op.alter_column("users", "email", nullable=True)',
        revision="a1",
    )
    (finding,) = check_drift(mended)
    assert finding.message == "`users.email` is NOT NULL in the models only"
    assert finding.location == Location("migrations/versions/a1.py", 12)
    assert finding.evidence == (
        Evidence("migrations", "email text"),
        Evidence("models", "email text NOT NULL"),
    )
    body = finding.fix.replace("\n    ", "\n")
    compile(body.partition("\n\n")[2], "revision.py", "exec")
    assert '# upgrade\nop.alter_column("users", "email", nullable=False)\n' in body
    assert '# downgrade\nop.alter_column("users", "email", nullable=True)\n' in body


def test_a_default_left_over_from_adding_a_column_is_a_warning() -> None:
    (left_over,) = check_drift(make_difference("default", "users.active", "true", None))
    (missing,) = check_drift(make_difference("default", "users.active", None, "true"))
    assert left_over.severity is Severity.WARNING
    assert missing.severity is None


def test_a_downgrade_that_cannot_be_written_raises_and_says_why() -> None:
    (finding,) = check_drift(
        replace(make_difference("table", "old", "x", None), upgrade='op.drop_table("old")')
    )
    assert "raise NotImplementedError" in finding.fix


def test_a_difference_without_a_revision_is_to_be_fixed_by_hand() -> None:
    (finding,) = check_drift(make_difference("check", "users.c", None, "CHECK (a > 0)"))
    assert finding.fix.startswith("Correct the model, or write a revision")
    assert finding.evidence[0] == Evidence("migrations", "nothing")


@pytest.mark.parametrize("kind", ["name-only", "comment"])
def test_names_and_comments_are_warnings(kind: DifferenceKind) -> None:
    (finding,) = check_drift(make_difference(kind, "x", "a", "b"))
    assert finding.severity is Severity.WARNING


def test_kinds_have_hyphens_and_are_known() -> None:
    (finding,) = check_drift(make_difference("primary key", "users.pk", "a", "b"))
    assert finding.kind == "primary-key"
    assert finding.kind in KINDS
    assert finding.severity is None


def test_a_difference_that_no_revision_made_is_located_at_its_model() -> None:
    models = Models(
        ("public.users",), 1, locations=(ModelLocation("public.users", Location("app/models.py", 4)),)
    )
    missing = replace(make_difference("column", "users.nick", None, "nick text"), table="public.users")
    (finding,) = check_drift(missing, models=models)
    assert finding.location == Location("app/models.py", 4)


def test_a_table_is_not_said_to_be_made_by_no_revision_where_some_did_not_run() -> None:
    difference = make_difference("table", "notes", None, "CREATE TABLE notes (...)")
    facts = make_replay_facts(make_chain("a1", "b2"), differences=(difference,))
    steps = facts.replay.steps[:1]
    (whole,) = drift.check(facts)
    (part,) = drift.check(replace(facts, replay=replace(facts.replay, steps=steps)))
    assert "no migration makes it" in whole.message
    assert "no revision that ran makes it (1 revision did not run, by `target`" in part.message
    assert part.fix.startswith("See first whether a revision that did not run makes it: `")


def test_what_models_cannot_express_is_one_note_by_kind() -> None:
    views = [replace(make_difference("unmanaged", f"v{n}", "x", None), object_noun="view") for n in (1, 2)]
    policy = replace(make_difference("unmanaged", "p on users", "x", None), object_noun="policy")
    (finding,) = check_drift(*views, policy)
    assert finding.severity is Severity.NOTE
    assert finding.kind == "unmanaged"
    assert finding.message == "Models cannot express 1 policy and 2 views: listed, not compared"
    assert finding.evidence == (Evidence("policy", "p on users"), Evidence("view", "v1, v2"))


def test_kinds_of_what_models_cannot_express_are_counted_in_english() -> None:
    nouns = ("policy", "row security", "replica identity", "index", "statistics", "view")
    several = [
        replace(make_difference("unmanaged", f"{noun} {n}", "x", None), object_noun=noun)
        for noun in nouns
        for n in (1, 2)
    ]
    (finding,) = check_drift(*several)
    assert finding.message == (
        "Models cannot express 2 indexes, 2 policies, 2 replica identities, 2 row security settings, "
        "2 statistics objects and 2 views: listed, not compared"
    )


def make_facts_without_models(**fields: object) -> Facts:
    return make_replay_facts(make_chain("a1"), models=Models((), **fields))  # type: ignore[arg-type]


def test_without_models_nothing_is_drift() -> None:
    facts = make_facts_without_models()
    facts = replace(
        facts, replay=replace(facts.replay, differences=(make_difference("table", "t", "x", None),))
    )
    assert list(drift.check(facts)) == []


def test_a_missing_target_metadata_is_reported_as_such() -> None:
    (finding,) = missing_models.check(make_facts_without_models(metadatas=0))
    assert finding.message == "`target_metadata` is missing in env.py: there are no models to compare with"


@pytest.mark.parametrize(
    ("metadata", "lines"),
    [
        ("src.shop.models:Base", "from shop.models import Base\n\ntarget_metadata = Base.metadata"),
        (
            "shop.db:db",
            "from shop.db import db\nimport shop.models  # noqa: F401\n\ntarget_metadata = db.metadata",
        ),
        ("shop.db:metadata", "import shop.models  # noqa: F401\n\ntarget_metadata = metadata"),
        ("shop.db:meta", "import shop.models  # noqa: F401\n\ntarget_metadata = meta"),
        (
            "shop.db:MetadataBase",
            "import shop.models  # noqa: F401\n\ntarget_metadata = MetadataBase.metadata",
        ),
    ],
)
def test_a_missing_target_metadata_is_that_of_the_models_which_are_there(metadata: str, lines: str) -> None:
    definition = ModelDefinition(
        "item", Location("src/shop/models.py", 3), class_name="Item", module="src.shop.models",
        metadata=metadata,
    )  # fmt: skip
    facts = replace(make_facts_without_models(metadatas=0), tree=Tree(model_definitions=(definition,)))
    (finding,) = missing_models.check(facts)
    assert indent(lines, "    ") in finding.fix


def test_modules_of_a_package_called_src_are_imported_as_such() -> None:
    definition = ModelDefinition(
        "item", Location("src/models.py", 3), class_name="Item", module="src.models", metadata="src.db:Base",
        is_below_package=True,
    )  # fmt: skip
    facts = replace(make_facts_without_models(metadatas=0), tree=Tree(model_definitions=(definition,)))
    (finding,) = missing_models.check(facts)
    assert "    from src.db import Base\n    import src.models  # noqa: F401\n" in finding.fix


def test_a_target_metadata_without_tables_is_reported_as_such() -> None:
    (finding,) = missing_models.check(make_facts_without_models(metadatas=1))
    assert finding.message == "`target_metadata` holds no tables: env.py imports no models"


def test_models_are_not_reported_as_missing_where_env_py_never_ran() -> None:
    facts = make_facts_without_models()
    broke = replace(facts.replay, steps=(), failure=Failure("No module named 'app'"))
    assert list(missing_models.check(replace(facts, replay=broke))) == []
    assert list(missing_models.check(make_replay_facts(make_chain("a1")))) == []


def test_models_that_raise_are_not_reported_as_missing() -> None:
    facts = make_facts_without_models(metadatas=0)
    raised = replace(
        facts.replay, unchecked=(Unchecked("models", "could not be created: NoReferencedTableError"),)
    )
    assert list(missing_models.check(replace(facts, replay=raised))) == []


def test_an_object_that_could_not_be_checked_is_reported_by_its_name() -> None:
    facts = make_replay_facts(
        make_chain("a1"),
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
    findings = list(unchecked.check(facts))
    assert [finding.object for finding in findings] == ["alembic/data.py", "dump.sql", "places", "b"]
    assert "was not even compared" in findings[2].message
    assert "compared by Alembic alone" in findings[3].message
    assert findings[3].evidence == (Evidence("error", "x"),)
    assert findings[2].location == Location("app/models.py", 3)
    assert unchecked.SEVERITY is Severity.ERROR


def test_an_expression_in_quotes_is_said_to_be_one() -> None:
    refused = UncreatedObject("b", 'invalid input syntax for type uuid: "gen_random_uuid()"', True)
    wrong = UncreatedObject("c", 'invalid input syntax for type integer: "many (or more)"', True)
    models = Models(("public.b", "public.c"), 1, (refused, wrong))
    findings = list(unchecked.check(make_replay_facts(make_chain("a1"), models=models)))
    assert 'write `server_default=sa.text("gen_random_uuid()")`' in findings[0].fix
    assert "server_default" not in findings[1].fix


def test_what_would_be_dropped_says_where_its_name_stands() -> None:
    leftover = replace(
        make_difference("column", "users.old_flag", "old_flag boolean", None),
        table="public.users",
        column="old_flag",
    )
    uses = tuple(NameUse("old_flag", Location("app/a.py", line), "x = old_flag") for line in (3, 9))
    facts = make_replay_facts(make_chain("a1"), differences=(leftover,))
    (finding,) = drift.check(replace(facts, tree=Tree(name_uses=uses, searched_names=("old_flag",))))
    assert "Its name stands in app/a.py:3 and 1 more place." in finding.fix
    assert finding.fix.index("add it to the model") < finding.fix.index("Only if it is to go")
    assert Evidence("named in", "app/a.py:9: x = old_flag") in finding.evidence
    (unused,) = drift.check(replace(facts, tree=Tree(searched_names=("old_flag",))))
    assert "stands nowhere in the repository's Python" in unused.fix
    (not_searched,) = drift.check(facts)
    assert "Its name" not in not_searched.fix
