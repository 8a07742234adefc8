"""One run of env.py that walks the whole history, one revision at a time."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Iterator, Optional

from .answer_stream import AnswerStream
from .error_report import describe_error
from .load import ScriptHistory
from .protocol import (
    ContextConfigured,
    ContextFinished,
    Note,
    Order,
    RevisionsPlanned,
    StepFinished,
    StepStarted,
)
from .statement_recorder import StatementRecorder

NO_TRANSACTION = "25P01"
SAVEPOINT = "migration_gate_snapshot"
BEGIN = """do $$ begin
if to_regprocedure('migration_gate.begin_step(int)') is not null then
    perform migration_gate.begin_step(%d);
end if;
end $$"""
MARK = """do $$ begin
if to_regprocedure('migration_gate.log_changes()') is not null then
    perform migration_gate.log_changes();
end if;
end $$"""
RECORDED = """
select to_regclass('migration_gate.ddl_log') is not null and (%s or 2 = (
    select count(*) from pg_event_trigger where evtname like 'migration_gate%%' and evtenabled = 'O'))
"""
UNRECORDED = (
    "a migration dropped what the gate records changes with (the schema migration_gate, its event triggers): "
    "from there on it is not known which revision made what"
)
MOST_CHANGED = 50
"""revisions of one change that get a snapshot, the newest: two snapshots each, some 20 ms or more"""


class Walk:
    """Hands Alembic its steps as a generator, and looks at each between two of them."""

    def __init__(
        self,
        order: Order,
        script: Any,
        recorder: StatementRecorder,
        answer: AnswerStream,
        history: ScriptHistory,
    ) -> None:
        self._order = order
        self._script = script
        self._recorder = recorder
        self._answer = answer
        self._history = history
        self.number = 0
        """of the step that runs, or ran last"""
        self.contexts: list[dict[str, Any]] = []
        """what each context of env.py was configured with, for the comparison with the models"""
        self.explicit: dict[str, Any] = {}
        """the last arguments of context.configure"""
        self.running: Optional[str] = None
        """the revision that runs"""

    def run(self, config: Any) -> None:
        """Run env.py; raises what it raises."""
        from alembic.runtime.environment import EnvironmentContext

        target = ",".join(self._order.target)
        environment = EnvironmentContext(
            config, self._script, fn=self._steps, as_sql=False, destination_rev=target, tag=None
        )
        configure = environment.configure

        def remember(*positional: Any, **keywords: Any) -> None:
            """What env.py set itself, as opposed to the defaults of an Alembic version."""
            self.explicit = keywords
            configure(*positional, **keywords)

        environment.configure = remember  # type: ignore[method-assign]
        with environment:
            self._script.run_env()

    def _steps(self, heads: Any, context: Any) -> Iterator[Any]:
        """The generator that Alembic asks for the next step."""
        number = len(self.contexts) + 1
        if not self._history.report_once():
            raise RuntimeError("the revisions cannot be read")
        self._tell_context(number, context)
        if self._order.task == "bootstrap":
            yield from self._bootstrap(heads, context)
            return
        order = self._script._upgrade_revs(self._order.target[0], heads)
        self._answer.send(RevisionsPlanned(tuple(step.revision.revision for step in order)))
        snapshots = self._snapshots(order)
        yield from self._walk(order, context, number, snapshots)
        for target in self._order.target[1:]:
            order = self._script._upgrade_revs(target, context.get_current_heads())
            self._answer.send(RevisionsPlanned(tuple(step.revision.revision for step in order)))
            yield from self._walk(order, context, number, snapshots)
        self._tell_end(number, context)

    def _walk(self, order: Any, context: Any, number: int, snapshots: set[str]) -> Iterator[Any]:
        for step in order:
            self.number += 1
            revision = step.revision.revision
            facts: dict[str, Any] = {}
            self._prepare(step, context, facts, revision in snapshots)
            self.running = revision
            self._answer.send(StepStarted(self.number, revision))
            self._recorder.begin_step(step.revision.path)
            started = time.perf_counter()
            yield step
            seconds = round(time.perf_counter() - started, 5)
            record = self._recorder.end_step()
            self.running = None
            self._answer.send(
                StepFinished(
                    self.number, revision, number, seconds, record.statements, record.transactions,
                    in_transaction=facts.get("in_transaction", True),
                    before=facts.get("before"), after=facts.get("after"),
                )
            )  # fmt: skip

    def _bootstrap(self, heads: Any, context: Any) -> Iterator[Any]:
        """Make the tables from the models, and write into the version table that they stand at a revision."""
        given = context.opts.get("target_metadata")
        for metadata in given if isinstance(given, (list, tuple)) else [given]:
            if metadata is not None:
                metadata.create_all(context.connection)
        yield from self._script._stamp_revs(self._order.stamp, heads)

    def _prepare(self, step: Any, context: Any, facts: dict[str, Any], snapshot: bool) -> None:
        """Wrap the migration's own function: mark the step on the server, look before and after."""
        inner = step.migration_fn
        number = self.number
        recorder = self._recorder

        def migrate(**keywords: Any) -> Any:
            connection = context.connection
            _execute(connection, BEGIN % number)
            if snapshot:
                facts["before"] = self.catalog(connection)
            recorder.in_migration = True
            try:
                return inner(**keywords)
            finally:
                recorder.in_migration = False
                facts["in_transaction"] = bool(connection.in_transaction())

        def looked_at(**keywords: Any) -> Any:
            out = migrate(**keywords)
            if self._order.log_after_step:
                _execute(context.connection, MARK)
            if snapshot:
                facts["after"] = self.catalog(context.connection)
            return out

        looked_at.__name__ = getattr(inner, "__name__", "upgrade")
        step.migration_fn = looked_at

    def _snapshots(self, order: Any) -> set[str]:
        wanted = self._order.snapshots
        revisions = [step.revision.revision for step in order]
        if wanted == "all":
            return set(revisions)
        if wanted == "changed":
            files = set(self._order.changed_files)
            new = [s.revision.revision for s in order if os.path.realpath(s.revision.path) in files]
            return set(new[-MOST_CHANGED:])
        return set() if wanted == "none" else set(revisions[-int(wanted) :])

    def _tell_context(self, number: int, context: Any) -> None:
        dialect = context.dialect
        schema = _execute(context.connection, "select current_schema()")  # where its version table is by now
        self._answer.send(
            ContextConfigured(
                number=number,
                driver=dialect.driver,
                version_table=context.version_table,
                version_table_schema=context.version_table_schema,
                default_schema=schema[0][0] or "public",
            )
        )

    def _tell_end(self, number: int, context: Any) -> None:
        """What the models must be created with, to land where the migrations did."""
        if not _execute(context.connection, RECORDED % ("true" if self._order.log_after_step else "false"))[
            0
        ][0]:
            self._answer.send(Note(UNRECORDED))
        path = _execute(context.connection, "select current_setting('search_path'), current_schema()")
        execution = context.connection.get_execution_options()
        self.contexts.append(
            {
                "opts": dict(context.opts),
                "explicit": dict(self.explicit),
                "driver": context.dialect.driver,
                "is_async": bool(getattr(context.dialect, "is_async", False)),
                "search_path": path[0][0] if path else "",
                "default_schema": (path[0][1] if path else None) or "public",
                "translate": execution.get("schema_translate_map"),
            }
        )
        own = context.version_table_schema
        self._answer.send(
            ContextFinished(
                number=number,
                version_table=context.version_table,
                version_table_schema=(self.contexts[-1]["translate"] or {}).get(own, own),
                default_schema=self.contexts[-1]["default_schema"],
            )
        )

    def catalog(self, connection: Any) -> str:
        """The catalog as JSON, read on the migration's own connection without a trace in its session."""
        held = connection.in_transaction()
        proxy = connection.connection
        real = getattr(proxy, "dbapi_connection", None) or getattr(proxy, "connection", proxy)
        alone = bool(getattr(real, "autocommit", False))
        cursor = proxy.cursor()
        try:
            if not alone:
                try:
                    cursor.execute("savepoint " + SAVEPOINT)
                except Exception as error:
                    if describe_error(error).sqlstate != NO_TRANSACTION:
                        raise
                    alone = True  # a literal COMMIT: the driver believes in a transaction that is over
            if alone:
                cursor.execute("begin")
            try:
                cursor.execute("set local search_path = ''")
                cursor.execute(self._order.catalog_query)
                text = cursor.fetchone()[0]
            finally:
                if alone:
                    cursor.execute("rollback")
                else:
                    cursor.execute("rollback to savepoint " + SAVEPOINT)
                    cursor.execute("release savepoint " + SAVEPOINT)
        finally:
            cursor.close()
            if not held and not alone:
                proxy.rollback()
        return text if isinstance(text, str) else json.dumps(text)


def _execute(connection: Any, statement: str) -> list[Any]:
    """Run on the driver's own cursor, so that SQLAlchemy's listeners (ours too) do not see it."""
    held = connection.in_transaction()
    proxy = connection.connection
    cursor = proxy.cursor()
    try:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()
        if not held:
            proxy.commit()  # nothing of the project's is in it; left open, it would stop an autocommit block
