"""Proves that the replay took place in our database: exit status 0 of the worker alone proves nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from migration_gate.analysis.revision_graph import build_graph, find_ancestors
from migration_gate.errors import DatabaseRefused, SeveralDatabases, TimedOut
from migration_gate.facts import Connection, Failure, Replay
from migration_gate.project import Project
from migration_gate.replay import startup_errors
from migration_gate.replay.early_end import EarlyEnd
from migration_gate.replay.lock_waits import is_lock_wait
from migration_gate.replay.worker_answer import AnswerReader

if TYPE_CHECKING:
    import psycopg

FIND_TABLE = """
select nspname, relname from pg_class join pg_namespace n on n.oid = relnamespace
where nspname || '.' || relname = %s and relkind = any('{r,p,v,m,f}')
"""
VERSION_TABLE_ADVICE = (
    "Every connection of the project's went to the ephemeral database, so its URL is not the reason. Look in "
    "the revisions for what empties, drops or moves the version table, leaves another `search_path` behind, "
    "or commits by `op.get_bind().commit()`, and in env.py for a transaction that is rolled back."
)
QUERY_CANCELED = "57014"
SHOWN_REVISIONS = 5
"""revisions that an error names"""


def verify_bootstrap(project: Project, answer: AnswerReader, output: str) -> None:
    """Raise ProjectNotImported if a worker could not create the models of an older commit."""
    failed = answer.failure()
    if failed is not None:
        raise startup_errors.explain_bootstrap_failure(
            EarlyEnd(project, failed.stage, failed.failure, output)
        )


def verify_replay_started(
    project: Project, answer: AnswerReader, output: str, x_arguments: tuple[str, ...]
) -> None:
    """Raise if the project failed before its first revision; a failing revision is a fact.

    `output` is the end of what the project's code printed, `x_arguments` are the user's. Raises
    DatabaseRefused, DiskFull, Misconfigured, ProjectNotImported or SeveralDatabases.
    """
    databases = answer.found_databases()
    if databases is not None:
        raise SeveralDatabases(databases.addresses, databases.judged)
    failed = answer.failure()
    if failed is None:
        _verify_time_limits(answer, None)
        if not answer.contexts() and answer.history_error() is None:
            raise startup_errors.explain_missing_context(project, output)
        return
    _verify_time_limits(answer, failed.failure)
    python_versions = [item.version for item in answer.versions() if item.name == "python"]
    early_end = EarlyEnd(
        project=project,
        stage=failed.stage,
        failure=failed.failure,
        output=output,
        python_version=python_versions[0] if python_versions else None,
        has_finished_steps=answer.has_finished_steps(),
        missing=failed.missing,
        supplied=answer.supplied_settings(),
        x_arguments=x_arguments,
        heads=answer.heads(),
        has_refused_connection=any(connection.outcome == "refused" for connection in answer.connections()),
    )
    error = startup_errors.explain_early_end(early_end)
    if error is not None:
        raise error


def _verify_time_limits(answer: AnswerReader, failure: Failure | None) -> None:
    """Raise TimedOut if a time limit ended a statement: what that says, it says of the machine too."""
    for error in _list_errors(answer, failure):
        if error.sqlstate == QUERY_CANCELED and "statement timeout" in error.message:
            raise _explain_time_limit(error)


def _list_errors(answer: AnswerReader, failure: Failure | None) -> Iterator[Failure]:
    """Every error of the run: those of finished steps, the failure, and what it follows from before it."""
    for step in answer.steps():
        yield from (statement.error for statement in step.statements if statement.error is not None)
    if failure is not None:
        if failure.first_error is not None:
            yield failure.first_error
        yield failure


def _explain_time_limit(error: Failure) -> TimedOut:
    revision = f"of revision {error.revision} " if error.revision else ""
    if is_lock_wait(error.detail):
        return TimedOut(
            f"A statement {revision}waited for a lock until its time limit: {error.message}.",
            advice="Another session of the migration holds the lock. If it ends only after this statement, "
            "the migration waits for itself, in production too: use one connection, `op.get_bind()`, or let "
            "the other one commit first.",
            where=str(error.location or ""),
            evidence="\n".join(filter(None, (error.statement, error.detail))),
        )
    return TimedOut(
        f"A statement {revision}took longer than its time limit: {error.message}.",
        advice="The limit is the gate's (`limits: {statement: ...}`), or the project's own "
        "(`statement_timeout`). If the statement only needs longer, raise it. On an empty database it "
        "may have waited for a lock of another connection of the project's own.",
        where=str(error.location or ""),
        evidence="\n".join(filter(None, (error.statement, error.detail))),
    )


def verify_arrival(replay: Replay) -> None:
    """Raise DatabaseRefused unless every revision that ran stands in a version table of our server."""
    ran = {step.revision for step in replay.steps}
    graph = build_graph(replay.history, with_dependencies=True)
    lost = ran - find_ancestors(graph, *replay.arrived_heads)
    has_arrived = bool(replay.arrived_heads) or not replay.history.revisions
    if lost or not has_arrived:
        raise _explain_lost_revisions(replay, lost, len(ran))


def _explain_lost_revisions(replay: Replay, lost: Collection[str], count: int) -> DatabaseRefused:
    """The error for `count` revisions that ran, of which the version tables do not know these."""
    elsewhere = [connection for connection in replay.connections if connection.outcome != "redirected"]
    version_tables = ", ".join(replay.version_tables) or "no version table"
    if not replay.arrived_heads and not elsewhere:
        return _explain_empty_version_table(replay, version_tables, count)
    lost_names = ", ".join(sorted(lost)[:SHOWN_REVISIONS]) or "no revision at all"
    return DatabaseRefused(
        f"{count} revisions ran, but the ephemeral database does not know of them: "
        f"{version_tables} lacks {lost_names}.{_describe_connections(elsewhere)}",
        advice=startup_errors.URL_ADVICE if elsewhere else VERSION_TABLE_ADVICE,
    )


def _explain_empty_version_table(replay: Replay, version_tables: str, count: int) -> DatabaseRefused:
    """The error for revisions that left no trace in the version table, by what they left elsewhere."""
    if any(command.step for command in replay.ddl_commands) or replay.catalog.tables:
        return DatabaseRefused(
            f"{count} revisions ran, and what they made is there, but {version_tables} is empty "
            "or not there.",
            advice=VERSION_TABLE_ADVICE,
        )
    return DatabaseRefused(
        f"{count} revisions ran, and env.py committed none of them: {version_tables} is empty or not there.",
        advice="Since SQLAlchemy 2, what nobody commits is rolled back. In env.py, call "
        "context.run_migrations() inside `with context.begin_transaction():`.",
    )


def _describe_connections(connections: Sequence[Connection]) -> str:
    """A sentence on connections to other databases; nothing if there are none."""
    if not connections:
        return ""
    addresses = ", ".join(
        f"{connection.dialect} ({connection.requested_address})" for connection in connections
    )
    return f" It also asked for {addresses}."


def read_arrived_heads(connection: psycopg.Connection[Any], version_tables: Sequence[str]) -> tuple[str, ...]:
    """The revisions in the version tables (`schema.name`), each once; none of a missing table."""
    from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

    heads: list[str] = []
    for table in version_tables:
        for schema, name in connection.execute(FIND_TABLE, [table]).fetchall():  # each may hold a dot
            query = sql.SQL("select version_num from {}").format(sql.Identifier(schema, name))
            heads += [row[0] for row in connection.execute(query).fetchall()]
    return tuple(dict.fromkeys(heads))
