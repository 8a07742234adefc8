"""Puts together the facts of a replay, from the worker's answer and from the two databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

from migration_gate.analysis.handlers_in_functions import find_handled_calls
from migration_gate.analysis.left_out_tables import LeftOutTables
from migration_gate.analysis.model_registration import ModelRegistration
from migration_gate.analysis.unrehearsed_change import find_unrehearsed
from migration_gate.config.settings import Settings
from migration_gate.drift.declared_differences import find_declared_differences
from migration_gate.drift.model_comparison import compare_with_models, list_called_equal
from migration_gate.drift.type_use import without_leftovers
from migration_gate.facts import (
    Difference,
    History,
    Models,
    Observation,
    Rehearsal,
    Replay,
    Snapshot,
    SoftwareVersion,
    Tree,
    Unchecked,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.foreign_key_tables import place_foreign_keys
from migration_gate.replay.history_end import ReplayedDatabase
from migration_gate.replay.models_notes import describe_called_equal, describe_models, find_unproven_models
from migration_gate.replay.observation_gaps import (
    add_missing_revisions,
    find_unobserved,
    list_blind_spots,
)
from migration_gate.replay.observation_log import is_observed
from migration_gate.replay.observed_statements import build_observation
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.repository_paths import name_changed_files
from migration_gate.replay.rollback_proof import RollbackProof, find_refused_notes
from migration_gate.replay.second_opinion import describe_second_opinion
from migration_gate.replay.sent_ahead import with_server_seconds
from migration_gate.replay.setting_advice import describe_supplied
from migration_gate.replay.statement_lines import add_statement_lines
from migration_gate.replay.worker_answer import AnswerReader

NO_ROLLBACK = RollbackProof()
NO_REHEARSAL = Rehearsal()


def collect_replay_facts(
    setup: ReplaySetup,
    history: History,
    answer: AnswerReader,
    replayed_database: ReplayedDatabase,
    *,
    rollback: RollbackProof = NO_ROLLBACK,
    rehearsal: Rehearsal = NO_REHEARSAL,
    output: str,
    notes: tuple[str, ...],
) -> Replay:
    """What the migrations did, without the models' side; see `add_model_comparison`."""
    failed = answer.failure()
    steps = with_server_seconds(answer.steps(), replayed_database.step_seconds)
    models = answer.models()
    observation = _build_observation(setup, history, answer, replayed_database)
    unrehearsed = tuple(find_unrehearsed(rehearsal, observation))
    replay = Replay(
        history=history,
        steps=steps,
        failure=failed.failure if failed is not None and failed.stage != "models" else None,
        failed_statements=answer.failed_statements(),
        available_extensions=replayed_database.available_extensions,
        ddl_commands=add_statement_lines(replayed_database.ddl_commands, steps),
        skipped_creations=replayed_database.skipped_creations,
        caught_errors=replayed_database.caught_errors,
        arrived_heads=replayed_database.arrived_heads,
        version_tables=answer.version_tables(),
        contexts=answer.migration_contexts(),
        skipped_contexts=answer.skipped_contexts(),
        started_from=_name_start(setup.settings),
        step_keywords=answer.step_keywords(),
        database=setup.settings.judged_database,
        connections=answer.connections(),
        model_statements=answer.model_statements(),
        catalog=replayed_database.snapshot,
        null_trials=replayed_database.owner_trials.null_trials,
        ownership_trials=replayed_database.owner_trials.ownership_trials,
        models=models,
        versions=(*answer.versions(), SoftwareVersion("postgres", setup.server.description)),
        notes=tuple(
            dict.fromkeys(
                (
                    *notes,
                    *describe_adjustments(answer, models),
                    *answer.notes(),
                    *find_refused_notes(rollback),
                    *observation.remarks,
                    *rehearsal.notes,
                    *(() if unrehearsed else describe_gaps(rehearsal)),
                    *_describe_unused_rows(setup.settings),
                    *_ask_squawk(setup, observation),
                )
            )
        ),
        changed_files=name_changed_files(setup.repository, setup.changed_files),
        changed_lines=setup.changed_lines,
        unchecked=(
            *answer.unchecked(),
            *replayed_database.owner_trials.list_unchecked(),
            *_list_unproven(rollback),
            *list_blind_spots(observation),
            *find_unobserved(setup, answer.begun_steps().values(), history),
            *rehearsal.unchecked,
            *unrehearsed,
        ),
        rollback_scope=setup.settings.rollback,
        rollbacks=rollback.rollbacks,
        observation=observation,
        rehearsal=rehearsal,
        output=output,
    )
    return replace(replay, notes=(*replay.notes, *_describe_handled_calls(replay)))


def _build_observation(
    setup: ReplaySetup, history: History, answer: AnswerReader, replayed_database: ReplayedDatabase
) -> Observation:
    """What the looked-at revisions did; nothing if there are none."""
    scope = setup.settings.observe
    if not is_observed(setup):
        return Observation(scope)
    observation = build_observation(
        replayed_database.observed_log,
        answer.begun_steps(),
        history,
        scope=scope,
        version_tables=answer.version_tables(),
        has_failed=answer.failure() is not None,
        cursor_statements=answer.cursor_statements(),
    )
    observation = place_foreign_keys(observation, replayed_database.ddl_commands)
    pending_files = name_changed_files(setup.repository, setup.pending_files)
    return add_missing_revisions(observation, answer.begun_steps().values(), history, pending_files)


def describe_gaps(rehearsal: Rehearsal) -> Iterator[str]:
    """What is to be said of tables without rows, and of revisions that could not be rehearsed."""
    if rehearsal.unproven:
        yield f"what the new revisions do to rows is not known: {rehearsal.unproven}"
    for table in rehearsal.rowless:
        yield (
            f"no row could be made for `{table}` before the new revisions ({table.refusal}): "
            "what they do to its rows is not known"
        )


def _describe_unused_rows(settings: Settings) -> Iterator[str]:
    if settings.observe == "off" and (settings.rehearsal_sql or settings.rehearsal_function):
        yield "`rehearsal` adds no rows: nothing is rehearsed with `observe: off`"


def _ask_squawk(setup: ReplaySetup, observation: Observation) -> tuple[str, ...]:
    """What a linter says and the observation does not confirm, if that is wanted."""
    if not setup.settings.squawk:
        return ()
    return tuple(describe_second_opinion(observation, setup.run_directory, setup.server.version))


def _list_unproven(rollback: RollbackProof) -> Iterator[Unchecked]:
    """Revisions whose rollback could not be tried."""
    for item in rollback.rollbacks:
        if item.unproven:
            yield Unchecked(item.name, item.unproven, is_foreseen=item.is_limit)


def _describe_handled_calls(replay: Replay) -> Iterator[str]:
    """What functions of the migrations may have caught; a handler of every error is a finding."""
    for call in find_handled_calls(replay):
        if not call.function.catches_everything:
            yield (
                f"`{call.revision}` calls `{call.function.name}()`, which catches "
                f"{call.function.conditions}: whether an INSERT, UPDATE or DELETE in it failed so is "
                "not known"
            )


def _name_start(settings: Settings) -> str:
    """The settings that do something in the database before the first revision."""
    names = [("`start_from`", settings.start_from is not None), ("`prepare`", bool(settings.prepare))]
    return " and ".join(name for name, is_set in names if is_set)


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """What came of comparing the replayed database with that of the models."""

    replay: Replay
    """with the models and the differences; no fixes yet"""
    known: tuple[Difference, ...] = ()
    """all differences, those too that are left to other checks"""
    declared: tuple[Difference, ...] = ()
    """what the project's own comparison adds"""


def add_model_comparison(
    setup: ReplaySetup,
    replay: Replay,
    answer: AnswerReader,
    created: Future[Snapshot],
    *,
    tree: Tree,
    unchecked: tuple[Unchecked, ...],
) -> Replay:
    """The replay with the models' database and its differences, or with the reason why there are none.

    `created`: what `read_models_database` reads. `unchecked`: what is to be said of how the models were made.
    """
    unchecked = (*replay.unchecked, *unchecked)
    replay = replace(replay, unchecked=unchecked)
    failed = answer.failure()
    if failed is not None:
        reason = f"could not be created: {failed.failure.message}"
        return replace(replay, unchecked=(*unchecked, Unchecked("models", reason)))
    if not replay.models.tables:
        return replay
    comparison = compare_models_database(created.result(), replay, tree)
    if not comparison.replay.differences and not comparison.declared:
        return comparison.replay
    from migration_gate.replay.offered_fixes import offer_fixes  # noqa: PLC0415 - Alembic's renderer

    return offer_fixes(setup.server, setup.database, comparison.replay, comparison.known, comparison.declared)


def compare_models_database(created: Snapshot, replay: Replay, tree: Tree) -> ModelComparison:
    """Compare the replay with a database in which its models were created.

    What only a model needs that env.py does not import is no difference: unregistered-model reports it.
    """
    unproven = find_unproven_models(replay.models, replay.version_tables)
    replay = replace(replay, unchecked=(*replay.unchecked, *unproven))
    models = replace(replay.models, snapshot=without_leftovers(created, replay.catalog))
    replay = replace(replay, models=models)
    replay = replace(replay, notes=(*replay.notes, *LeftOutTables(replay).describe_filters()))
    replay = replace(replay, notes=(*replay.notes, *describe_called_equal(list_called_equal(replay))))
    known = compare_with_models(replay)
    declared = find_declared_differences(replay, known)
    registration = ModelRegistration(replay, tree)
    declared_objects = {item.object for item in declared}
    differences = tuple(
        item
        for item in known
        if not registration.explains_difference(item)
        and not (item.kind == "unmanaged" and item.object in declared_objects)
    )
    return ModelComparison(replace(replay, differences=differences), known, declared)


def describe_adjustments(answer: AnswerReader, models: Models) -> tuple[str, ...]:
    """Notes on what env.py leaves out of the comparison, and on what was changed so that it could run."""
    swapped = {connection.dialect for connection in answer.connections() if connection.outcome == "swapped"}
    return (
        *describe_models(models),
        *describe_supplied(answer.supplied_settings()),
        *(
            f"the project's default database is {dialect}; it was given PostgreSQL, whose driver is installed"
            for dialect in sorted(swapped)
        ),
    )
