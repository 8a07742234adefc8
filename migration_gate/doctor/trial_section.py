"""What `doctor --try` adds: one run of env.py, and everything that it showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import TypeVar

from migration_gate.config.settings import Settings
from migration_gate.doctor.project_examination import Examination, Section
from migration_gate.errors import GateError
from migration_gate.facts import Connection
from migration_gate.progress import Progress
from migration_gate.replay.env_trial import EnvTrial, try_environment
from migration_gate.wording import count_noun

Value = TypeVar("Value")
OUTCOMES = {
    "redirected": "sent to the ephemeral server",
    "swapped": "sent to the ephemeral server, with PostgreSQL in the place of its dialect",
    "refused": "refused",
}
NEXT_STEP = "`migration-gate check` replays the revisions"


def add_trial(examination: Examination, settings: Settings) -> None:
    """Run env.py once, and add what it showed; what failed becomes the first thing that is missing."""
    if examination.missing and "project" not in examination.sections:
        return  # there is no env.py to run
    try:
        trial = _finish(try_environment(settings))
    except GateError as error:
        _note_first(examination, error)
        examination.sections["trial"] = {"result": "env.py could not be run"}
        return
    if trial.error is not None:
        _note_first(examination, trial.error)
    examination.sections["trial"] = _describe_trial(trial)


def _finish(generator: Generator[Progress, None, Value]) -> Value:
    while True:
        try:
            next(generator)
        except StopIteration as end:
            value: Value = end.value
            return value


def _note_first(examination: Examination, error: GateError) -> None:
    """Note what failed before what was only read in files; what both say is said once."""
    others = [problem for problem in examination.missing if problem["says"] != error.message]
    examination.missing = []
    advice = error.advice
    if error.evidence:
        evidence = "\n".join(f"    {line}" for line in error.evidence.splitlines())
        advice = f"{advice}\n\n{evidence}"
    examination.note_missing(error.message, advice, error.where)
    examination.missing += others


def _describe_trial(trial: EnvTrial) -> Section:
    history = trial.history
    section: Section = {
        "result": f"env.py ran to its end; {NEXT_STEP}" if trial.error is None else "env.py failed",
        "versions": ", ".join(f"{software.name} {software.version}" for software in trial.versions),
        "connections": [_describe_connection(connection) for connection in trial.connections] or "none",
        "contexts": _count_equal(trial.contexts) or "none: env.py did not come to `context.run_migrations()`",
    }
    if history.error is not None:
        section["revisions"] = f"cannot be read: {history.error.message}"
    elif history.revisions:
        heads = f"{count_noun(len(history.heads), 'head')}: {', '.join(history.heads)}"
        section["revisions"] = [
            f"{count_noun(len(history.revisions), 'revision')} in {', '.join(history.locations)}",
            heads,
            f"{count_noun(len(trial.planned_revisions), 'revision')} to be replayed",
        ]
    else:
        section["revisions"] = "none found"
    if trial.notes:
        section["notes"] = list(trial.notes)
    return section


def _count_equal(texts: tuple[str, ...]) -> list[str]:
    """Each text once, with how often it is there: a loop over tenants configures many alike contexts."""
    return [text if count == 1 else f"{text}, {count} times" for text, count in Counter(texts).items()]


def _describe_connection(connection: Connection) -> str:
    name = f"{connection.dialect}+{connection.driver}" if connection.driver else connection.dialect
    address = connection.requested_address.replace(":/", "/")
    return f"{name} to {address}: {OUTCOMES[connection.outcome]}"
