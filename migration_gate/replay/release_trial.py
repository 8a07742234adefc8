"""Old code on the new schema, and new code on the old one: what fails while a change is deployed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis.live_types import use_live_types
from migration_gate.analysis.new_code_needs import find_new_code_needs
from migration_gate.catalog.statement_trials import try_statements
from migration_gate.facts import Base, Facts, RunningCode, Unchecked
from migration_gate.postgres.server import Server
from migration_gate.replay.trial_errors import ADVICE, describe_trial_error
from migration_gate.wording import join_words

UNKNOWN = "it is not known whether the release that is live works on the new schema"
MOST_NOTES = 10
"""about tables that could not be tried for the same reason"""
SHOWN_TABLES = 3
"""where there are more"""


def add_running_code(facts: Facts, server: Server, database: str) -> Facts:
    """The facts with what the release that is live says of the change's schema.

    `database` is the replayed one; nothing is left in it. Nothing is done for a change without new revisions.
    """
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    base = facts.base
    if base is None or not has_new_revisions(facts, base):
        return _add_unknown_base(facts)
    unproven = _find_obstacle(facts, base)
    if unproven:
        return _add_notes(facts, RunningCode(unproven=unproven))
    assert base.facts is not None  # noqa: S101 - no obstacle
    earlier = base.facts.replay
    try:
        with server.connect(database) as connection:
            trials = try_statements(
                connection,
                use_live_types(earlier, facts.replay.catalog),
                facts.replay.catalog,
                earlier.models.mapped_tables,
            )
    except psycopg.Error as error:
        unproven = describe_trial_error(server, database, error)
        unchecked = Unchecked("running code", f"{unproven}, so {UNKNOWN}", ADVICE)
        replay = replace(facts.replay, unchecked=(*facts.replay.unchecked, unchecked))
        return _add_notes(replace(facts, replay=replay), RunningCode(unproven=unproven))
    needs = tuple(find_new_code_needs(earlier.catalog, facts.replay))
    return _add_notes(facts, RunningCode(trials.refused, needs, trials.tried, trials.untried))


def add_running_code_without_server(facts: Facts) -> Facts:
    """The facts of a change whose base was examined when the server of the change was gone."""
    base = facts.base
    if base is None or base.facts is None or not has_new_revisions(facts, base):
        return _add_unknown_base(facts)
    unproven = (
        "the base was examined when the database of the change was gone: the server can hold one of them"
    )
    return _add_notes(facts, RunningCode(unproven=unproven))


def _add_unknown_base(facts: Facts) -> Facts:
    """The facts with a note, where the change has revisions and nothing of its base is known."""
    base = facts.base
    if base is None or base.is_unchanged or base.is_new_project or base.history is not None:
        return facts
    if not facts.replay.observation.revisions:
        return facts
    return _add_notes(facts, RunningCode(unproven="the base could not be examined"))


def _add_notes(facts: Facts, running_code: RunningCode) -> Facts:
    """The facts with these, and with notes on what could not be tried."""
    notes = list(describe_untried(running_code))
    if running_code.unproven:
        notes.append(
            f"whether the release that is live works on the new schema is not known: {running_code.unproven}"
        )
    replay = replace(facts.replay, notes=(*facts.replay.notes, *notes))
    return replace(facts, replay=replay, running_code=running_code)


def describe_untried(running_code: RunningCode) -> Iterator[str]:
    """A note for each table, or for all tables of one reason, where there are many."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for table in running_code.untried:
        by_reason[table.reason].append(str(table))
    untried = "not all statements of the release that is live could be tried with"
    for table in running_code.untried:
        names = by_reason[table.reason]
        if len(names) <= MOST_NOTES:
            yield f"{untried} `{table}`: {table.reason}"
        elif names[0] == str(table):
            shown = join_words([*names[:SHOWN_TABLES]])
            yield f"{untried} each of {len(names)} tables, such as {shown}: {table.reason}"


def has_new_revisions(facts: Facts, base: Base) -> bool:
    """Whether the change has revisions that production has yet to run."""
    return any(True for _ in _list_new_revisions(facts, base))


def _list_new_revisions(facts: Facts, base: Base) -> Iterator[str]:
    """Not those of a base that is unknown, nor of a new project: no release of it is live."""
    if base.is_unchanged or base.is_new_project or base.history is None:
        return
    for step in facts.replay.steps:
        if step.revision is not None and base.history.find_revision(step.revision) is None:
            yield step.revision


def _find_obstacle(facts: Facts, base: Base) -> str:
    """Why nothing can be tried, as a clause; '' if it can."""
    if not facts.replay.is_complete:
        return "the history does not run to its end"
    if base.facts is None:
        return "the base could not be examined"
    if not base.facts.replay.is_complete:
        return "the history of the base does not run to its end"
    models = base.facts.replay.models
    if models.tables and not models.mapped_tables:
        return "the models of the base are not known"
    return ""
