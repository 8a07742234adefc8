"""What the ephemeral database holds before the first revision."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migration_gate import git
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured, PostgresNotFound, TimedOut
from migration_gate.postgres import binaries
from migration_gate.postgres.server import Server
from migration_gate.project import Project, find_project
from migration_gate.sandbox.command import sandbox_command
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import choose_account

if TYPE_CHECKING:
    import psycopg

CUSTOM_FORMAT = b"PGDMP"
"""how a file of pg_dump's custom format begins"""
RESTORE_SECONDS = 300


def set_statement_timeout(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Limit each statement of later sessions in this database."""
    from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

    command = sql.SQL("alter database {} set statement_timeout = {}").format(
        sql.Identifier(connection.info.dbname), sql.Literal(int(seconds * 1000))
    )
    connection.execute(command)


def run_prepare_sql(connection: psycopg.Connection[Any], settings: Settings) -> None:
    """The SQL of `prepare:`, in its order; Python files and commands follow in the worker."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    for each in settings.prepare:
        if each.kind not in ("sql", "sql_file"):
            continue
        text = _text(Path(each.text)) if each.kind == "sql_file" else each.text
        try:
            connection.execute(text.encode())
        except psycopg.Error as error:
            missing = error.sqlstate in ("0A000", "58P01")
            raise (PostgresNotFound if missing else Misconfigured)(
                f"A statement of `prepare:` failed: {error.diag.message_primary or error}",
                where=each.text if each.kind == "sql_file" else "",
                evidence=text[:500],
                advice="Choose a server that has it, for example `postgres: postgis/postgis:17-3.5` or "
                "`postgres: pgvector/pgvector:pg17`."
                if missing
                else "Mend it, or remove it.",
            ) from error


def _text(file: Path) -> str:
    """A file of `prepare:`; Misconfigured where it is no text."""
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            f"A file of `prepare:` could not be read: {error}",
            where=str(file),
            advice="Mend its permissions, or save it as UTF-8 text.",
        ) from error


def restore_initial_state(
    settings: Settings, server: Server, database: str, bootstrap: Callable[[Project, Settings, str], None]
) -> list[str]:
    """Carry out `start_from:`; what a reader should know about it."""
    start = settings.start_from
    assert start is not None  # noqa: S101  (the caller asked)
    if start.dump is not None:
        _load(start.dump, server, database)
        return [f"the replay began with {start.dump.name}, not with an empty database"]
    assert start.create_all is not None  # noqa: S101  (one of the two is set: inputs made sure)
    with tempfile.TemporaryDirectory(prefix="migration-gate-base-") as name:
        base = Path(name)
        base.chmod(0o755)
        git.export_revision(settings.root, start.create_all, base)
        inside = settings.root.resolve().relative_to(git.find_repository_root(settings.root).resolve())
        older = _moved(settings, settings.root, base / inside)
        bootstrap(find_project(older), older, start.stamp)
    return [f"the replay began with the models of {start.create_all}, stamped as {start.stamp}"]


def _moved(settings: Settings, before: Path, after: Path) -> Settings:
    """The same settings for another checkout; what lies outside of it stays."""

    def moved(path: Path | None) -> Path | None:
        inside = path is not None and path.is_relative_to(before)
        return after / path.relative_to(before) if path is not None and inside else path

    python = settings.python or find_project(settings).python  # the checkout has no environment of its own
    return replace(
        settings, root=after, working_directory=moved(settings.working_directory) or after,
        project_folder=moved(settings.project_folder),
        alembic=moved(settings.alembic),
        hook=moved(settings.hook), python=python, start_from=None, prepare=(),
    )  # fmt: skip


def _load(dump: Path, server: Server, database: str) -> None:
    """psql for plain SQL, pg_restore for the custom format."""
    try:
        with dump.open("rb") as stream:
            custom = stream.read(len(CUSTOM_FORMAT)) == CUSTOM_FORMAT
    except OSError as error:
        raise Misconfigured(
            f"start_from.dump cannot be read: {error}", advice="Name an existing file."
        ) from error
    address = ["-h", server.socket_directory, "-p", str(server.port), "-U", server.user, "-d", database]
    if custom:
        options = ["--no-owner", "--no-privileges", "--exit-on-error", str(dump)]
    else:
        options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump)]
    command = [*_caged("pg_restore" if custom else "psql", server, dump), *address, *options]
    try:
        done = subprocess.run(
            command, env={"PGPASSWORD": server.password, "PATH": _path()}, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=RESTORE_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TimedOut(
            f"{dump} could not be restored within {RESTORE_SECONDS} s.",
            advice="Make a dump without data: `pg_dump --schema-only`, and the rows of alembic_version.",
        ) from error
    if done.returncode != 0:
        raise Misconfigured(
            f"{dump} could not be restored.",
            evidence=done.stderr[-2000:],
            advice="Make the dump with --no-owner.",
        )


def _caged(name: str, server: Server, dump: Path) -> list[str]:
    """A program of PostgreSQL's, confined: a plain dump may hold commands for a shell."""
    program = shutil.which(name, path=_path())
    if program is None:
        raise Misconfigured(
            f"start_from.dump needs {name}, which is not on the PATH.",
            where="start_from.dump",
            advice="Install PostgreSQL's client programs.",
        )
    return sandbox_command(
        [program],
        account=choose_account(dump.parent, [dump]).account,
        unix_sockets_only=supports_seccomp(),
        allowed_socket=f"{server.socket_directory}/.s.PGSQL.{server.port}",
    )


def _path() -> str:
    """The PATH, and the folders of the servers that were found."""
    folders = [str(each.folder) for each in binaries.find_installations()[0]]
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *folders])
