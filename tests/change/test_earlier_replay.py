"""What the replay of a change shows of its base."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.change.base_messages import NothingShared, SharedReplay
from migration_gate.change.earlier_replay import derive_base_facts, find_earlier_replay, share_replay
from migration_gate.facts import (
    AlembicDifference,
    Constraint,
    Facts,
    Failure,
    ImportedModule,
    Location,
    MigrationContext,
    ModelDefinition,
    Models,
    ModelStatement,
    Replay,
    RevisionFile,
    RevisionRollback,
    Snapshot,
    Step,
    Tree,
    Unchecked,
)
from tests.support.fact_builders import make_chain, make_table

BEFORE = make_table("item", "id integer NOT NULL")
AFTER = make_table("item", "id integer NOT NULL", "name text")
NEW_FILES = {"migrations/versions/c.py"}
CONTEXT = MigrationContext(1, (), has_metadata=True, default_schema="public")


def a_replay(*, before: Snapshot | None = BEFORE) -> Replay:
    """Two old revisions, and then a new one."""
    steps = (Step(1, "a", 0.1), Step(2, "b", 0.1), Step(3, "c", 0.1, before=before))
    return Replay(
        history=make_chain("a", "b", "c"),
        steps=steps,
        catalog=AFTER,
        contexts=(CONTEXT,),
        arrived_heads=("c",),
        version_tables=("public.alembic_version",),
    )


def test_the_base_is_what_was_there_before_the_first_new_revision() -> None:
    earlier = find_earlier_replay(a_replay(), NEW_FILES)
    assert earlier is not None
    assert earlier.catalog == BEFORE
    assert [step.revision for step in earlier.steps] == ["a", "b"]
    assert (earlier.history.heads, earlier.arrived_heads) == (("b",), ("b",))


def test_without_a_new_revision_it_is_what_is_there_at_the_end() -> None:
    earlier = find_earlier_replay(a_replay(), {"shop/models.py"})
    assert earlier is not None
    assert (earlier.catalog, earlier.history.heads) == (AFTER, ("c",))


@pytest.mark.parametrize(
    "replay",
    [
        replace(a_replay(), failure=Failure(message="no table")),
        replace(a_replay(), contexts=(CONTEXT, CONTEXT)),
        a_replay(before=None),
        replace(a_replay(), steps=(Step(1, "c", 0.1, before=BEFORE), Step(2, "a", 0.1), Step(3, "b", 0.1))),
    ],
    ids=["a failure", "tenants", "no snapshot", "a new revision before an old one"],
)
def test_a_replay_that_does_not_show_the_base_is_not_shared(replay: Replay) -> None:
    assert share_replay(replay, NEW_FILES) == NothingShared()
    assert derive_base_facts(Facts(replay=replay), NEW_FILES) is None


def test_it_is_said_whether_the_database_has_more_than_the_base() -> None:
    for files, has_new in ((NEW_FILES, True), (set[str](), False)):
        shared = share_replay(a_replay(), files)
        assert isinstance(shared, SharedReplay)
        assert shared.has_new_revisions is has_new


def test_with_the_same_models_the_base_is_compared_without_running_anything() -> None:
    models = Models(tables=("public.item",), snapshot=AFTER)
    facts = derive_base_facts(Facts(replay=replace(a_replay(), models=models)), NEW_FILES)
    assert facts is not None
    assert [item.object for item in facts.replay.differences] == ["item.name"]


IMPORTS = frozenset({"shop.models"})
IMPORTED = Models(
    tables=("public.item",),
    snapshot=AFTER,
    imported_modules=(ImportedModule("shop.models", "shop/models.py"),),
)


def test_what_a_new_revision_imports_changes_nothing_if_env_py_imports_it() -> None:
    facts = Facts(replay=replace(a_replay(), models=IMPORTED))
    assert derive_base_facts(facts, NEW_FILES, IMPORTS) is not None


def test_an_installed_package_may_have_the_name_of_a_folder() -> None:
    models = replace(IMPORTED, installed_packages=("alembic",))
    facts = Facts(replay=replace(a_replay(), models=models))
    assert derive_base_facts(facts, NEW_FILES, IMPORTS | {"alembic", "alembic.op"}) is not None
    assert derive_base_facts(facts, NEW_FILES, IMPORTS | {"redis"}) is None


@pytest.mark.parametrize(
    "replay",
    [
        replace(a_replay(), models=replace(IMPORTED, imported_modules=())),
        replace(a_replay(), models=replace(IMPORTED, ran_changed_files=True)),
        replace(
            a_replay(),
            models=IMPORTED,
            model_statements=(ModelStatement(1, "a", "replay", (), is_executed=True),),
        ),
    ],
    ids=["env.py does not import it", "new revisions ran first", "an old revision builds from the models"],
)
def test_what_a_new_revision_imports_may_have_made_the_models(replay: Replay) -> None:
    assert derive_base_facts(Facts(replay=replay), NEW_FILES, IMPORTS) is None


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [
        ("import uuid\nfrom alembic import op\nimport sqlalchemy as sa\nfrom pgvector import Vector\n", True),
        ("from shop.extra import Extra\n", False),
        ("from . import helpers\n", False),
        ("import sys\nsys.modules['shop.models'].Item.__table__.append_column(1)\n", False),
        ("", False),
    ],
)
def test_an_old_revision_may_have_built_what_a_new_one_adds_to_the_models(
    text: str, *, is_shown: bool
) -> None:
    """Alembic loads all revisions before the first one runs."""
    replay = replace(
        a_replay(),
        history=replace(
            make_chain("a", "b", "c"), files=(RevisionFile("migrations/versions/c.py", "c", text=text),)
        ),
        models=replace(IMPORTED, installed_packages=("pgvector",)),
        model_statements=(ModelStatement(1, "a", "replay", (), is_executed=True),),
    )
    assert (find_earlier_replay(replay, NEW_FILES) is not None) is is_shown
    assert (find_earlier_replay(replace(replay, model_statements=()), NEW_FILES)) is not None


def test_models_that_env_py_read_after_it_had_loaded_new_revisions_are_not_the_bases() -> None:
    """Such as one that asks for the head first; a revision may set a variable that models read."""
    models = replace(IMPORTED, ran_changed_files=True)
    assert derive_base_facts(Facts(replay=replace(a_replay(), models=models)), NEW_FILES) is None


def test_what_the_projects_own_comparison_said_concerns_the_new_revisions_too() -> None:
    difference = AlembicDifference("add_column", "item", "name", "", "")
    models = Models(tables=("public.item",), snapshot=AFTER, alembic_differences=(difference,))
    assert derive_base_facts(Facts(replay=replace(a_replay(), models=models)), NEW_FILES) is None


def test_a_new_file_that_is_no_revision_is_not_taken_for_one() -> None:
    facts = Facts(replay=a_replay())
    assert derive_base_facts(facts, NEW_FILES) is not None
    assert derive_base_facts(facts, NEW_FILES | {"README.md"}) is not None
    assert derive_base_facts(facts, NEW_FILES | {"scripts/alter.py"}) is None


def test_models_of_the_process_that_ran_the_new_revisions_are_not_the_bases() -> None:
    replay = replace(a_replay(), unchecked=(Unchecked("models", "table `x` stood there only afterwards"),))
    assert derive_base_facts(Facts(replay=replay), NEW_FILES) is None


def test_a_model_in_a_new_revision_is_not_the_bases() -> None:
    definition = ModelDefinition("extra", Location("migrations/versions/c.py", 3))
    facts = Facts(replay=a_replay(), tree=Tree(model_definitions=(definition,)))
    assert derive_base_facts(facts, NEW_FILES) is None


def test_where_the_change_drops_a_check_the_bases_rows_were_not_tried() -> None:
    check = Constraint("public", "item", "ck", "check", "CHECK (owner_id IS NOT NULL)", ("owner_id",))
    before = replace(BEFORE, constraints=(*BEFORE.constraints, check))
    assert find_earlier_replay(a_replay(before=before), NEW_FILES) is None
    kept = replace(a_replay(before=before), catalog=replace(AFTER, constraints=before.constraints))
    assert find_earlier_replay(kept, NEW_FILES) is not None


def test_a_check_that_the_change_adds_or_makes_anew_hides_nothing_of_the_base() -> None:
    check = Constraint("public", "item", "ck", "check", "CHECK (id > 0)", ("id",), oid=1)
    added = replace(a_replay(), catalog=replace(AFTER, constraints=(*AFTER.constraints, check)))
    assert find_earlier_replay(added, NEW_FILES) is not None
    before = replace(BEFORE, constraints=(*BEFORE.constraints, replace(check, oid=2)))
    again = replace(added, steps=a_replay(before=before).steps)
    assert find_earlier_replay(again, NEW_FILES) is not None


def test_what_is_known_of_the_downgrades_of_old_revisions_is_the_bases() -> None:
    rollbacks = tuple(RevisionRollback(name) for name in ("a", "b", "c"))
    earlier = find_earlier_replay(replace(a_replay(), rollback_scope="all", rollbacks=rollbacks), NEW_FILES)
    assert earlier is not None
    assert [item.revision for item in earlier.rollbacks] == ["a", "b"]
    assert earlier.rollback_scope == "all"
