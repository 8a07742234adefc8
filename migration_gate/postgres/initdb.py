"""Makes a new Postgres cluster with the programs of an installation."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from pathlib import Path

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.server import disk_full_error, mentions_full_disk
from migration_gate.postgres.supervisor_client import SupervisorClient
from migration_gate.sandbox.user import Account

SUPERUSER = "postgres"
LOCALES = ("C.UTF-8", "C")
"""in this order; not every system knows the first one"""
OUTPUT_CHARACTERS = 2000
"""of the output of initdb that are shown where it failed: the last ones"""

ERROR_LINE = re.compile(r"\b(?:error|ERROR|FATAL|PANIC)\b|could not|cannot|terminated by signal")
UNKNOWN_USER = "could not look up effective user ID"


def initdb_arguments(data: Path, password_file: Path, locale: str) -> list[str]:
    """The arguments of initdb. Change `initdb_cache.LAYOUT` with them."""
    return [
        "-D", str(data), f"--locale={locale}", f"--pwfile={password_file}", "--auth=scram-sha-256",
        "--username", SUPERUSER, "--encoding=UTF8", "--lc-messages=C", "--no-sync", "--no-instructions",
    ]  # fmt: skip


def create_cluster(
    installation: Installation, data: Path, supervisor: SupervisorClient, account: Account | None
) -> str:
    """Make a cluster in `data`, which must not exist, and return the password of its superuser.

    Raises PostgresNotFound if initdb fails, DiskFull if there is no room.
    """
    password = secrets.token_urlsafe(24)
    log = data.with_name("initdb.log")
    exit_reason = output = ""
    with tempfile.NamedTemporaryFile("w", dir=data.parent, prefix="password-") as password_file:
        password_file.write(password + "\n")
        password_file.flush()
        if account:
            os.chown(password_file.name, account.uid, account.gid)
        for locale in LOCALES:
            arguments = initdb_arguments(data, Path(password_file.name), locale)
            command = [str(installation.folder / "initdb"), *arguments]
            exit_reason = supervisor.run_command(command, account=account, log=log)
            output = log.read_text(errors="replace")
            if "invalid locale name" not in output:
                break
            log.unlink()
    if not exit_reason:
        return password
    if mentions_full_disk(output):
        raise disk_full_error(output[-OUTPUT_CHARACTERS:])
    raise PostgresNotFound(
        f"{installation.folder}/initdb could not make a cluster in {data}: "
        f"{find_cause(output) or exit_reason}.",
        advice=_advise(output),
        evidence=output[-OUTPUT_CHARACTERS:],
    )


def find_cause(output: str) -> str:
    """The first line of initdb's output that is about an error; '' if none is."""
    return next((line.strip() for line in output.splitlines() if ERROR_LINE.search(line)), "")


def _advise(output: str) -> str:
    if UNKNOWN_USER in output:
        return (
            f"Postgres needs a user that this system knows: add number {os.geteuid()} to /etc/passwd, run "
            "the gate as another user, or set `postgres:` to the URL of a server."
        )
    return "Read its output below; `initdb -D <folder>` by hand should fail the same way."
