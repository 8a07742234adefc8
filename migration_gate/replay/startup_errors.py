"""Explains why a worker ended before the first revision: what failed, and what the user can do about it.

`EXPLANATIONS` is the table of the cases; each has a function.
"""

from __future__ import annotations

from collections.abc import Callable

from migration_gate.errors import (
    Broken,
    DatabaseRefused,
    DiskFull,
    GateError,
    Misconfigured,
    ProjectNotImported,
)
from migration_gate.facts import Failure
from migration_gate.project import Project
from migration_gate.replay import startup_advice
from migration_gate.replay.crash_report import INTERPRETER_ENDED, last_output
from migration_gate.replay.early_end import EarlyEnd
from migration_gate.replay.required_python import describe_older_python
from migration_gate.replay.setting_advice import env_block, list_lacking_variables, list_places

DISK_FULL = "53100"
"""the SQLSTATE of Postgres's own error"""
SHOWN_LINES = 8
"""lines of what was printed last"""
SHOWN_FRAMES = 6
"""innermost frames of a traceback"""
PROGRAM_ENDED = (INTERPRETER_ENDED, "SystemExit")
"""kinds of failures that say little themselves: what was printed says more"""
URL_ADVICE = (
    "Give the project a PostgreSQL URL, any one will do, since every connection is redirected: in "
    ".migration-gate.yml,\n\n    env:\n      DATABASE_URL: postgresql://user:secret@localhost/app\n\n"
    "with the variable that the project reads (`migration-gate doctor` lists them)."
)


def explain_early_end(early_end: EarlyEnd) -> GateError | None:
    """The error to raise; None if a revision failed, which is a fact and no error."""
    for explain in EXPLANATIONS:
        error = explain(early_end)
        if error is not None:
            return error
    return None


def explain_bootstrap_failure(early_end: EarlyEnd) -> GateError:
    """The error for a worker that could not create the models of an older commit."""
    return _explain_stage(early_end) or _explain_import(early_end)


def explain_missing_context(project: Project, output: str) -> DatabaseRefused:
    """The error for an env.py that ended without an error and without running migrations."""
    return DatabaseRefused(
        f"The project's env.py ended without running any migration ({project.directory}).",
        advice="It has to call context.run_migrations() when Alembic runs online. Look for a "
        "condition around it, and set under `env:` what it asks for; where it is in a loop (over tenants, "
        "schemas or databases) that found none, have `prepare:` create one.",
        evidence=_last_lines(output),
    )


def _explain_full_disk(early_end: EarlyEnd) -> GateError | None:
    failure = early_end.failure
    if failure.sqlstate != DISK_FULL and "No space left on device" not in failure.message:
        return None
    return DiskFull(
        f"There was no room for what the migrations write: {failure.message}",
        advice="Free some space, or set TMPDIR to a folder on a disk with room.",
        where=_describe_location(failure),
        evidence=failure.statement or "",
    )


def _explain_own_failure(early_end: EarlyEnd) -> GateError | None:
    """The gate's code, or a statement of its own, failed inside of the project's calls."""
    if early_end.stage != "gate":
        return None
    failure = early_end.failure
    return Broken(
        f"A part of Migration Gate failed inside of the project's run: {failure.message}",
        advice="The project is not to blame. Please report it, with the versions that "
        "`migration-gate doctor` prints.",
        evidence="\n".join(filter(None, (failure.statement, _describe_frames(failure)))),
    )


def _explain_refused_database(early_end: EarlyEnd) -> GateError | None:
    failure = early_end.failure
    refused_before_first_revision = early_end.has_refused_connection and failure.revision is None
    if failure.exception_class != "DatabaseRefused" and not refused_before_first_revision:
        return None
    return DatabaseRefused(
        failure.message,
        advice=_advise_on_url(early_end),
        where=_describe_location(failure),
        evidence=_describe_frames(failure),
    )


def _advise_on_url(early_end: EarlyEnd) -> str:
    """Name the variable that holds the URL, if it is known."""
    variables = list_lacking_variables(early_end.supplied, early_end.missing)
    database_variables = {name: value for name, value in variables.items() if "://" in value}
    if not database_variables:
        return URL_ADVICE
    block = env_block(database_variables, list_places(early_end.supplied, early_end.missing))
    return (
        "Give the project a PostgreSQL URL, any one will do, since every connection is redirected: in "
        f".migration-gate.yml,\n\n{block}"
    )


def _explain_stage(early_end: EarlyEnd) -> GateError | None:
    """What failed before the project's own code ran: interpreter, driver, `prepare:`."""
    python, failure = early_end.project.python, early_end.failure
    match early_end.stage:
        case "interpreter":
            message = f"{python} has no Alembic and SQLAlchemy: {failure.message}"
            advice = (
                f"Install the project's requirements for {python}, or name another interpreter with "
                "`python:` (or --python)."
            )
        case "driver":
            message = f"{python} has no PostgreSQL driver (psycopg, psycopg2, asyncpg or pg8000)."
            advice = f"Install one, for example: {python} -m pip install 'psycopg[binary]'"
        case "prepare":
            message = f"A command of `prepare:` failed: {failure.message}"
            advice = "Fix the command under `prepare:`, or remove it."
        case _:
            return None
    return _project_not_imported(early_end, message, advice)


def _explain_import_stage(early_end: EarlyEnd) -> GateError | None:
    return _explain_import(early_end) if early_end.stage == "import" else None


def _explain_import(early_end: EarlyEnd) -> ProjectNotImported:
    return _project_not_imported(
        early_end,
        f"The project could not be imported: {_describe_failure(early_end.failure)}",
        startup_advice.advise(early_end),
    )


def _explain_old_url_scheme(early_end: EarlyEnd) -> GateError | None:
    failure = early_end.failure
    if not _failed_in_env_py(early_end) or "sqlalchemy.dialects:postgres" not in failure.message:
        return None
    return Misconfigured(
        "The project's URL begins with `postgres://`, which SQLAlchemy has not known since 1.4.",
        advice="Write `postgresql://` where the URL is set.",
        where=_describe_location(failure),
    )


def _explain_unknown_target(early_end: EarlyEnd) -> GateError | None:
    failure = early_end.failure
    if not _failed_in_env_py(early_end) or "locate revision" not in failure.message:
        return None
    return Misconfigured(
        f"Alembic does not know the target: {failure.message}", advice="Fix `target:` (or --target)."
    )


def _explain_revision_import(early_end: EarlyEnd) -> GateError | None:
    """A revision's file that lacks something of the environment's."""
    if early_end.stage != "revisions":
        return None
    return _project_not_imported(
        early_end,
        f"A revision could not be imported: {_describe_failure(early_end.failure)}",
        startup_advice.advise(early_end),
    )


def _explain_env_py(early_end: EarlyEnd) -> GateError | None:
    if not _failed_in_env_py(early_end):
        return None
    failure = early_end.failure
    evidence = (failure.statement, failure.hint, _describe_evidence(early_end))
    older_python = describe_older_python(early_end.project, early_end.python_version)
    return ProjectNotImported(
        f"env.py failed before the first revision: {_describe_failure(failure)}",
        advice=startup_advice.advise(early_end) + older_python,
        where=_describe_location(failure),
        evidence="\n".join(filter(None, evidence)),
    )


EXPLANATIONS: tuple[Callable[[EarlyEnd], GateError | None], ...] = (
    _explain_own_failure,
    _explain_full_disk,
    _explain_refused_database,
    _explain_stage,
    _explain_import_stage,
    _explain_old_url_scheme,
    _explain_unknown_target,
    _explain_revision_import,
    _explain_env_py,
)
"""the cases, in this order: the first that applies explains the early end"""


def _failed_in_env_py(early_end: EarlyEnd) -> bool:
    before_first_revision = early_end.failure.revision is None and not early_end.has_finished_steps
    return early_end.stage == "replay" and before_first_revision


def _project_not_imported(early_end: EarlyEnd, message: str, advice: str) -> ProjectNotImported:
    return ProjectNotImported(
        message,
        advice=advice,
        where=_describe_location(early_end.failure),
        evidence=_describe_evidence(early_end),
    )


def _describe_failure(failure: Failure) -> str:
    """The message, after the class of the exception if that says more."""
    names_itself = failure.message.startswith(failure.exception_class)
    if names_itself or failure.exception_class in PROGRAM_ENDED:
        return failure.message
    return f"{failure.exception_class}: {failure.message}"


def _describe_location(failure: Failure) -> str:
    return str(failure.location or "")


def _describe_evidence(early_end: EarlyEnd) -> str:
    """The frames, after the last lines that were printed if those are all that there is to know."""
    failure = early_end.failure
    printed = _last_lines(early_end.output) if failure.exception_class in PROGRAM_ENDED else ""
    return "\n".join(filter(None, (printed, _describe_frames(failure))))


def _describe_frames(failure: Failure) -> str:
    return "\n".join(failure.traceback[-SHOWN_FRAMES:])


def _last_lines(output: str) -> str:
    return "\n".join(last_output(output).rstrip().splitlines()[-SHOWN_LINES:])
