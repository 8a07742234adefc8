"""Runs single functions of revisions when the history has run, in another database: `downgrade()` and back.

Each request is carried out in a fork of the process that ran the history, which has the project imported, by
a run of env.py of its own, as `alembic downgrade` would have. What a function does to its process or to its
session is gone when the next one runs; unless the gate wants several in one session, which `alembic downgrade
-5` is as well: then each is committed, and the next one awaited in env.py.
"""

from __future__ import annotations

import functools
import os
import re
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

from . import private_api
from .answer_stream import AnswerStream, OrderStream
from .attempts import FINISHED, Attempt, run_in_child
from .catalog_snapshot import execute_unseen
from .error_report import describe_error
from .prepare_commands import run_prepare_command
from .protocol.order import Order, RevisionRun, RunsRequest
from .protocol.reported_error import ErrorReport
from .protocol.rollback_lines import FinishedRun, RunsFinished
from .redirection import Redirection
from .rows_function import call_rows_function
from .run_limit import ENDED_BY_LIMIT, HANGS, forget_alarm_handler, limit_time
from .stack_dumps import enable_stack_dumps
from .statement_recorder import StatementRecorder

OTHER_DATABASE = (
    "env.py uses a connection that was made before it ran, and leads to the database of the first run"
)
OTHER_SESSION = (
    "a setting of env.py's session, its role or its temporary tables are others when a function is committed"
)
SESSION_STATE = """
select current_user || ' ' || session_user || ' ' || pg_catalog.pg_my_temp_schema()::text || ' ' || (
    select md5(string_agg(name || '=' || coalesce(setting, ''), ' ' order by name))
    from pg_catalog.pg_settings where source <> 'default' and left(name, 15) <> 'migration_gate.')
"""
"""what decides, beside the database, what the next function does: it may have been set for one transaction"""
SETTING = re.compile(r"\bset_config\b|\bset\s+(?:local|session)\b|\bset\s+\w+\.\w", re.IGNORECASE)
"""a statement that sets what may hold for one transaction; `pg_settings` does not show names with a dot"""
OFFLINE_MODE = "env.py configures its context for offline mode"


class RunsImpossible(BaseException):
    """Ends env.py if nothing can be said of the revisions. No Exception, which env.py might catch."""


class RevisionRuns:
    """Carries out requests one by one."""

    def __init__(
        self,
        order: Order,
        redirection: Redirection,
        recorder: StatementRecorder,
        answer: AnswerStream,
        orders: OrderStream,
        *,
        home: str,
        plans: Mapping[int, list[str]],
    ) -> None:
        """`plans`: the revisions that each context of env.py ran, by its number."""
        self._order = order
        self._redirection = redirection
        self._recorder = recorder
        self._answer = answer
        self._orders = orders
        self._home = home
        self._plans = plans
        self._script: Any = None
        self._request = RunsRequest("", (), False)
        self._context_number = 0
        self._finished: list[FinishedRun] = []
        self._running: Optional[RevisionRun] = None
        self._caught_error: Optional[BaseException] = None
        self._has_added_rows = False
        self._has_settings = False
        """a statement of env.py's or of a function set something for its session, or for its transaction"""
        self.is_other_database: Callable[[Any], bool] = lambda connection: False
        """whether a connection leads to a database that this run does not judge"""
        self.watch_environment: Callable[[Any], None] = lambda environment: None
        """is given Alembic's EnvironmentContext before env.py runs"""

    def carry_out(self, request: RunsRequest, config: Any, script: Any, call_env: Callable[..., Any]) -> None:
        """Run what is requested in a fork, and send what came of it; and those that share its session.

        `call_env` calls the function that runs env.py.
        """

        def run(attempt: Attempt) -> None:
            forget_alarm_handler()
            self._answer.take_over()
            self._orders.take_over()
            self._request, self._script = request, script
            self._recorder.observation.forget_deployment()
            if request.keeps_session:
                self._watch_settings()
            self._answer.send(self._run(lambda: call_env(lambda: self._run_env(config))))

        status, message = run_in_child(Attempt(), run)
        enable_stack_dumps()
        if status == ENDED_BY_LIMIT:
            self._answer.send(RunsFinished(problem=HANGS))
        elif message != FINISHED:
            error = ErrorReport("the interpreter ended with exit status %d" % status)
            self._answer.send(RunsFinished(error=error, status=status))

    def _watch_settings(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        def before_cursor_execute(connection: Any, cursor: Any, statement: Any, *others: Any) -> None:
            if SETTING.search(str(statement)):
                self._has_settings = True

        event.listen(Engine, "before_cursor_execute", before_cursor_execute)

    def _run(self, run_env: Callable[[], Any]) -> RunsFinished:
        try:
            self._enter_database()
            run_env()
            if self._caught_error is not None:
                raise self._caught_error
        except RunsImpossible as error:
            return RunsFinished(problem=str(error))
        except BaseException as error:  # a sys.exit of the project's code too
            return self._describe_failure(self._caught_error or error)
        return self._describe_finished()

    def _describe_finished(self, *, keeps_session: bool = False) -> RunsFinished:
        if self._request.rows_function and not self._has_added_rows:
            return RunsFinished(problem="env.py configures no context that runs revisions")
        missing = [run.revision for run in self._request.runs if not self._has_run(run)]
        problem = "env.py did not run `%s`" % "`, `".join(missing) if missing else ""
        finished = () if missing else tuple(self._finished)
        return RunsFinished(finished, problem=problem, keeps_session=keeps_session)

    def _has_run(self, run: RevisionRun) -> bool:
        return any(
            (done.revision, done.direction) == (run.revision, run.direction) for done in self._finished
        )

    def _describe_failure(self, error: BaseException) -> RunsFinished:
        line = self._recorder.line
        report = describe_error(error, home=self._home)
        record = self._recorder.end_step()
        return RunsFinished(
            finished=tuple(self._finished),
            error=report,
            failed=self._running.revision if self._running is not None else None,
            direction=self._running.direction if self._running is not None else "downgrade",
            line=line,
            statements=record.statements,
            first_error=self._recorder.find_first_error(report),
        )

    def _enter_database(self) -> None:
        """Send all connections from now on to the database of the request, those of programs too."""
        name = self._request.runs_database
        self._redirection.database = name
        for variable, value in os.environ.items():
            if self._order.database in value:
                os.environ[variable] = value.replace(self._order.database, name)
        for command in self._order.prepare if self._request.prepares else ():
            run_prepare_command(command)

    def _run_env(self, config: Any) -> None:
        from alembic.runtime.environment import EnvironmentContext

        environment = EnvironmentContext(
            config,
            self._script,
            fn=self._run_context,
            as_sql=False,
            destination_rev=self._request.runs[-1].revision if self._request.runs else "heads",
            tag=None,
        )
        self.watch_environment(environment)
        with environment:
            self._script.run_env()

    def _run_context(self, heads: Any, context: Any) -> Iterator[Any]:
        """Alembic calls this for each `context.run_migrations()`, and runs the steps that it yields."""
        if context.as_sql:
            raise RunsImpossible(OFFLINE_MODE)
        if self.is_other_database(context.connection):
            return
        self._context_number += 1
        database = execute_unseen(context.connection, "select current_database()")[0][0]
        if database != self._request.runs_database:
            raise RunsImpossible(OTHER_DATABASE)
        plan = self._plans.get(self._context_number, [])
        if self._request.rows_function:
            self._add_rows(plan, context)
            return
        is_session = bool(plan) and self._request.keeps_session
        state = _read_session_state(context) if is_session else ""
        yield from self._run_functions(plan, context)
        while plan and self._request.keeps_session:
            # What follows is another command for Alembic, and the gate looks at the database in between.
            context.connection.connection.commit()
            if self._has_settings or _read_session_state(context) != state:
                raise RunsImpossible(OTHER_SESSION)
            context.connection.connection.commit()
            self._answer.send(self._describe_finished(keeps_session=True))
            self._receive_next()
            yield from self._run_functions(plan, context)

    def _add_rows(self, plan: Sequence[str], context: Any) -> None:
        """Call the project's function in the context that runs revisions, and commit what it did."""
        if not plan:
            return
        try:
            with limit_time():
                call_rows_function(self._request.rows_function, context.connection, self._recorder)
            context.connection.connection.commit()
        except BaseException as error:
            self._caught_error = error
            raise
        self._has_added_rows = True

    def _receive_next(self) -> None:
        request = self._orders.receive_request()
        if not isinstance(request, RunsRequest):
            os._exit(0)  # the gate has ended
        self._request = request
        self._finished = []

    def _run_functions(self, plan: Sequence[str], context: Any) -> Iterator[Any]:
        for run in self._request.runs:
            if run.revision in plan and self._is_due(run, context.get_current_heads()):
                yield from self._run_function(run, context)

    def _is_due(self, run: RevisionRun, heads: Any) -> bool:
        """Whether this context has what the function wants: a head to remove, or a revision to come."""
        if run.direction == "downgrade":
            return run.revision in heads
        return run.revision not in _list_applied_revisions(self._script, heads)

    def _run_function(self, run: RevisionRun, context: Any) -> Iterator[Any]:
        """Give one step to Alembic, which runs it and comes back for the next one."""
        self._running = run
        step = private_api.make_step(self._script, run.revision, run.direction)
        private_api.wrap_migration_function(step, functools.partial(self._wrap, context))
        self._recorder.begin_step(step.revision.path)
        yield step
        record = self._recorder.end_step()
        self._finished.append(
            FinishedRun(
                run.revision,
                run.direction,
                self._context_number,
                record.statements,
                record.transactions,
                record.cursor_statements,
            )
        )
        self._running = None
        self._caught_error = None

    def _wrap(self, context: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def recorded_function(**keywords: Any) -> Any:
            if self._running is not None and self._running.observed_step:
                step = self._running.observed_step
                self._recorder.observation.begin(context.connection, step, by_itself=False)
            self._recorder.migration_connection = private_api.driver_connection(context.connection)
            self._recorder.in_migration = True
            try:
                with limit_time():
                    value = function(**keywords)
            except BaseException as error:
                self._recorder.observation.stop()
                self._caught_error = error
                raise
            finally:
                self._recorder.in_migration = False
            self._recorder.observation.end(context.connection)
            return value

        return recorded_function


def _list_applied_revisions(script: Any, heads: Any) -> frozenset[str]:
    """The ids of `heads`, and of all that they follow and depend on."""
    applied: set[str] = set()
    waiting = [script.get_revision(head) for head in heads]
    while waiting:
        revision = waiting.pop()
        if revision.revision not in applied:
            applied.add(revision.revision)
            down = revision.down_revision
            parents = down if isinstance(down, (tuple, list)) else (down,) if down else ()
            required = (*parents, *private_api.resolved_dependencies(revision))
            waiting += [script.get_revision(name) for name in required]
    return frozenset(applied)


def _read_session_state(context: Any) -> str:
    return str(execute_unseen(context.connection, SESSION_STATE)[0][0])
