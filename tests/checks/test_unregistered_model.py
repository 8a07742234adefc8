"""unregistered-model: what is in the models' text and not in the metadata of env.py."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.analysis.model_registration import ModelRegistration
from migration_gate.check import Finding
from migration_gate.checks import unregistered_model
from migration_gate.facts import (
    Facts,
    ImportedModule,
    Location,
    ModelDefinition,
    ModelLocation,
    Models,
    Replay,
    Snapshot,
    Tree,
)
from tests.support.fact_builders import join_tables, make_difference, make_table

USERS = ModelDefinition(
    "users",
    Location("src/app/users.py", 3),
    class_name="User",
    module="src.app.users",
    metadata="app.base:Base",
)
CHATS = ModelDefinition(
    "chats",
    Location("src/app/chats.py", 5),
    class_name="Chat",
    module="src.app.chats",
    metadata="app.base:Base",
)
MODELS = Models(
    tables=("public.users",),
    metadatas=1,
    locations=(ModelLocation("public.users", USERS.location),),
    imported_modules=(
        ImportedModule("app", "src/app/__init__.py"),
        ImportedModule("app.users", USERS.location.file),
    ),
    environment_file="migrations/env.py",
)
CATALOG = join_tables(make_table("users", "id integer"), make_table("chats", "id integer"))


def make_facts(*definitions: ModelDefinition, models: Models = MODELS, catalog: Snapshot = CATALOG) -> Facts:
    return Facts(replay=Replay(models=models, catalog=catalog), tree=Tree(model_definitions=definitions))


def find(
    *definitions: ModelDefinition, models: Models = MODELS, catalog: Snapshot = CATALOG
) -> list[Finding]:
    return list(unregistered_model.check(make_facts(*definitions, models=models, catalog=catalog)))


def test_a_model_of_a_module_that_was_not_imported_is_found_with_its_import() -> None:
    (finding,) = find(USERS, CHATS)
    assert finding.object == "chats"
    assert finding.location == CHATS.location
    assert "\n    import app.chats  # noqa: F401\n" in finding.fix
    assert "write no `op.drop_table`" in finding.fix


def test_several_are_one_finding_at_env_py() -> None:
    files = replace(CHATS, table="files", location=Location("src/app/files.py", 1), module="src.app.files")
    (finding,) = find(USERS, CHATS, files)
    assert finding.object == "chats files"
    assert finding.message == "2 tables have models that env.py does not import"
    assert finding.location == Location("migrations/env.py")
    assert "which no migration makes" in finding.evidence[1].text


def test_a_model_of_an_imported_module_or_a_registered_table_is_none() -> None:
    imported = (*MODELS.imported_modules, ImportedModule("app.chats", CHATS.location.file))
    assert find(USERS, CHATS, models=replace(MODELS, imported_modules=imported)) == []
    assert find(USERS, CHATS, models=replace(MODELS, tables=("public.users", "public.chats"))) == []


def test_a_module_that_was_imported_from_an_installed_copy_was_imported() -> None:
    installed = (*MODELS.imported_modules, ImportedModule("app.chats", "/v/site-packages/app/chats.py"))
    assert find(USERS, CHATS, models=replace(MODELS, imported_modules=installed)) == []


def test_another_metadata_a_skipped_table_and_one_of_another_history_are_none() -> None:
    assert find(USERS, replace(CHATS, metadata="app.vector:Base")) == []
    assert find(USERS, replace(CHATS, metadata="")) == []
    assert find(USERS, replace(CHATS, is_skipped=True)) == []
    elsewhere = make_facts(USERS, replace(CHATS, table="orders"))
    elsewhere = replace(elsewhere, tree=replace(elsewhere.tree, other_tables=("orders",)))
    assert list(unregistered_model.check(elsewhere)) == []


def test_a_script_or_a_condition_counts_where_the_migrations_make_the_table() -> None:
    script = replace(CHATS, location=Location("scripts/load.py", 5))
    assert find(USERS, replace(script, table="orders")) == []
    assert find(USERS, replace(CHATS, table="orders", is_conditional=True)) == []
    assert [finding.object for finding in find(USERS, script)] == ["chats"]


def test_a_table_whose_name_only_the_module_knows_is_the_one_that_fits_the_class() -> None:
    assert [finding.object for finding in find(USERS, replace(CHATS, table=""))] == ["chats"]
    assert find(USERS, replace(CHATS, table="", class_name="Room")) == []


def test_a_schema_in_the_text_counts_where_the_metadata_has_that_schema() -> None:
    audit = replace(USERS, schema="audit", location=Location("src/app/audit.py", 1), module="src.app.audit")
    tables = make_table("users", "id integer", schema="audit")
    both = replace(MODELS, tables=("public.users", "audit.log"))
    (finding,) = find(USERS, audit, models=both, catalog=tables)
    assert finding.object == "audit.users"


def test_its_table_and_what_only_that_uses_is_no_drift() -> None:
    catalog = join_tables(
        make_table("users", "id integer", "mood mood"),
        make_table("chats", "id integer DEFAULT nextval('chats_id_seq'::regclass)", "state chat_state"),
    )
    facts = make_facts(USERS, CHATS, catalog=catalog)
    registration = ModelRegistration(facts.replay, facts.tree)
    chats = replace(make_difference("table", "chats", "a table", None), table="public.chats")
    assert registration.explains_difference(chats)
    assert registration.explains_difference(
        replace(make_difference("enum", "chat_state", "a, b", None), table=None)
    )
    assert not registration.explains_difference(
        replace(make_difference("enum", "mood", "a, b", None), table=None)
    )
    assert not registration.explains_difference(replace(chats, table="public.users"))
    assert not registration.explains_difference(replace(chats, models="a table"))
