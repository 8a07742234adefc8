"""The fixes of a replay's differences: written, run on the replayed database, and put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from migration_gate.analysis.drift_revision import make_drift_revision
from migration_gate.autofix.fixes import add_fixes
from migration_gate.catalog.cast_reader import read_casts
from migration_gate.drift.type_changes import join_defaults, mark_losses
from migration_gate.facts import Difference, Replay
from migration_gate.postgres.server import Server
from migration_gate.replay.declared_fixes import select_declared_fixes
from migration_gate.replay.dependent_fixes import take_dependents_away
from migration_gate.replay.fix_trial import FixTrial, OpenTrial, disable_ddl_log, open_trial
from migration_gate.replay.fix_verification import refuse_all, verify_fixes
from migration_gate.replay.rename_trial import add_rename_fixes
from migration_gate.replay.revision_interpreter import has_statements
from migration_gate.replay.server_watch import find_lost_session
from migration_gate.replay.tenant_fixes import fit_tenants
from migration_gate.replay.trial_errors import describe_trial_error


def offer_fixes(
    server: Server,
    database: str,
    replay: Replay,
    known: tuple[Difference, ...],
    declared: tuple[Difference, ...] = (),
) -> Replay:
    """The replay with the fixes that ran both ways on `database`, in which nothing stays.

    `known` are all differences, with those that the replay leaves to other checks; `declared` those that the
    project's own comparison adds, whose lines have been run already, and which become part of the replay.
    """
    try:
        return _offer_fixes(server, database, replay, known, declared)
    except Exception as error:
        lost = find_lost_session(error) or (error if isinstance(error, psycopg.Error) else None)
        if lost is None:
            raise
        problem = describe_trial_error(server, database, lost)
    described = describe_without_fixes(replay)
    refused = refuse_all(described.differences, problem)
    return replace(
        described,
        differences=(*refused.differences, *declared),
        notes=(*described.notes, *refused.notes),
    )


def _offer_fixes(
    server: Server,
    database: str,
    replay: Replay,
    known: tuple[Difference, ...],
    declared: tuple[Difference, ...],
) -> Replay:
    differences = _mark_losses(server, database, add_fixes(replay.differences, replay))
    differences = take_dependents_away(lambda: server.connect(database), differences, replay.catalog)
    followers = [item for item in differences if item.upgrade and not has_statements(item.upgrade)]
    open_database = trials_on(server, database, replay.version_tables)
    verified = verify_fixes(open_database, replay, differences, known)
    verified = fit_tenants(open_database, replay, verified)
    joined = join_defaults(verified.differences, followers)
    objects = {(item.kind, item.object) for item in joined}
    together = tuple(item for item in verified.together if (item.kind, item.object) in objects)
    together += select_declared_fixes(open_database, replay, together, declared, known)
    return replace(
        replay,
        differences=(*add_rename_fixes(open_database, replay, joined, known), *declared),
        drift_revision=make_drift_revision(replay, (*joined, *declared), together),
        notes=(*replay.notes, *verified.notes),
    )


def describe_without_fixes(replay: Replay) -> Replay:
    """The replay with its differences as `offer_fixes` describes them, where no fix is going to be shown."""
    if not replay.differences:
        return replay
    differences = add_fixes(replay.differences, replay)
    followers = [item for item in differences if item.upgrade and not has_statements(item.upgrade)]
    return replace(replay, differences=join_defaults(differences, followers))


def _mark_losses(
    server: Server, database: str, differences: tuple[Difference, ...]
) -> tuple[Difference, ...]:
    """The differences of types with what the server's casts say of them."""
    if not any(item.kind == "type" for item in differences):
        return differences
    with server.connect(database) as connection:
        return mark_losses(differences, read_casts(connection))


def trials_on(server: Server, database: str, version_tables: Sequence[str] = ()) -> OpenTrial:
    """Opens the database for a trial, or a copy of it if lines commit."""

    @contextmanager
    def open_on_server(in_copy: bool) -> Iterator[FixTrial]:
        if not in_copy:
            with open_trial(lambda: server.connect_again(database), version_tables) as trial:
                disable_ddl_log(trial)
                yield trial
            return
        copy = server.create_database(template=database)
        try:
            with open_trial(lambda: server.connect(copy), version_tables) as trial:
                disable_ddl_log(trial)
                yield trial
        finally:
            drop_copy(server, copy)

    return open_on_server


def drop_copy(server: Server, copy: str) -> None:
    """Drop a database that was made for a trial; the server's end would drop it too, but it takes room."""
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(copy)))
