"""Examines one project: from its settings to its facts. Read this first, from top to bottom."""

from __future__ import annotations

import functools
import importlib
import os
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from migration_gate.ci.untrusted_code import refuse_untrusted_code
from migration_gate.config.settings import Settings
from migration_gate.errors import AnswersMissing
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.shared_servers import SharedServers
from migration_gate.progress import Progress, measure_stages
from migration_gate.project import Project, find_project
from migration_gate.replay.project_run import ProjectRun
from migration_gate.replay.worker_process import start_worker
from migration_gate.sandbox.user import protect_command_files

if TYPE_CHECKING:
    from migration_gate.change.base_examination import BaseExamination
    from migration_gate.change.base_policy import JudgingPolicy
    from migration_gate.checkpoint.checkpoint_run import CheckpointRun
    from migration_gate.ci.base_revision import Comparison
    from migration_gate.facts import Facts, Replay
    from migration_gate.postgres.choice import ServerPlan
    from migration_gate.postgres.server import Server
    from migration_gate.replay.repeated_facts import FactsRepetition
    from migration_gate.replay.replay_setup import ReplaySetup
    from migration_gate.replay.restored_state import RestoredState

REPEATED = "the replay began from scratch, because one that began from a checkpoint failed: "
RUN_TWICE = (
    "the revisions ran twice: at first without waiting for each answer of Postgres, which one of them needs"
)
EXAMINATION_ON_SERVER = "migration_gate.replay.examination_on_server"


@dataclass(frozen=True, slots=True)
class PackageInstallation:
    """Settings with an interpreter that has the project's packages, as far as that is known."""

    settings: Settings
    notes: tuple[str, ...] = ()
    """what was installed, for the report"""


def examine_project(
    settings: Settings,
    servers: SharedServers | None = None,
    *,
    later_module: str = EXAMINATION_ON_SERVER,
    change: Comparison | None = None,
) -> Generator[Progress, None, Facts]:
    """Replay the project of these settings. Yields its progress, returns the facts. Raises GateError.

    servers: those of a run of several projects; without them the project has one of its own.
    later_module: what the caller is going to need; it is loaded while the history runs.
    change: what differs from the base, if that is known; without it, git is asked.
    """
    with ExitStack() as own:
        servers = servers or own.enter_context(SharedServers(serves_several=False))
        facts, stage_times = yield from measure_stages(_examine(settings, servers, later_module, change))
    return replace(facts, replay=replace(facts.replay, stage_times=stage_times))


def _examine(
    settings: Settings, servers: SharedServers, later_module: str, change: Comparison | None
) -> Generator[Progress, None, Facts]:
    """With statements that are sent ahead; where that failed, all is replayed again without it."""
    examine = functools.partial(_examine_from_checkpoint, settings, servers, later_module, change)
    try:
        return (yield from examine(sends_ahead=True))
    except AnswersMissing:
        facts = yield from examine(sends_ahead=False)
    return replace(facts, replay=replace(facts.replay, notes=(*facts.replay.notes, RUN_TWICE)))


def _examine_from_checkpoint(
    settings: Settings,
    servers: SharedServers,
    later_module: str,
    change: Comparison | None,
    *,
    sends_ahead: bool,
) -> Generator[Progress, None, Facts]:
    """From a checkpoint, if one fits. What fails there is not reported from it: all is replayed again."""
    is_allowed = settings.checkpoint != "off" and not servers.serves_several
    beginning = Beginning(change, is_allowed=is_allowed, sends_ahead=sends_ahead)
    try:
        facts = yield from _examine_project(settings, servers, later_module, beginning)
    except AnswersMissing:
        raise
    except Exception as error:
        if not beginning.is_restored:
            raise
        reason = str(error).strip() or type(error).__name__
    else:
        reason = _describe_failure(facts.replay)
        if not beginning.is_restored or not reason:
            return facts
    beginning_again = Beginning(change, is_allowed=False, sends_ahead=sends_ahead)
    facts = yield from _examine_project(settings, servers, later_module, beginning_again)
    if not _describe_failure(facts.replay) and beginning.checkpoint is not None:
        beginning.checkpoint.remove_state()  # or each later run would fail first
    note = REPEATED + reason.splitlines()[0]
    return replace(facts, replay=replace(facts.replay, notes=(*facts.replay.notes, note)))


def _describe_failure(replay: Replay) -> str:
    """What kept the history from running to its end; '' if nothing did."""
    errors = [error for error in (replay.history.error, replay.failure) if error is not None]
    return next((error.message or "without a message" for error in errors), "")


@dataclass(slots=True)
class Beginning:
    """Where a run begins."""

    change: Comparison | None
    """what differs from the base, if that is known already"""
    is_allowed: bool
    """a checkpoint may be read or written"""
    sends_ahead: bool
    """statements of older revisions may be sent before the one before is answered"""
    is_restored: bool = False
    """the server was started from one"""
    checkpoint: CheckpointRun | None = None


def _examine_project(
    settings: Settings, servers: SharedServers, later_module: str, beginning: Beginning
) -> Generator[Progress, None, Facts]:
    yield Progress("find", settings.name)
    refuse_strangers_code(settings)
    protect_command_files(os.environ)
    plan = (yield from _prepare_server(settings)) if _needs_installation(settings) else None
    installation = yield from install_missing_packages(settings)
    settings = installation.settings
    project = find_project(settings)

    started = time.time()
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_run_directory())
        background = stack.enter_context(ThreadPoolExecutor(5))
        # First of all: nothing takes longer than the worker's import of SQLAlchemy.
        worker = stack.enter_context(start_worker(project, settings, folder, with_models=True))
        comparison = background.submit(_compare_with_base, settings, beginning.change)
        policy = background.submit(_choose_policy, settings, comparison)
        plan = plan or (yield from _prepare_server(settings))
        with _examine_base(settings, project, comparison) as base:
            if beginning.is_allowed:
                beginning.checkpoint = _find_checkpoint(settings, project, plan, comparison)
            checkpoint = beginning.checkpoint
            _offer_store(base, checkpoint)
            notes = (*project.notes, *installation.notes)
            run = ProjectRun(
                settings, project, folder, worker, background, comparison, policy, base, checkpoint, notes,
                sends_ahead=beginning.sends_ahead, later_modules=(later_module,),
            )  # fmt: skip
            repetition = _find_repetition(run, date.fromtimestamp(started))
            facts = (yield from _repeat_facts(run, repetition)) if repetition is not None else None
            if facts is None:
                yield Progress("postgres", settings.postgres)
                background.submit(_load_examination, comparison)
                restored = background.submit(_read_restored_state, checkpoint)
                server = stack.enter_context(servers.lend_server(plan, folder=folder))
                beginning.is_restored = server.is_restored
                facts = yield from _examine_with_server(run, server, restored)
                if base is not None and facts.base is None:
                    stack.close()
                    yield Progress("base")
                    facts = _examine_base_alone(facts, base)
                else:
                    servers.end_beside(plan, stack.pop_all())
                if repetition is not None:
                    repetition.keep(facts, run, since=started)
            if base is not None:
                facts = _add_base(facts, run)
    return facts


def _examine_with_server(
    run: ProjectRun, server: Server, restored: Future[RestoredState | None]
) -> Generator[Progress, None, Facts]:
    """The facts of a replay on this server; without those of a base that has to be examined alone."""
    from migration_gate.replay.examination_on_server import (  # noqa: PLC0415 - loaded while the server starts
        examine_on_server,
        prepare_databases,
    )
    from migration_gate.replay.lock_table import report_full_lock_table  # noqa: PLC0415
    from migration_gate.replay.server_watch import report_lost_sessions  # noqa: PLC0415

    base, checkpoint = run.base, run.checkpoint
    if checkpoint is not None and checkpoint.cluster is not None and not server.is_restored:
        checkpoint.discard_state()
    with report_lost_sessions(server), report_full_lock_table(server):
        change, policy = run.comparison.result(), run.policy.result()
        settings = policy.settings
        setup = prepare_databases(
            settings,
            run.project,
            server,
            run.folder,
            change,
            base=base,
            checkpoint=checkpoint,
            restored=restored,
            sends_ahead=run.sends_ahead,
            later_modules=run.later_modules,
        )
        notes = (
            *run.notes,
            *server.notes,
            *filter(None, [change.base.note, policy.note, settings.policy_note]),
        )
        facts = yield from examine_on_server(setup, run.worker, run.background, notes)
        if base is not None:
            yield from _report_wait(change)
            facts = replace(facts, base=base.await_base(facts))
            facts = _add_running_code(facts, settings, setup)
        facts = _add_work_rates(facts, settings, server)
        yield Progress("postgres", title="Stopping Postgres")
    return facts


def _examine_base_alone(facts: Facts, base: BaseExamination) -> Facts:
    """The facts with those of the base, now that the server of the change is free."""
    from migration_gate.replay.release_trial import (  # noqa: PLC0415 - see `_examine_with_server`
        add_running_code_without_server,
    )

    return add_running_code_without_server(replace(facts, base=base.examine_alone()))


def _needs_installation(settings: Settings) -> bool:
    """Whether packages are installed. Then the server is prepared first: see `server_preparation`."""
    if settings.install == "off" or settings.python is not None:
        return False
    from migration_gate import install  # noqa: PLC0415 - not needed where an interpreter is at hand

    return install.needs_installation(settings)


def _prepare_server(settings: Settings) -> Generator[Progress, None, ServerPlan]:
    from migration_gate.replay.server_preparation import prepare_server  # noqa: PLC0415 - after the worker

    return (yield from prepare_server(settings))


def _compare_with_base(settings: Settings, change: Comparison | None) -> Comparison:
    if change is not None:
        return change
    from migration_gate.ci.base_revision import compare_with_base  # noqa: PLC0415 - after the worker

    return compare_with_base(settings.root, settings.base, os.environ, with_lines=True)


def _examine_base(
    settings: Settings, project: Project, comparison: Future[Comparison]
) -> AbstractContextManager[BaseExamination | None]:
    """The examination of the base, which begins with the block; None if the settings want none."""
    if not settings.examines_base:
        return nullcontext()
    # It needs much of the gate's code, which is not loaded before the worker starts.
    from migration_gate.change.base_examination import BaseExamination  # noqa: PLC0415

    return BaseExamination(settings, project.python, comparison)


def _report_wait(change: Comparison) -> Iterator[Progress]:
    """Where there is no base, none is waited for."""
    if change.base.commit is not None:
        yield Progress("base")


def _add_base(facts: Facts, run: ProjectRun) -> Facts:
    """What the change is compared with, beside the base's own facts."""
    from migration_gate.change.gate_file_reading import add_gate_files  # noqa: PLC0415 - see above
    from migration_gate.change.revision_comparison import complete_base  # noqa: PLC0415

    change, policy = run.comparison.result(), run.policy.result()
    facts = complete_base(facts, policy.settings, change)
    facts = add_gate_files(facts, policy.settings, change, os.environ)
    return replace(facts, policy_commit=policy.commit)


def _add_running_code(facts: Facts, settings: Settings, setup: ReplaySetup) -> Facts:
    """What the release that is live says of the change, as long as the replayed database is there."""
    if settings.observe == "off":
        return facts
    from migration_gate.replay.release_trial import add_running_code  # noqa: PLC0415 - see above

    return add_running_code(facts, setup.server, setup.database)


def _add_work_rates(facts: Facts, settings: Settings, server: Server) -> Facts:
    """How fast this machine is, if a finding is about a table whose size is known."""
    if not facts.sizes.tables:
        return facts
    from migration_gate.replay.size_use import add_work_rates  # noqa: PLC0415 - see above

    return add_work_rates(facts, settings, server, date.today())


def _choose_policy(settings: Settings, comparison: Future[Comparison]) -> JudgingPolicy:
    """Whose settings judge the change; those of an examination of the base itself are given."""
    change = comparison.result()
    from migration_gate.change.base_policy import JudgingPolicy, choose_policy  # noqa: PLC0415 - see above

    return choose_policy(settings, change, os.environ) if settings.examines_base else JudgingPolicy(settings)


def _find_checkpoint(
    settings: Settings, project: Project, plan: ServerPlan, comparison: Future[Comparison]
) -> CheckpointRun | None:
    """What the run does with checkpoints; the server is going to be started from one that fits."""
    from migration_gate.checkpoint.checkpoint_run import prepare_checkpoint  # noqa: PLC0415 - see above

    checkpoint = prepare_checkpoint(
        settings, project, plan.choice, lambda: comparison.result().edited_paths()
    )
    plan.saved = checkpoint.cluster if checkpoint is not None else None
    return checkpoint


def _find_repetition(run: ProjectRun, day: date) -> FactsRepetition | None:
    """What the run does with the facts of an earlier one; None where it begins from no checkpoint."""
    place = run.checkpoint.facts_place if run.checkpoint is not None else None
    if place is None:
        return None
    from migration_gate.replay.repeated_facts import FactsRepetition  # noqa: PLC0415 - see above

    return FactsRepetition(place, run.project, run.comparison.result(), run.policy.result(), run.notes, day)


def _repeat_facts(run: ProjectRun, repetition: FactsRepetition) -> Generator[Progress, None, Facts | None]:
    """The facts of an earlier run, with those of the base, where both serve again; else None."""
    kept = repetition.find_kept()
    if kept is None or (run.base is not None and not run.base.serves_earlier(kept.shared)):
        return None
    yield Progress("repository")
    facts = repetition.renew(kept)
    if facts is None:
        return None
    return replace(facts, base=run.base.await_base(facts)) if run.base is not None else facts


def _offer_store(base: BaseExamination | None, checkpoint: CheckpointRun | None) -> None:
    """Say where the examination of the base is kept: nowhere without a checkpoint."""
    if base is not None:
        base.offer_store(checkpoint.base_store if checkpoint is not None else None)


def _read_restored_state(checkpoint: CheckpointRun | None) -> RestoredState | None:
    """What the run has of the earlier one, while the server starts from its files."""
    if checkpoint is None or checkpoint.cluster is None or checkpoint.state is None:
        return None
    from migration_gate.replay.restored_state import read_restored_state  # noqa: PLC0415 - see above

    return read_restored_state(checkpoint.state)


def _load_examination(comparison_with_base: Future[Comparison]) -> None:
    """Import what is used until the history runs, while the server starts, and the worker imports SQLAlchemy.

    Not at once: it would keep this process's main thread from starting the server.
    """
    wait([comparison_with_base])
    importlib.import_module(EXAMINATION_ON_SERVER)


def refuse_strangers_code(settings: Settings) -> None:
    """Raise UntrustedCode if a stranger's code would run with rights that it must not have."""
    folders = (settings.root, settings.project_folder or settings.root, settings.working_directory)
    for folder in dict.fromkeys(folders):
        refuse_untrusted_code(folder, os.environ)


def install_missing_packages(settings: Settings) -> Generator[Progress, None, PackageInstallation]:
    """Install the project's packages if that is wanted, and no interpreter has them."""
    if not _needs_installation(settings):
        return PackageInstallation(settings)
    from migration_gate import install  # noqa: PLC0415 - not needed where an interpreter is at hand

    installed = yield from install.install_packages(settings)
    yield Progress("find", settings.name)
    return PackageInstallation(installed.apply_to(settings), installed.notes)
