"""What the worker does around a migration's own function, on its connection, and what was seen there."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable, Optional, Sequence

from . import private_api
from .catalog_snapshot import execute_unseen, read_catalog, run_unseen
from .listener_guard import ListenerGuard
from .protocol.order import Order
from .real_paths import resolve_path
from .row_changes import find_row_changes
from .statement_recorder import StatementRecorder
from .step_pipeline import StepPipeline

BEGIN_STEP = """do $$ begin
if to_regprocedure('migration_gate.begin_step(int)') is not null then
    perform migration_gate.begin_step(%d);
end if;
end $$"""
END_STEP = """do $$ begin
if to_regprocedure('migration_gate.end_step()') is not null then
    perform migration_gate.end_step();
end if;
end $$"""
IS_UNCHANGED = "select pg_catalog.current_setting('migration_gate.is_unchanged', true) = 'true'"
LOG_CHANGES = """do $$ begin
if to_regprocedure('migration_gate.log_changes()') is not null then
    perform migration_gate.log_changes();
end if;
end $$"""
LOG_CAUGHT_ERROR = """do $$ begin
if to_regprocedure('migration_gate.log_caught_error(text)') is not null then
    perform migration_gate.log_caught_error(convert_from(decode('%s', 'hex'), 'UTF8'));
end if;
end $$"""
MAX_CHANGED_SNAPSHOTS = 50
"""revisions of one change that get a snapshot, the newest: two snapshots each, some 20 ms or more"""


class ObservedStep:
    """What is done around a migration's own function, on its connection, and what was seen there."""

    def __init__(
        self,
        order: Order,
        context: Any,
        recorder: StatementRecorder,
        guard: ListenerGuard,
        *,
        number: int,
        has_snapshots: bool,
        has_changes: bool = False,
        is_observed: bool = False,
        pipeline: StepPipeline,
        earlier: Optional[ObservedStep] = None,
    ) -> None:
        """`has_changes`: what the step makes of the catalog is wanted; `is_observed`: so are its locks.

        `earlier`: the step before, whose catalog is this one's if nothing happened in between.
        """
        self._order = order
        self._context = context
        self._recorder = recorder
        self._guard = guard
        self._pipeline = pipeline
        self._number = number
        self._has_snapshots = has_snapshots
        self._has_changes = has_changes
        self._is_observed = is_observed
        # (Callbacks of env.py's may grant something between two steps, which no event trigger sees.)
        is_next = earlier is not None and earlier.is_in(context) and not private_api.has_callbacks(context)
        self._earlier = earlier if is_next else None
        self._catalog_before: Optional[str] = None
        self._catalog_after: Optional[str] = None
        self.in_transaction = True
        """the connection was in a transaction when the function ended"""

    @property
    def before(self) -> Optional[str]:
        """The catalog before the step as JSON, if it gets snapshots."""
        return self._catalog_before if self._has_snapshots else None

    @property
    def after(self) -> Optional[str]:
        """The catalog after the step as JSON, if it gets snapshots."""
        return self._catalog_after if self._has_snapshots else None

    @property
    def changes(self) -> Optional[str]:
        """What the step made of the catalog as JSON, if that is wanted."""
        if not self._has_changes or self._catalog_before is None or self._catalog_after is None:
            return None
        return find_row_changes(self._catalog_before, self._catalog_after)

    def wrap(
        self, function: Callable[..., Any], on_error: Callable[[BaseException], None]
    ) -> Callable[..., Any]:
        """The function with what is done around it; `on_error` is given what it raises."""

        @functools.wraps(function)
        def observed_function(**keywords: Any) -> Any:
            self._begin_step()
            try:
                value = function(**keywords)
            except BaseException as error:
                self._recorder.observation.stop()
                self._pipeline.abandon()
                on_error(error)
                raise
            finally:
                self._recorder.in_migration = False
                self.in_transaction = bool(self._context.connection.in_transaction())
            self._finish_step()
            return value

        return observed_function

    def _begin_step(self) -> None:
        connection = self._context.connection
        with self._guard.querying("the record of what each revision changes"):
            self._pipeline.begin_step(connection, self._number, BEGIN_STEP % self._number)
        self._catalog_before = self._find_earlier_catalog() or self._read_catalog()
        self._earlier = None
        if self._is_observed:
            by_itself = self._order.observe == "all"
            self._recorder.observation.begin(connection, self._number, by_itself=by_itself)
        else:
            self._recorder.observation.skip(connection)
        self._recorder.migration_connection = private_api.driver_connection(connection)
        self._recorder.in_migration = True

    def _finish_step(self) -> None:
        connection = self._context.connection
        self._recorder.observation.end(connection)
        for sql in self._recorder.caught_duplicates():
            with contextlib.suppress(Exception):  # an aborted transaction: Alembic's next statement says so
                execute_unseen(connection, LOG_CAUGHT_ERROR % sql.encode("utf-8", "replace").hex())
        if self._order.log_after_step:
            with self._guard.querying("the record of what each revision changes"):
                run_unseen(connection, LOG_CHANGES)
        self._catalog_after = self._read_catalog()
        if self._catalog_after is not None and not self._order.log_after_step:
            with self._guard.querying("the catalog before and after a revision"):
                run_unseen(connection, END_STEP)

    def is_in(self, context: Any) -> bool:
        """Whether the step ran in this context of env.py."""
        return self._context is context

    def _find_earlier_catalog(self) -> Optional[str]:
        """The catalog after the step before, if no command was logged since then."""
        text = self._earlier._catalog_after if self._earlier is not None else None
        if text is None or not (self._has_snapshots or self._has_changes):
            return None
        return text if execute_unseen(self._context.connection, IS_UNCHANGED)[0][0] else None

    def _read_catalog(self) -> Optional[str]:
        """The catalog as it is now, if anything of it is wanted."""
        text: Optional[str] = None
        if self._has_snapshots or self._has_changes:
            with self._guard.querying("the catalog before and after a revision"):
                text = read_catalog(self._context.connection, self._order.catalog_query)
        return text


def choose_snapshot_revisions(order: Order, plan: Sequence[Any]) -> frozenset[str]:
    """The revisions of the plan that get a snapshot of the catalog before and after."""
    revisions = [step.revision.revision for step in plan]
    if order.snapshots == "none":
        return frozenset()
    if order.snapshots == "all":
        return frozenset(revisions)
    if order.snapshots == "changed":
        return frozenset(_list_changed(order, plan)[-MAX_CHANGED_SNAPSHOTS:])
    return frozenset(revisions[-int(order.snapshots) :])


def choose_rollback_revisions(order: Order, plan: Sequence[Any]) -> frozenset[str]:
    """The revisions of the plan that are rolled back when the history has run."""
    if order.rollback == "all":
        return frozenset(step.revision.revision for step in plan)
    return frozenset(_list_changed(order, plan) if order.rollback == "change" else ())


def choose_observed_revisions(order: Order, plan: Sequence[Any]) -> frozenset[str]:
    """The revisions of the plan whose locks are observed."""
    if order.observe == "all":
        return frozenset(step.revision.revision for step in plan)
    return frozenset(_list_in_files(plan, order.pending_files) if order.observe == "change" else ())


def _list_changed(order: Order, plan: Sequence[Any]) -> list[str]:
    """The revisions of the plan whose files the change adds or edits."""
    return _list_in_files(plan, order.changed_files)


def _list_in_files(plan: Sequence[Any], files: Sequence[str]) -> list[str]:
    """The revisions of the plan that are in these files."""
    chosen = set(files)
    if not chosen:
        return []
    return [step.revision.revision for step in plan if resolve_path(step.revision.path) in chosen]
