"""What is done when the last revision has run: the database is read, the models are created, and so on.

Loaded while the history runs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from migration_gate.catalog.catalog_rows import read_catalog_again, read_catalog_rows
from migration_gate.catalog.snapshot_reader import (
    CatalogRows,
    parse_catalog_rows,
    read_snapshot,
)
from migration_gate.change.base_messages import SharedDatabase
from migration_gate.facts import (
    CaughtError,
    DdlCommand,
    Rehearsal,
    SkippedCreation,
    Snapshot,
    Unchecked,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server
from migration_gate.progress import Progress
from migration_gate.replay.base_database import split_history
from migration_gate.replay.caught_error_log import read_caught_errors
from migration_gate.replay.ddl_log import read_ddl_log
from migration_gate.replay.early_filling import EarlyFilling
from migration_gate.replay.initial_state import copy_for_rollback, copy_for_rollback_again
from migration_gate.replay.models_request import (
    ModelsAnswer,
    build_models_request,
    copy_for_models,
    request_models,
)
from migration_gate.replay.observation_log import LogMessage, is_observed, read_observed_log
from migration_gate.replay.owner_trials import OwnerTrials, try_owner_columns
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.repository_text import read_downgrades
from migration_gate.replay.rollback_proof import RollbackProof
from migration_gate.replay.runs_channel import AnswerInProgress, RunsChannel
from migration_gate.replay.sent_ahead import read_step_seconds
from migration_gate.replay.skipped_creations import read_skipped_creations
from migration_gate.replay.verification import read_arrived_heads
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_answer_stream import AnswerStream
from migration_gate.replay.worker_process import WorkerProcess
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import HistoryRead
from migration_gate.worker.protocol.run_lines import RunFailed
from migration_gate.worker.protocol.step_lines import StepFinished

if TYPE_CHECKING:
    import psycopg

    from migration_gate.replay.rehearsal_run import RehearsalRun
    from migration_gate.replay.rollback_run import RollbackRun


@dataclass(frozen=True, slots=True)
class ReplayedDatabase:
    """What the migrations left in the ephemeral database."""

    arrived_heads: tuple[str, ...]
    snapshot: Snapshot
    ddl_commands: tuple[DdlCommand, ...]
    skipped_creations: tuple[SkippedCreation, ...]
    caught_errors: tuple[CaughtError, ...] = ()
    observed_log: tuple[LogMessage, ...] = ()
    """of the looked-at revisions"""
    owner_trials: OwnerTrials = field(default_factory=OwnerTrials)
    available_extensions: tuple[str, ...] = ()
    """that the server could create; asked for if a revision failed"""
    step_seconds: Mapping[int, float] = field(default_factory=dict)
    """of steps that were sent ahead, by their numbers"""


@dataclass(frozen=True, slots=True)
class HistoryEnd:
    """What is done when the last revision has run."""

    replayed_database: Future[ReplayedDatabase] | None = None
    models_database: Future[Snapshot] | None = None
    """None if the models are created by the interpreter that ran the history"""
    rollback: RollbackProof = field(default_factory=RollbackProof)
    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    unchecked: tuple[Unchecked, ...] = ()


def finish_history(
    setup: ReplaySetup,
    worker: WorkerProcess,
    background: ThreadPoolExecutor,
    answer: AnswerInProgress,
    *,
    copied: Sequence[str],
    early_filling: EarlyFilling,
) -> Generator[Progress, None, HistoryEnd]:
    """Read the replayed database, have the models created, and the change's revisions rolled back.

    `copied`: the revisions that `setup.earlier_database` holds. `early_filling`: of a copy of that.
    """
    lines = answer.lines
    # First: a database in use cannot be copied, and the reading uses it.
    copy_for_models(setup)
    _share_copy(setup, lines, copied)
    models_answer = background.submit(request_models, setup, worker, build_models_request(setup, lines))
    is_rolled_back = wants_rollback(lines)
    if is_rolled_back:
        copy_for_rollback(setup)
    rehearsal_run = build_rehearsal_run(setup, answer, copied)
    rollback, rehearsal = RollbackProof(), Rehearsal()
    with contextlib.closing(rehearsal_run) if rehearsal_run is not None else contextlib.nullcontext():
        if rehearsal_run is not None:
            rehearsal_run.begin(background, early_filling)
        catalog_rows = _read_copied_catalog(setup) if is_rolled_back else None
        reading = background.submit(read_replayed_database, setup, tuple(lines), catalog_rows)
        if is_rolled_back:
            rollback = yield from build_rollback_run(setup, answer, copied, catalog_rows).prove()
            yield Progress("models")
        if rehearsal_run is not None:
            rehearsal = yield from rehearsal_run.rehearse()
    if is_observed(setup) and rehearsal.tables:
        from migration_gate.replay.second_observation import observe_again  # noqa: PLC0415 - of a change

        again = observe_again(setup, answer, rehearsal, reading.result().observed_log)
        if again:
            reading = background.submit(replace, reading.result(), observed_log=again)
    models_lines, unchecked = finish_models(setup, answer.stream, lines, models_answer.result(), reading)
    lines += models_lines
    models_database = None
    if models_lines:  # while the worker ends
        models_database = background.submit(read_models_database, setup, tuple(lines))
    return HistoryEnd(reading, models_database, rollback, rehearsal, unchecked)


def build_rehearsal_run(
    setup: ReplaySetup, answer: AnswerInProgress, copied: Sequence[str]
) -> RehearsalRun | None:
    """The new revisions, which run with rows in copies of the database as it was before them."""
    if not setup.wants_rehearsal:
        return None
    split = split_history(answer.lines, setup.pending_files)
    if not split.new or not split.old:
        return None
    from migration_gate.replay.rehearsal_run import RehearsalRun  # noqa: PLC0415 - of a change

    reader = AnswerReader(setup.repository, answer.lines)
    places = build_models_request(setup, answer.lines).places
    return RehearsalRun(
        setup,
        RunsChannel(answer),
        split,
        reader.failures,
        reader.version_tables(),
        copied=copied,
        search_path=places[0].search_path if places else "",
    )


def wants_rollback(lines: Iterable[Line]) -> bool:
    """Whether there are revisions to downgrade."""
    return any(isinstance(line, StepFinished) and line.changes is not None for line in lines)


def build_rollback_run(
    setup: ReplaySetup,
    answer: AnswerInProgress,
    copied: Sequence[str],
    catalog_rows: CatalogRows | None,
) -> RollbackRun:
    """The downgrades of the change, in the copy of the database that was made for them.

    `copied`: the revisions that `setup.earlier_database` holds. `catalog_rows`: of the copy.
    """
    from migration_gate.replay.rollback_run import RollbackRun  # noqa: PLC0415 - of a change
    from migration_gate.replay.rollback_state import read_rolled_back_history  # noqa: PLC0415

    reader = AnswerReader(setup.repository, answer.lines)
    version_tables = reader.version_tables()
    history = read_rolled_back_history(answer.lines, version_tables)
    return RollbackRun(
        setup,
        RunsChannel(answer),
        history,
        reader.failures,
        texts=read_downgrades(answer.lines, history.changes),
        version_tables=version_tables,
        copy_again=lambda: copy_for_rollback_again(setup),
        copied=copied,
        catalog_rows=catalog_rows,
    )


def finish_models(
    setup: ReplaySetup,
    stream: AnswerStream,
    lines: Sequence[Line],
    answer: ModelsAnswer,
    reading: Future[ReplayedDatabase],
) -> tuple[tuple[Line, ...], tuple[Unchecked, ...]]:
    """The models of the second interpreter, or else have them created by the one that ran the history.

    `stream` and `lines` are those of the history; `reading` uses the replayed database. Returns further
    lines, and what is to be said.
    """
    if answer.created is None:
        wait([reading])  # a database in use cannot be copied
        copy_for_models(setup)
        stream.send_request(build_models_request(setup, lines))
    stream.close_order()
    return ((answer.created,) if answer.created is not None else ()), answer.unchecked


def _share_copy(setup: ReplaySetup, lines: Sequence[Line], copied: Sequence[str]) -> None:
    """Have a copy made for the base's models, if the base is examined, and say so.

    `copied`: the revisions that `setup.earlier_database` holds; it is copied if these are the base's.
    """
    if setup.base is None:
        return
    is_of_base = bool(copied) and set(copied) == _list_base_revisions(setup, lines)
    source = setup.earlier_database if is_of_base else setup.database
    setup.base.share_database(
        SharedDatabase(build_models_request(setup, lines), is_of_base),
        lambda: setup.server.copy_used_database(source, setup.base_database),
    )


def _list_base_revisions(setup: ReplaySetup, lines: Sequence[Line]) -> set[str]:
    """All but those that the change adds."""
    new_paths = [path for path in setup.new_files if path.endswith(".py")]
    new_files = {os.path.realpath(setup.repository / path) for path in new_paths}
    return {
        script.id
        for line in lines
        if isinstance(line, HistoryRead)
        for script in line.revisions
        if script.file not in new_files
    }


def _read_copied_catalog(setup: ReplaySetup) -> CatalogRows | None:
    """The catalog of the copy for the downgrades; the session is kept for what is read there next.

    None if it cannot be read, which is said of the downgrades when that fails again.
    """
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    with (
        contextlib.suppress(psycopg.Error),
        _open_kept_session(setup.server, setup.rollback_database) as connection,
    ):
        return read_catalog_again(connection)
    return None


def read_replayed_database(
    setup: ReplaySetup, lines: Sequence[Line], catalog_rows: CatalogRows | None = None
) -> ReplayedDatabase:
    """The heads in the version tables, the catalog and the DDL log.

    `catalog_rows`: of a copy of the database, if one was read already.
    """
    version_tables = AnswerReader(setup.repository, lines).version_tables()
    with _open_kept_session(setup.server, setup.database) as connection:
        snapshot = parse_catalog_rows(catalog_rows or read_catalog_rows(connection), version_tables)
        return ReplayedDatabase(
            arrived_heads=read_arrived_heads(connection, version_tables),
            snapshot=snapshot,
            ddl_commands=read_ddl_log(connection),
            skipped_creations=read_skipped_creations(connection, setup.server),
            caught_errors=read_caught_errors(connection, setup.server, lines),
            observed_log=read_observed_log(setup.server, setup.database) if is_observed(setup) else (),
            owner_trials=try_owner_columns(connection, snapshot, setup.settings.owners),
            available_extensions=_list_extensions(connection, lines),
            step_seconds=read_step_seconds(connection, lines),
        )


def read_catalog_for_fixes(server: Server, database: str, version_tables: Sequence[str] = ()) -> Snapshot:
    """The catalog of the database; the session is kept for the fixes, after which it is read again."""
    with _open_kept_session(server, database) as connection:
        return parse_catalog_rows(read_catalog_rows(connection), version_tables)


@contextlib.contextmanager
def _open_kept_session(server: Server, database: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that is kept when the block ends without an error."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(contextlib.closing(server.connect(database)))
        yield connection
        stack.pop_all()
    server.kept_session.keep(database, connection)


def read_models_database(setup: ReplaySetup, lines: tuple[Line, ...]) -> Snapshot:
    """The database in which the models were created; an empty snapshot if there is none."""
    answer = AnswerReader(setup.repository, lines)
    if not answer.has_created_models():
        return Snapshot()
    with setup.server.connect(setup.models_database) as connection:
        return read_snapshot(connection, answer.version_tables())


def _list_extensions(connection: psycopg.Connection[Any], lines: Sequence[Line]) -> tuple[str, ...]:
    """What the server could create, for the advice on a failed revision; nothing if none failed."""
    if not any(isinstance(line, RunFailed) for line in lines):
        return ()
    rows = connection.execute("select name from pg_catalog.pg_available_extensions order by 1").fetchall()
    return tuple(name for (name,) in rows)
