"""The replay as it was at the base: what the change's own replay showed before its first new revision."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace

from migration_gate.analysis.coverage_proof import measure_coverage
from migration_gate.analysis.model_registration import ModelRegistration
from migration_gate.analysis.owner_deletions import keep_earlier_trials
from migration_gate.analysis.revision_code import list_imported_paths
from migration_gate.change.base_messages import NothingShared, SharedReplay
from migration_gate.change.revision_dependencies import DYNAMIC_IMPORTS
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.drift.type_use import with_earlier_types, without_leftovers
from migration_gate.facts import Coverage, Facts, History, Models, Observation, Replay, Snapshot

FIRST_STEP = 1
HARMLESS_PACKAGES = frozenset({"alembic", "sqlalchemy"}) | sys.stdlib_module_names
"""which know nothing of the project's models"""


def share_replay(replay: Replay, new_files: Collection[str]) -> SharedReplay | NothingShared:
    """What the base's examination may know of the replay of the change."""
    earlier = find_earlier_replay(replay, new_files)
    if earlier is None:
        return NothingShared()
    return SharedReplay(
        earlier,
        has_new_revisions=len(earlier.steps) < len(replay.steps),
        lost_tables=replay.models.lost_tables,
    )


def derive_base_facts(
    facts: Facts, new_files: Collection[str], shared_imports: frozenset[str] = frozenset()
) -> Facts | None:
    """The facts of the base of a change that only adds these files, all of them revisions.

    `shared_imports`: the modules that these import. None if the facts of the change do not show the base.
    """
    earlier = find_earlier_replay(facts.replay, new_files)
    models = facts.replay.models
    if earlier is None or _has_other_files(facts, new_files) or _depend_on_new_revisions(facts, new_files):
        return None
    if models.ran_changed_files or not _are_without_effect(facts.replay, shared_imports):
        return None
    if models.snapshot is not None:
        snapshot = with_earlier_types(models.snapshot, facts.replay.catalog.types, earlier.catalog)
        models = replace(models, snapshot=without_leftovers(snapshot, earlier.catalog))
    earlier = replace(earlier, models=models, unchecked=(*earlier.unchecked, *models.problems))
    registration = ModelRegistration(earlier, facts.tree)
    differences = tuple(
        item for item in compare_with_models(earlier) if not registration.explains_difference(item)
    )
    earlier = replace(earlier, differences=differences)
    if differences:
        from migration_gate.replay.offered_fixes import (  # noqa: PLC0415 - Alembic's renderer, and a circle
            describe_without_fixes,
        )

        earlier = describe_without_fixes(earlier)
    return replace(facts, replay=replace(earlier, coverage=measure_coverage(earlier)), base=None)


def _are_without_effect(replay: Replay, imports: frozenset[str]) -> bool:
    """Whether env.py imports these anyway, and no revision builds from what they may have changed."""
    models = replay.models
    imported = {module.name for module in models.imported_modules}
    further = {name for name in imports - imported if name.split(".")[0] not in models.installed_packages}
    return not imports or (not further and not replay.model_statements)


def _has_other_files(facts: Facts, new_files: Collection[str]) -> bool:
    """Whether a new file is something else than a revision, whatever its text looks like."""
    revision_files = {revision.location.file for revision in facts.replay.history.revisions}
    return any(file.endswith(".py") and file not in revision_files for file in new_files)


def _depend_on_new_revisions(facts: Facts, new_files: Collection[str]) -> bool:
    """Whether the models, or what the text of the repository tells, are others with the new revisions."""
    replay, tree = facts.replay, facts.tree
    if replay.models.alembic_differences or replay.models.declared_operations:
        return True  # the project's own comparison saw what the new revisions made
    if any(item.object == "models" for item in replay.unchecked):
        return True  # they came from the database, or from the process that ran the new revisions
    files = {
        *(model.location.file for model in replay.models.locations),
        *(module.file for module in replay.models.imported_modules),
        *(definition.location.file for definition in tree.model_definitions),
        *(file.executed_by for file in tree.sql_files),
    }
    return not files.isdisjoint(new_files)


def find_earlier_replay(replay: Replay, new_files: Collection[str]) -> Replay | None:
    """The replay without the revisions in these files, and without models.

    None if it does not show that state: something failed, the new revisions did not come last, there are
    several contexts, each of which ran old and new ones, or old ones built what new ones had changed.
    """
    if replay.failure is not None or replay.history.error is not None or len(replay.contexts) != 1:
        return None
    new = {revision.id for revision in replay.history.revisions if revision.location.file in new_files}
    new_steps = [step for step in replay.steps if step.revision in new]
    first = new_steps[0].number if new_steps else len(replay.steps) + FIRST_STEP
    if any(step.number > first and step.revision not in new for step in replay.steps):
        return None
    if new and _builds_old_from_new(replay, first, new_files):
        return None
    catalog = new_steps[0].before if new_steps else replay.catalog
    if catalog is None:  # a setting, or the number of the revisions, left it out
        return None
    if not _keeps_row_rules(replay, catalog):
        return None  # `null_trials` are of the rules after the new revisions
    history = _cut_history(replay.history, new, new_files)
    rollbacks = tuple(rollback for rollback in replay.rollbacks if rollback.revision not in new)
    rollback_names = {rollback.name for rollback in rollbacks}
    return Replay(
        history=history,
        steps=tuple(step for step in replay.steps if step.number < first),
        ddl_commands=tuple(command for command in replay.ddl_commands if command.step < first),
        skipped_creations=tuple(item for item in replay.skipped_creations if item.step < first),
        caught_errors=tuple(item for item in replay.caught_errors if item.step < first),
        arrived_heads=history.heads,
        version_tables=replay.version_tables,
        contexts=replay.contexts,
        skipped_contexts=replay.skipped_contexts,
        started_from=replay.started_from,
        step_keywords=replay.step_keywords,
        database=replay.database,
        connections=replay.connections,
        model_statements=tuple(item for item in replay.model_statements if item.step < first),
        catalog=catalog,
        models=Models(environment_file=replay.models.environment_file),
        versions=replay.versions,
        coverage=Coverage(),
        null_trials=replay.null_trials,
        ownership_trials=keep_earlier_trials(replay.ownership_trials, replay.catalog, catalog),
        rollback_scope=replay.rollback_scope,
        rollbacks=rollbacks,
        observation=_keep_earlier(replay.observation, first),
        unchecked=tuple(item for item in replay.unchecked if item.object in rollback_names),
    )


def _builds_old_from_new(replay: Replay, first: int, new_files: Collection[str]) -> bool:
    """Whether old revisions build from models that new ones may have changed: all are loaded first."""
    if not any(item.step < first for item in replay.model_statements):
        return False
    texts = {file.path: file.text for file in replay.history.files}
    new = {revision.location.file for revision in replay.history.revisions}.intersection(new_files)
    harmless = HARMLESS_PACKAGES.union(replay.models.installed_packages)
    return any(_may_change_models(texts.get(path, ""), path, harmless) for path in new)


def _may_change_models(text: str, path: str, harmless: Collection[str]) -> bool:
    """Whether a revision imports something of the project; also if its text is not known."""
    if not text or any(mark.decode() in text for mark in DYNAMIC_IMPORTS):
        return True
    return any(name.split("/")[0] not in harmless for name in list_imported_paths(text, path))


def _keep_earlier(observation: Observation, first: int) -> Observation:
    """What was observed of the steps before the first new one."""
    statements = tuple(item for item in observation.statements if item.step < first)
    revisions = {item.revision for item in statements}
    kept = tuple(revision for revision in observation.revisions if revision in revisions)
    return replace(observation, revisions=kept, statements=statements, blind_spots=())


def _keeps_row_rules(replay: Replay, earlier: Snapshot) -> bool:
    """Whether all that decides in the earlier catalog whether a row may have no owner still stands.

    These are CHECKs and domains: new ones can only forbid more, so that nothing is found which was not found
    before. Where one was tried, the table's columns, and functions, have to be the same.
    """
    if not _list_rules(earlier, earlier) <= _list_rules(replay.catalog, earlier):
        return False
    return _list_tried(replay, earlier, earlier) == _list_tried(replay, replay.catalog, earlier)


def _list_rules(catalog: Snapshot, earlier: Snapshot) -> frozenset[object]:
    """The CHECKs and domains of what stood there earlier; a changed type makes a CHECK anew, the same."""
    table_names = {(table.schema, table.name) for table in earlier.tables}
    type_oids = {item.oid for item in earlier.types}
    checks = (replace(item, oid=0) for item in catalog.constraints if item.kind == "check")
    return frozenset(
        (
            *(item for item in checks if (item.schema, item.table) in table_names),
            *(item for item in catalog.types if item.kind == "domain" and item.oid in type_oids),
        )
    )


def _list_tried(replay: Replay, catalog: Snapshot, earlier: Snapshot) -> frozenset[object]:
    """The columns of the tables in which rows were tried, and functions, of what stood there earlier."""
    tried_tables = {(trial.schema, trial.table) for trial in replay.null_trials}
    if not tried_tables:
        return frozenset()
    kept = tried_tables & {(table.schema, table.name) for table in earlier.tables}
    routine_oids = {item.oid for item in earlier.routines}
    return frozenset(
        (
            *(item for item in catalog.columns if (item.schema, item.table) in kept),
            *(item for item in catalog.routines if item.oid in routine_oids),
        )
    )


def _cut_history(history: History, new: Collection[str], new_files: Collection[str]) -> History:
    revisions = tuple(revision for revision in history.revisions if revision.id not in new)
    parents = {parent for revision in revisions for parent in revision.parents}
    return replace(
        history,
        revisions=revisions,
        heads=tuple(revision.id for revision in reversed(revisions) if revision.id not in parents),
        bases=tuple(base for base in history.bases if base not in new),
        files=tuple(file for file in history.files if file.path not in new_files),
    )
