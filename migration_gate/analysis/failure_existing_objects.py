"""What to do about an object that is there already, or that others still need: with its own history."""

from __future__ import annotations

from migration_gate.analysis.executed_ddl import DdlEvent, ExecutedDdl, read_executed_ddl
from migration_gate.analysis.failure_message import NAME, find_in_message, find_last_name, without_schema
from migration_gate.facts import Failure, Replay
from migration_gate.wording import code_block

IMPLICIT_ENDINGS = ("_pkey", "_key", "_fkey", "_check", "_seq", "_excl", "_not_null")
"""of the names that Postgres gives to parts of a table"""
_NOUNS = "relation|type|schema|constraint|function|extension|role|trigger|policy|collation"


def remove_second_creation(failure: Failure, replay: Replay) -> str:
    """For an object that exists already."""
    name = without_schema(find_in_message(rf"(?:{_NOUNS}) {NAME}", failure))
    column = find_in_message(r'column "([^"]+)"', failure)
    executed = read_executed_ddl(replay)
    event = _find_creation(failure, name, column, executed)
    revision = event.revision if event else _find_logged_creation(name, column, replay)
    if revision:
        return (
            f"{_name_creator(revision, replay)} has made it already. Delete one of the two, or "
            f"give the second another name.{_advise_on_types(failure)}"
        )
    owner = _find_owner_of_part(name, executed)
    if owner:
        return (
            f"Postgres gives this name to a part of the table `{owner.name}`, which revision "
            f"`{owner.revision}` made. Give the second another name."
        )
    if _was_there_before(name, replay):
        return (
            "It was there before the first revision: a `create_all` on import or in env.py, or a `prepare:` "
            "entry or `start_from:` makes it. Remove that."
        )
    return (
        "No statement before this one creates it under this name, as far as their text shows. What else may: "
        "a `create_all` on import or in env.py, a `prepare:` entry, or a DO block or function in a revision."
        f"{_advise_on_types(failure)}"
    )


def _find_creation(failure: Failure, name: str, column: str, executed: ExecutedDdl) -> DdlEvent | None:
    """The last event that made the object, or gave it its name; None if it is not there any more."""
    if column and " of relation " in failure.message:
        event = executed.find_last(column, "column", table=name)
    else:
        event = executed.find_last(name) if name else None
    if event is None or event.verb == "dropped":
        return None
    is_renamed_away = event.verb == "renamed" and event.new_name != name
    return None if is_renamed_away else event


def _find_logged_creation(name: str, column: str, replay: Replay) -> str:
    """The revision of the first command on an object or a column of that name; empty if none was."""
    commands = [command for command in replay.ddl_commands if command.step]
    for command in commands:
        if name and find_last_name(command.identity) == name:
            return _name_revision(command.step, replay)
    for command in commands:
        if column and any(state.name == column for state in command.columns):
            return _name_revision(command.step, replay)
    return ""


def _name_revision(step: int, replay: Replay) -> str:
    """The revision of a step; a step that is not known is that of the revision which failed."""
    failed = replay.failure.revision if replay.failure else None
    return replay.find_revision_of_step(step) or failed or "before"


def _name_creator(revision: str, replay: Replay) -> str:
    failed = replay.failure.revision if replay.failure else None
    return "This revision" if revision == failed else f"Revision `{revision}`"


def _advise_on_types(failure: Failure) -> str:
    if not failure.message.startswith("type "):
        return ""
    return (
        " A column that only uses an enum creates it once more, unless it is told not to: "
        "`postgresql.ENUM(..., create_type=False)`."
    )


def _find_owner_of_part(name: str, executed: ExecutedDdl) -> DdlEvent | None:
    """The table that Postgres named a constraint, index or sequence after."""
    if not name.endswith(IMPLICIT_ENDINGS):
        return None
    creations = (event for event in executed.events if event.kind == "table" and event.verb == "made")
    tables = [event for event in creations if name.startswith(f"{event.name}_")]
    # `user_roles_pkey` is of `user_roles`, although it begins with `user_` as well.
    return max(tables, key=lambda event: len(event.name), default=None)


def _was_there_before(name: str, replay: Replay) -> bool:
    """Whether the log has it before the first revision."""
    early = (command for command in replay.ddl_commands if command.step == 0)
    return any(find_last_name(command.identity) == name for command in early)


def drop_dependents_first(failure: Failure, replay: Replay) -> str:
    """For an object that others depend on, which Postgres lists."""
    executed = read_executed_ddl(replay)
    lines = [line.strip() for line in (failure.detail or "").splitlines()]
    dependents = [line.partition(" depends on ")[0] for line in lines if " depends on " in line]
    described = [_describe_dependent(dependent, executed) for dependent in dependents]
    listed = code_block("\n".join(described)) if described else " the ones that Postgres lists. "
    return (
        f"Others depend on it. In this revision, drop these before it, and create again afterwards what is "
        f"still wanted:{listed}CASCADE would drop them without a word, and they would be missing afterwards."
    )


def _describe_dependent(dependent: str, executed: ExecutedDdl) -> str:
    """The dependent in Postgres's words (`view active_users`), with the revision that made it."""
    kind_and_name = dependent.partition(" on table ")[0]
    event = executed.find_last(find_last_name(kind_and_name.split()[-1]))
    return f"{dependent} (revision {event.revision})" if event else dependent
