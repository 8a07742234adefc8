"""What to do about a table or another object that a statement does not find: with its own history.

Each sentence that names a revision rests on a statement that ran, or on the server's log of DDL commands.
"""

from __future__ import annotations

import re

from migration_gate.analysis.executed_ddl import DdlEvent, ExecutedDdl, read_executed_ddl
from migration_gate.analysis.failure_message import NAME, find_in_message, find_last_name, without_schema
from migration_gate.facts import Failure, Replay
from migration_gate.wording import join_words, nearest_name

RELATIONS = ("table", "view", "sequence", "index")
MYSQL_KEY = "PRIMARY"
SHOWN_NAMES = 30
"""objects of one kind that a message lists"""
_KINDS_IN_ITS_PLACE = {
    "type": ("domain", "table"),
    "constraint": ("index",),
    "function": ("procedure", "aggregate"),
}
"""by kind in a message: what else Postgres calls so, as every table is a type"""


# Tables, views, sequences and indexes: what Postgres calls relations.


def order_table_creation(failure: Failure, replay: Replay) -> str:
    """For a table that is created later, was dropped or renamed earlier, or is created by no revision."""
    table = find_in_message(rf"(?:relation|table|sequence|view|index) {NAME} does not exist", failure)
    name = without_schema(table)
    if _is_version_table(name, replay):
        return _describe_lost_version_table(name)
    executed = read_executed_ddl(replay)
    return (
        _describe_past(executed.find_last(name, *RELATIONS), name, table)
        or _describe_logged_drop(name, replay)
        or _describe_creating_file(name, table, replay)
        or _describe_unknown_table(name, table, executed, replay)
    )


def _is_version_table(name: str, replay: Replay) -> bool:
    return any(name == version_table.rpartition(".")[2] for version_table in replay.version_tables)


def _describe_lost_version_table(name: str) -> str:
    return (
        f"`{name}` is Alembic's own table. An earlier statement dropped or moved it, or changed the "
        "`search_path` of the session so that it is not found any more (a dump begins with "
        "`set_config('search_path', '', false)`). Use `SET LOCAL` and put the path back at the end of the "
        "revision, or set `version_table_schema` in env.py."
    )


def _describe_past(event: DdlEvent | None, name: str, shown: str) -> str:
    """What became of an object that was made before; empty if nothing is known of it."""
    if event is None:
        return ""
    if event.verb == "dropped":
        return _describe_drop(shown, event.revision)
    if event.verb == "renamed" and event.name == name:
        return f"Revision `{event.revision}` renamed `{shown}` to `{event.new_name}`. Use the new name here."
    qualified = f"{event.schema}.{name}" if event.schema else name
    return (
        f"Revision `{event.revision}` made `{qualified}`, and this statement does not find it: the "
        "`search_path` of the session leads elsewhere, or the session is one of the project's own, which "
        "does not see what the migrations have not committed (`op.get_bind()` is theirs), or it was made in "
        "a transaction that was rolled back, or dropped by other means. Write its schema, if it has one."
    )


def _describe_logged_drop(name: str, replay: Replay) -> str:
    """The same for a table whose last command in the server's log is its DROP; empty for every other."""
    commands = [command for command in replay.ddl_commands if command.kind == "table"]
    commands = [command for command in commands if find_last_name(command.identity) == name]
    if not commands or not commands[-1].tag.startswith("DROP"):
        return ""
    failed = replay.failure.revision if replay.failure else None
    return _describe_drop(name, replay.find_revision_of_step(commands[-1].step) or failed or "before")


def _describe_drop(shown: str, revision: str) -> str:
    return f"`{shown}` was there until revision `{revision}` dropped it. Change the order of the two."


def _describe_creating_file(name: str, table: str, replay: Replay) -> str:
    """What the text of a revision that has the CREATE TABLE says; empty if no file has it."""
    failed = replay.failure.revision if replay.failure else None
    for file in replay.history.files:
        if not any(created.rpartition(".")[2] == name for created in file.created_tables):
            continue
        if file.revision == failed:
            return f"This revision creates `{table}` itself, but not before this statement. Change the order."
        if file.revision is not None and replay.find_step(file.revision):
            return (
                f"The text of revision `{file.revision}` ({file.path}) creates `{table}`; it ran, and did "
                "not do so. Look for a condition around it."
            )
        return (
            f"`{table}` is created by revision `{file.revision}` ({file.path}), which does not run "
            "before this one. Make it an ancestor: by `down_revision`, or by `depends_on` in another "
            "branch."
        )
    return ""


def _describe_unknown_table(name: str, table: str, executed: ExecutedDdl, replay: Replay) -> str:
    """That no revision creates it, and which table of a similar name there is."""
    known = [*executed.columns, *(item.name for item in replay.catalog.tables)]
    guess = _guess_name(name, [other for other in known if other != name])
    return (
        f"No revision creates `{table}`, as far as their text shows.{guess} If it was made outside the "
        "migrations, by `create_all` or by hand, write the revision that creates it. Where history cannot be "
        "changed, begin with what was there: `start_from:` takes a dump, or the models of a git revision, "
        "and `prepare:` takes SQL."
    )


def _guess_name(name: str, names: list[str]) -> str:
    """A question after the nearest of the names, with a blank before it; empty if none is near."""
    nearest = nearest_name(name, names)
    return f" Did you mean `{nearest}`?" if nearest else ""


# Constraints, types, functions and other objects.


def describe_missing_object(failure: Failure, replay: Replay) -> str | None:
    """For a constraint, index, type or function of the project's that is not there at this point."""
    pattern = rf"(constraint|index|type|function|trigger|policy|collation) {NAME}"
    match = re.search(pattern, failure.message)
    if match is None:
        return None
    kind, shown = match[1], match[2]
    name = without_schema(shown)
    executed = read_executed_ddl(replay)
    event = executed.find_last(name, kind, *_KINDS_IN_ITS_PLACE.get(kind, ()))
    past = _describe_past(event, name, shown)
    if past:
        return past
    table = without_schema(find_in_message(rf"(?:of relation|for table|of table) {NAME}", failure))
    if kind == "constraint" and table:
        logged = _describe_logged_constraints(name, table, replay)
        if logged:
            return logged
    return _describe_existing_names(kind, name, table, executed)


def _describe_logged_constraints(name: str, table: str, replay: Replay) -> str:
    """Those that the table has, named or not, by the server's log; empty if it knows none.

    The log of a transaction that failed is gone with it.
    """
    commands = (item for item in reversed(replay.ddl_commands) if item.kind == "table")
    last = next((item for item in commands if find_last_name(item.identity) == table), None)
    constraints = last.constraints if last is not None else ()
    if name.upper() == MYSQL_KEY:
        keys = [item.name for item in constraints if item.definition.startswith("PRIMARY KEY")]
        own = f"is `{keys[0]}`" if keys else f"is called `{table}_pkey`, if no other name was given"
        return (
            f"`{name}` is what MySQL calls every primary key. In PostgreSQL that of `{table}` {own}. Where a "
            "revision is for both, ask `op.get_bind().dialect.name`."
        )
    names = [constraint.name for constraint in constraints]
    if not names:
        return ""
    return (
        f"`{table}` has no constraint of this name.{_guess_name(name, names)} It has these: "
        f"{join_words(names[:SHOWN_NAMES])}."
    )


def _describe_existing_names(kind: str, name: str, table: str, executed: ExecutedDdl) -> str | None:
    """The objects of the kind that are there instead; None if the statements named none."""
    existing_names = _list_names(kind, table, executed)
    if not existing_names:
        return None
    article = "an" if kind == "index" else "a"
    owner = f" for `{table}`" if table else ""
    return (
        f"No revision up to here made {article} {kind} of this name.{_guess_name(name, existing_names)} "
        f"Those that they named{owner}: {join_words(existing_names[:SHOWN_NAMES])}. What a revision left "
        "unnamed got its name from Postgres, or from the naming convention that was set at the time."
    )


def _list_names(kind: str, table: str, executed: ExecutedDdl) -> list[str]:
    """The objects of the kind that the statements named and that are there."""
    names: dict[str, None] = {}
    for event in executed.events:
        is_elsewhere = table and event.table and event.table != table
        if event.kind != kind or is_elsewhere:
            continue
        if event.verb != "made":
            names.pop(event.name, None)
        if event.verb != "dropped":
            names[event.new_name or event.name] = None
    return list(names)
