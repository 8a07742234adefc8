"""Proof that the replay took place in our database: exit status 0 alone proves nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from migration_gate.config.settings import Settings
from migration_gate.errors import DatabaseRefused, DiskFull, GateError, Misconfigured, ProjectNotImported
from migration_gate.facts import Failure, Replay
from migration_gate.project import Project
from migration_gate.replay import crash_report
from migration_gate.replay.worker_answer import AnswerReader

if TYPE_CHECKING:
    import psycopg

DISK_FULL = "53100"
TABLE_EXISTS = (
    "select 1 from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = %s and relname = %s"
)
ENDED = crash_report.INTERPRETER_ENDED
REQUIRES = re.compile(r"""^\s*(?:requires-python|python)\s*=\s*["'](?:>=|\^|~=|~)\s*(\d+)\.(\d+)""", re.M)
LAST = 8
"""lines of what was printed"""
URL_ADVICE = (
    "Give the project a PostgreSQL URL, any one will do, since every connection is redirected: in "
    ".migration-gate.yml,\n\n    env:\n      DATABASE_URL: postgresql://user:secret@localhost/app\n\n"
    "with the variable that the project reads (`migration-gate doctor` lists them)."
)


def verify_bootstrap(project: Project, reader: AnswerReader, output: str) -> None:
    """Raise where a bootstrap failed."""
    told = reader.failure()
    if told is not None:
        raise _not_imported(project, told[0], told[1], output)


def verify_replay_started(project: Project, settings: Settings, reader: AnswerReader, output: str) -> None:
    """Raise where the project failed before its first revision; a failing revision is a fact.

    `output` is what the project's code printed.
    """
    told = reader.failure()
    refused = [c for c in reader.connections() if c.outcome == "refused"]
    if told is None:
        if not reader.contexts() and reader.history_error() is None:
            raise DatabaseRefused(
                f"The project's env.py ended without running any migration ({project.directory}).",
                advice="It has to call context.run_migrations() when Alembic runs online. Look for a "
                "condition around it, and set under `env:` what it asks for.",
                evidence=_last(output),
            )
        return
    stage, failure = told
    if failure.sqlstate == DISK_FULL or "No space left on device" in failure.message:
        raise DiskFull(
            f"There was no room for what the migrations write: {failure.message}",
            advice="Free some space, or set TMPDIR to a folder on a disk with room.",
            where=str(failure.location or ""),
            evidence=failure.statement or "",
        )
    if failure.exception_class == "DatabaseRefused" or (refused and failure.revision is None):
        raise DatabaseRefused(
            failure.message, advice=URL_ADVICE, where=str(failure.location or ""), evidence=_frames(failure)
        )
    if stage in ("interpreter", "driver", "import", "prepare"):
        raise _not_imported(project, stage, failure, output)
    if stage == "replay" and failure.revision is None and not reader.steps():
        raise _env_failed(project, failure, reader, output)


def verify_arrival(project: Project, replay: Replay) -> None:
    """Raise unless the heads stand in the version table of our server."""
    parents = {r.id: (*r.parents, *r.depends_on) for r in replay.history.revisions}
    reached: set[str] = set()
    waiting = list(replay.arrived_heads)
    while waiting:
        revision = waiting.pop()
        if revision not in reached:
            reached.add(revision)
            waiting += parents.get(revision, ())
    ran = {step.revision for step in replay.steps}
    lost = ran - reached
    if not lost and (replay.arrived_heads or not replay.history.revisions):
        return
    swapped = [
        f"{c.dialect} ({c.requested_address})" for c in replay.connections if c.outcome != "redirected"
    ]
    found = f" It also asked for {', '.join(swapped)}." if swapped else ""
    names = ", ".join(sorted(lost)[:5]) or "no revision at all"
    tables = ", ".join(replay.version_tables) or "no version table"
    if not replay.arrived_heads and not swapped:
        raise DatabaseRefused(
            f"{len(ran)} revisions ran, and env.py committed none of them: {tables} is empty or not there.",
            advice="Since SQLAlchemy 2, what nobody commits is rolled back. In env.py, call "
            "context.run_migrations() inside `with context.begin_transaction():`.",
        )
    raise DatabaseRefused(
        f"{len(ran)} revisions ran, but the ephemeral database does not know of them: {tables} lacks {names}."
        + found,
        advice=URL_ADVICE,
    )


def describe_adjustments(reader: AnswerReader) -> tuple[str, ...]:
    """What was changed for the project so that it could run."""
    swapped = {c.dialect for c in reader.connections() if c.outcome == "swapped"}
    said_equal = tuple(
        f"env.py sets compare_{'type' if each.kind == 'type' else 'server_default'}=False: "
        f"{each.kind}s were not compared"
        for each in reader.models().filtered_objects
        if each.schema == "*"
    )
    return said_equal + tuple(
        f"the project's default database is {dialect}; it was given PostgreSQL, whose driver is installed"
        for dialect in sorted(swapped)
    )


def _frames(failure: Failure) -> str:
    return "\n".join(failure.traceback[-6:])


def _last(output: str) -> str:
    """The last lines of what was printed."""
    return "\n".join(crash_report.last_output(output).rstrip().splitlines()[-LAST:])


def _printed(failure: Failure, output: str) -> str:
    """The frames, and what was printed where that is all there is to know."""
    said = _last(output) if failure.exception_class in (ENDED, "SystemExit") else ""
    return "\n".join(filter(None, (said, _frames(failure))))


def _not_imported(project: Project, stage: str, failure: Failure, output: str) -> GateError:
    advice = {
        "interpreter": f"Install the project's requirements for {project.python}, or name another "
        "interpreter with `python:` (or --python).",
        "driver": f"Install one, for example: {project.python} -m pip install 'psycopg[binary]'",
        "prepare": "Mend the command under `prepare:`, or remove it.",
    }.get(stage) or _import_advice(project, failure)
    says = {
        "interpreter": f"{project.python} has no Alembic and SQLAlchemy: {failure.message}",
        "driver": f"{project.python} has no PostgreSQL driver (psycopg, psycopg2, asyncpg or pg8000).",
        "prepare": f"A command of `prepare:` failed: {failure.message}",
    }.get(stage) or f"The project could not be imported: {_named(failure)}"
    return ProjectNotImported(
        says, advice=advice, where=str(failure.location or ""), evidence=_printed(failure, output)
    )


def _import_advice(project: Project, failure: Failure) -> str:
    setting = (
        "If it wants a setting, give it any value under `env:` in .migration-gate.yml, or name an "
        "`env_file:`."
    )
    advice = {
        "ModuleNotFoundError": f"Install what is missing for {project.python}, name another interpreter with "
        "`python:`, or put the folder that holds the module on the path: `working_directory:`, or "
        "`env: {PYTHONPATH: …}`.",
        "ImportError": f"What is installed for {project.python} does not fit the project's code. Install it "
        "again, from the lock file where there is one, with the extras and groups that it needs.",
        "KeyError": setting,
        "ValidationError": setting,
        "RuntimeError": setting,
        "ValueError": setting,
        ENDED: f"{failure.hint} What it printed last may say which.",
        "SystemExit": "Something that env.py imports ends the program. The frames show where.",
    }
    if os.geteuid() == 0:
        advice["PermissionError"] = (
            "The project's code does not run as root, but as the owner of its folder or, where root owns "
            "it, as an account without privileges. Give the folder to another user (`chown -R 1000 .`), "
            "make what the code writes to beforehand, or send it elsewhere with a variable under `env:`."
        )
    general = "Look at the frames. `migration-gate doctor` shows what was found and how the project is run."
    return advice.get(failure.exception_class, general)


def _newer(project: Project, reader: AnswerReader) -> str:
    """A sentence where the project asks for a newer Python than it was given: that explains much."""
    given = next((item.version for item in reader.versions() if item.name == "python"), "99.0")
    for folder in (project.directory, project.root):
        file = folder / "pyproject.toml"
        wanted = REQUIRES.search(file.read_text("utf-8", "replace")) if file.is_file() else None
        if wanted and (int(wanted[1]), int(wanted[2])) > tuple(map(int, given.split(".")[:2])):
            return (
                f" The project asks for Python {wanted[1]}.{wanted[2]} (`{file}`), and {project.python} is "
                f"{given}: that may be the reason."
            )
    return ""


def _named(failure: Failure) -> str:
    """The message, behind the name of its kind."""
    told = failure.message.startswith(failure.exception_class) or failure.exception_class in (
        ENDED,
        "SystemExit",
    )
    return failure.message if told else f"{failure.exception_class}: {failure.message}"


def _env_failed(project: Project, failure: Failure, reader: AnswerReader, output: str) -> GateError:
    if "sqlalchemy.dialects:postgres" in failure.message:
        return Misconfigured(
            "The project's URL begins with `postgres://`, which SQLAlchemy has not known since 1.4.",
            advice="Write `postgresql://` where the URL is set.",
            where=str(failure.location or ""),
        )
    if "locate revision" in failure.message:
        return Misconfigured(
            f"Alembic does not know the target: {failure.message}", advice="Mend `target:` (or --target)."
        )
    return ProjectNotImported(
        f"env.py failed before the first revision: {_named(failure)}",
        advice=_import_advice(project, failure) + _newer(project, reader),
        where=str(failure.location or ""),
        evidence="\n".join(filter(None, (failure.statement, failure.hint, _printed(failure, output)))),
    )


def read_arrived_heads(connection: psycopg.Connection[Any], version_tables: Sequence[str]) -> tuple[str, ...]:
    """The revisions in the version tables (`schema.name`), each once; none of a missing table."""
    from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

    heads: list[str] = []
    for table in version_tables:
        schema, _, name = table.partition(".")
        if connection.execute(TABLE_EXISTS, (schema, name)).fetchone():
            query = sql.SQL("select version_num from {}").format(sql.Identifier(schema, name))
            heads += [row[0] for row in connection.execute(query).fetchall()]
    return tuple(dict.fromkeys(heads))
