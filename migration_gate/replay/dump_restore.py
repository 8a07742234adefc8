"""Restores a dump of the user's with PostgreSQL's own programs, in the sandbox: `start_from: {dump: …}`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from migration_gate.errors import Misconfigured, TimedOut
from migration_gate.postgres import binaries
from migration_gate.postgres.server import Server
from migration_gate.sandbox.command import sandbox_command, sandbox_environment
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import choose_account

CUSTOM_FORMAT = b"PGDMP"
"""how a file of pg_dump's custom format begins"""
RESTORE_SECONDS = 300
SHOWN_ERRORS = 2000
"""characters of what the program printed last"""


def restore_dump(dump: Path, server: Server, database: str, root: Path) -> tuple[str, ...]:
    """Restore plain SQL with psql, or the custom format with pg_restore; notes for the report.

    `root`: the checkout, whose owner the program runs as where it runs as the owner of the code.

    Raises Misconfigured or TimedOut.
    """
    try:
        completed = subprocess.run(
            _restore_command(dump, server, database, root),
            env=sandbox_environment({"PGPASSWORD": server.password, "PATH": _search_path()}),
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=RESTORE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimedOut(
            f"{dump} could not be restored within {RESTORE_SECONDS} s.",
            advice="Make a dump without data: `pg_dump --schema-only`, and the rows of alembic_version.",
        ) from error
    if completed.returncode != 0:
        raise Misconfigured(
            f"{dump} could not be restored.",
            evidence=completed.stderr[-SHOWN_ERRORS:],
            advice="Make the dump with --no-owner.",
        )
    return (f"the replay began with {dump.name}, not with an empty database",)


def _restore_command(dump: Path, server: Server, database: str, root: Path) -> list[str]:
    """The program and its options, in the sandbox: a plain dump may hold commands for a shell."""
    if _has_custom_format(dump):
        program = _find_program("pg_restore")
        options = ["--no-owner", "--no-privileges", "--exit-on-error", str(dump)]
    else:
        program = _find_program("psql")
        options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump)]
    address = ["-h", server.socket_directory, "-p", str(server.port), "-U", server.user, "-d", database]
    return sandbox_command(
        [program, *address, *options],
        account=choose_account(root, [dump]).account,
        unix_sockets_only=supports_seccomp(),
        allowed_socket=f"{server.socket_directory}/.s.PGSQL.{server.port}",
        writable_folders=(),
    )


def _has_custom_format(dump: Path) -> bool:
    try:
        with dump.open("rb") as stream:
            return stream.read(len(CUSTOM_FORMAT)) == CUSTOM_FORMAT
    except OSError as error:
        raise Misconfigured(
            f"start_from.dump cannot be read: {error}", advice="Name an existing file."
        ) from error


def _find_program(name: str) -> str:
    program = shutil.which(name, path=_search_path())
    if program is None:
        raise Misconfigured(
            f"start_from.dump needs {name}, which is not on the PATH.",
            where="start_from.dump",
            advice="Install PostgreSQL's client programs.",
        )
    return program


def _search_path() -> str:
    """The PATH, followed by the folders of this machine's PostgreSQL installations."""
    installations = binaries.find_installations().installations
    folders = [str(installation.folder) for installation in installations]
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *folders])
