"""One run of env.py that upgrades through the whole history, and looks at each revision by itself."""

from __future__ import annotations

import contextlib
import functools
import time
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

from . import private_api
from .answer_stream import AnswerStream
from .catalog_snapshot import execute_unseen, run_unseen
from .env_context import EnvContext, keep_context, list_metadatas, list_table_names, remember_options
from .env_watch import OFFLINE_MODE, CaughtError, ConfiguredContexts
from .listener_guard import GateFailed, ListenerGuard
from .model_ddl import ModelDdlObserver
from .observed_step import (
    ObservedStep,
    choose_observed_revisions,
    choose_rollback_revisions,
    choose_snapshot_revisions,
)
from .protocol.history_lines import ContextConfigured, ContextFinished, RevisionsPlanned
from .protocol.order import ContextPlace, Order
from .protocol.run_lines import Note
from .protocol.step_lines import StepFinished, StepStarted
from .script_history import ScriptHistory
from .session_place import SessionPlace, find_default_schema, find_session_place
from .state_keeping import StateKeeper
from .statement_recorder import StatementRecorder
from .step_keywords import KeywordRecorder
from .step_pipeline import StepPipeline
from .step_plan import StepPlan

KEEP_ATTEMPTS = """do $$ begin
if to_regprocedure('migration_gate.keep_attempts()') is not null then
    perform migration_gate.keep_attempts();
end if;
end $$"""
IS_LOG_COMPLETE = """
select to_regclass('migration_gate.ddl_log') is not null and (%s or 4 <= (
    select count(*) from pg_event_trigger
    where evtname like 'migration_gate%%' and evtname <> 'migration_gate_observation'
      and evtenabled in ('O', 'A')))
"""
OTHER_PLAN = "the revisions of the earlier run do not come first"
LOG_DROPPED = (
    "a migration dropped what the gate records changes with (the schema migration_gate, its event triggers): "
    "from there on it is not known which revision made what"
)


class HistoryUpgrade:
    """Gives Alembic its steps one by one, and sends what each did before it gives the next."""

    def __init__(
        self,
        order: Order,
        script: Any,
        history: ScriptHistory,
        recorder: StatementRecorder,
        answer: AnswerStream,
        *,
        model_ddl: ModelDdlObserver,
        guard: ListenerGuard,
        keeper: StateKeeper,
        pipeline: StepPipeline,
    ) -> None:
        """`script`: the project's ScriptDirectory."""
        self._order = order
        self._script = script
        self._history = history
        self._recorder = recorder
        self._model_ddl = model_ddl
        self._guard = guard
        self._keeper = keeper
        self._pipeline = pipeline
        self._plan = StepPlan(order, script)
        self._own_failure: Optional[GateFailed] = None
        """that env.py may have caught"""
        self._answer = answer
        self._step_number = 0
        self._last_step: Optional[ObservedStep] = None
        self._explicit_options: Mapping[str, Any] = {}
        self.running_revision: Optional[str] = None
        self.finished_contexts: list[EnvContext] = []
        """of env.py, whose revisions have all run"""
        self.plans: dict[int, list[str]] = {}
        """the revisions that each context of env.py ran, in their order, by its number"""
        self.table_names: set[str] = set()
        """`schema.name` of the tables that the contexts had then"""
        self.configured_metadatas: list[Any] = []
        """the MetaData objects of all contexts"""
        self._configured = ConfiguredContexts()
        self.keywords = KeywordRecorder()
        self._errors: dict[Any, CaughtError] = {}
        """of revisions that did not succeed later, by revision and place"""
        self._place: Optional[SessionPlace] = None
        """of the context that runs"""
        self.watch_environment: Callable[[Any], None] = lambda environment: None
        """is given Alembic's EnvironmentContext before env.py runs"""
        self.is_other_database: Callable[[Any], bool] = lambda connection: False
        """whether a connection leads to a database that this run does not judge"""
        self.before_context: Callable[[], None] = lambda: None
        """is called before the first revision of a context"""

    @property
    def skipped_contexts(self) -> int:
        """Contexts that env.py configured and did not run."""
        return self._configured.skipped

    def raise_caught_error(self) -> None:
        """Raise the first error of a revision that env.py caught, if one did, or of the gate's own."""
        if self._own_failure is not None:
            raise self._own_failure
        for caught in self._errors.values():
            self.running_revision = caught.revision
            self._recorder.file, self._recorder.line = caught.file, caught.line
            self._answer.send(Note("env.py caught the error of `%s`, and went on" % caught.revision))
            raise caught.error
        if self.running_revision is not None:
            raise RuntimeError("env.py caught an error after the last statement of the revision, and went on")

    @property
    def has_begun(self) -> bool:
        """Whether a revision has begun to run."""
        return self._step_number > 0

    def run_env(self, config: Any) -> None:
        """Run env.py, which runs the steps. Raises what it raises."""
        from alembic.runtime.environment import EnvironmentContext

        environment = EnvironmentContext(
            config,
            self._script,
            fn=self._run_context,
            as_sql=False,
            destination_rev=",".join(self._order.target),
            tag=None,
        )
        self._explicit_options = remember_options(environment)
        self._configured.watch(environment)
        self.watch_environment(environment)
        with environment:
            self._script.run_env()

    def _run_context(self, heads: Any, context: Any) -> Iterator[Any]:
        """Alembic calls this for each `context.run_migrations()`, and runs the steps that it yields."""
        number = len(self.finished_contexts) + 1
        if not self._history.send_once():
            raise RuntimeError("the revisions cannot be read")
        if context.as_sql:
            raise RuntimeError(OFFLINE_MODE)
        self._configured.run_newest()
        if self.is_other_database(context.connection):
            yield from self._run_unobserved(heads, context)
            return
        self.configured_metadatas += list_metadatas(context.opts.get("target_metadata"))
        with self._demanding("Finding the place of the version table"):
            place = self._place = find_session_place(context)
            description = _describe_context(number, context, place, heads)
        self.before_context()
        self._answer.send(description)
        if self._order.task == "bootstrap":
            yield from self._create_and_stamp(heads, context)
            return
        first_target, *more_targets = self._order.target
        earlier = self._order.earlier_run
        plan = self._plan.plan_upgrade(first_target, earlier.starting_heads if earlier is not None else heads)
        if self._order.task == "trial":
            self._answer.send(RevisionsPlanned(tuple(step.revision.revision for step in plan)))
            self._finish_context(number, context, place)
            return
        snapshots = choose_snapshot_revisions(self._order, plan)
        self._keeper.begin(context, snapshots | choose_rollback_revisions(self._order, plan))
        yield from self._run_plan(plan, context, number, snapshots)
        for target in more_targets:  # planned when the earlier ones have run: their heads are where it starts
            plan = self._plan.plan_upgrade(target, context.get_current_heads())
            yield from self._run_plan(plan, context, number, snapshots)
        self._finish_context(number, context, place)

    def _run_unobserved(self, heads: Any, context: Any) -> Iterator[Any]:
        """Run the revisions in a database that another run judges."""
        for target in self._order.target if self._order.task == "replay" else ():
            for step in private_api.plan_upgrade(self._script, target, heads):
                self.running_revision = step.revision.revision
                self.keywords.watch(step, context, is_judged=False)
                yield step
                self.running_revision = None
            heads = context.get_current_heads()

    def _create_and_stamp(self, heads: Any, context: Any) -> Iterator[Any]:
        """Create the tables of the models, and write a revision into the version table."""
        for metadata in list_metadatas(context.opts.get("target_metadata")):
            metadata.create_all(context.connection)
        yield from private_api.plan_stamp(self._script, self._order.stamp, heads)

    def _run_plan(
        self, plan: Sequence[Any], context: Any, context_number: int, snapshots: frozenset[str]
    ) -> Iterator[Any]:
        revisions = tuple(step.revision.revision for step in plan)
        self._answer.send(RevisionsPlanned(revisions))
        self.plans.setdefault(context_number, []).extend(revisions)
        rolled_back = choose_rollback_revisions(self._order, plan)
        looked_at = choose_observed_revisions(self._order, plan)
        new_revisions = self._plan.list_new_revisions(plan)
        is_whole_target = len(self._order.target) == 1
        boundary = next((place for place, name in enumerate(revisions) if name in new_revisions), len(plan))
        earlier_steps = self._count_earlier_steps(revisions, context_number)
        self._step_number += earlier_steps
        looked_at_by_itself = snapshots | rolled_back | looked_at
        ahead = _count_until(revisions[earlier_steps:boundary], looked_at_by_itself)
        self._pipeline.start(context, self._order, ahead)
        for position, step in enumerate(plan[earlier_steps:], earlier_steps):
            revision = step.revision.revision
            if position == boundary:
                self._keeper.keep(
                    context, revisions[:position], has_more=True, is_whole_target=is_whole_target
                )
            yield from self._run_step(
                step,
                context,
                context_number,
                has_snapshots=revision in snapshots,
                has_changes=revision in rolled_back,
                is_observed=revision in looked_at,
                ends_pipeline=position + 1 == earlier_steps + ahead,
            )
        if boundary == len(plan):
            self._keeper.keep(context, revisions, has_more=False, is_whole_target=is_whole_target)

    def _count_earlier_steps(self, revisions: Sequence[str], context_number: int) -> int:
        """How many of these steps an earlier run has run. Raises if the plan is another one than then."""
        earlier = self._order.earlier_run
        if earlier is None:
            return 0
        count = len(earlier.revisions)
        is_alone = context_number == 1 and len(self._order.target) == 1
        if not is_alone or tuple(revisions[:count]) != earlier.revisions:
            raise RuntimeError(OTHER_PLAN)
        return count

    def _run_step(
        self,
        step: Any,
        context: Any,
        context_number: int,
        *,
        has_snapshots: bool,
        has_changes: bool,
        is_observed: bool,
        ends_pipeline: bool,
    ) -> Iterator[Any]:
        """Give one step to Alembic, which runs it and comes back for the next one."""
        revision = step.revision.revision
        self._step_number += 1
        observed = ObservedStep(
            self._order,
            context,
            self._recorder,
            self._guard,
            number=self._step_number,
            has_snapshots=has_snapshots,
            has_changes=has_changes,
            is_observed=is_observed,
            earlier=self._last_step,
            pipeline=self._pipeline,
        )
        self._last_step = observed
        key = (revision, context.version_table, str(self._place))
        remember = functools.partial(self._remember_error, key, revision)
        private_api.wrap_migration_function(step, functools.partial(observed.wrap, on_error=remember))
        self.keywords.watch(step, context, is_judged=True)
        self.running_revision = revision
        self._answer.send(StepStarted(self._step_number, revision, self._pipeline.announce_step()))
        self._recorder.begin_step(step.revision.path)
        self._model_ddl.begin_step(self._step_number, revision, step.revision.path)
        started = time.perf_counter()
        yield step
        if ends_pipeline:
            self._pipeline.end()
        seconds = round(time.perf_counter() - started, 5)
        record = self._recorder.end_step()
        self.running_revision = None
        self._errors.pop(key, None)
        self._model_ddl.end_step()
        self._answer.send(
            StepFinished(
                number=self._step_number,
                revision=revision,
                context=context_number,
                seconds=seconds,
                statements=record.statements,
                transactions=record.transactions,
                in_transaction=observed.in_transaction,
                before=observed.before,
                after=observed.after,
                changes=observed.changes,
                dropped_statements=record.dropped_statements,
                unrecorded_statements=record.unrecorded_statements,
                cursor_statements=record.cursor_statements,
                is_ahead=self._pipeline.is_open,
            )
        )

    @contextlib.contextmanager
    def _demanding(self, what: str) -> Iterator[None]:
        try:
            with self._guard.demanding(what):
                yield
        except GateFailed as error:
            self._own_failure = error
            raise

    def _remember_error(self, key: Any, revision: str, error: BaseException) -> None:
        self._errors[key] = CaughtError(error, revision, self._recorder.file, self._recorder.line)

    def _finish_context(self, number: int, context: Any, place: SessionPlace) -> None:
        """Keep what the models need to be created in the same place, and send where the version table is."""
        is_complete = IS_LOG_COMPLETE % ("true" if self._order.log_after_step else "false")
        with self._demanding("The look at what the migrations left"):
            if not execute_unseen(context.connection, is_complete)[0][0]:
                self._answer.send(Note(LOG_DROPPED))
            run_unseen(context.connection, KEEP_ATTEMPTS)
            default_schema = find_default_schema(context.connection, place.search_path) or "public"
        finished = keep_context(
            context,
            self._explicit_options,
            ContextPlace(place.search_path, default_schema),
            place.schema_translation,
        )
        self.finished_contexts.append(finished)
        self.table_names.update(list_table_names([finished]))
        self._answer.send(
            ContextFinished(
                number=number,
                version_table=context.version_table,
                version_table_schema=place.version_table_schema,
                default_schema=finished.default_schema,
                search_path=finished.search_path,
            )
        )


def _count_until(revisions: Sequence[str], others: frozenset[str]) -> int:
    """How many revisions come before the first of the others."""
    return next((number for number, name in enumerate(revisions) if name in others), len(revisions))


def _describe_context(number: int, context: Any, place: SessionPlace, heads: Any) -> ContextConfigured:
    return ContextConfigured(
        number=number,
        driver=context.dialect.driver,
        version_table=context.version_table,
        version_table_schema=place.version_table_schema,
        default_schema=place.default_schema,
        starting_heads=tuple(str(head) for head in heads or ()),
        has_metadata=bool(list_metadatas(context.opts.get("target_metadata"))),
    )
