"""What to do about an object that is missing, is there already, or is still needed: with its own history.

Each sentence that names a revision rests on a statement that ran, or on the server's log of DDL commands.
"""

from __future__ import annotations

import re

from migration_gate.analysis.executed_ddl import DdlEvent, ExecutedDdl, read_executed_ddl
from migration_gate.facts import Failure, Replay
from migration_gate.sql.identifiers import split_qualified_name
from migration_gate.sql.lexer import tokenize
from migration_gate.wording import code_block, join_words, nearest_name

NAME = r'"?([^"\s()]+(?:\.[^"\s()]+)*)"?'
"""a name in a message of Postgres's, with or without its quotes"""
SHOWN_COLUMNS = 30
RELATIONS = ("table", "view", "sequence", "index")
IMPLICIT_ENDINGS = ("_pkey", "_key", "_fkey", "_check", "_seq", "_excl", "_not_null")
"""of the names that Postgres gives to parts of a table"""
_AFTER_TABLE_WORD = {"IF", "NOT", "EXISTS", "ONLY"}


def find_in_message(pattern: str, failure: Failure) -> str:
    """The first group of the pattern in Postgres's message; empty where it is not there."""
    match = re.search(pattern, failure.message)
    return match[1] if match else ""


def order_table_creation(failure: Failure, replay: Replay) -> str:
    """For a table that is created later, was dropped or renamed earlier, or is created by no revision."""
    table = find_in_message(rf"(?:relation|table|sequence|view|index) {NAME} does not exist", failure)
    name = split_qualified_name(table)[-1] if table else ""
    if any(name == version_table.rpartition(".")[2] for version_table in replay.version_tables):
        return _describe_lost_version_table(name)
    executed = read_executed_ddl(replay)
    past = _describe_past(executed.find_last(name, *RELATIONS), name, table) or _describe_drop(name, replay)
    if past:
        return past
    later = _describe_creating_file(name, table, replay)
    if later:
        return later
    known = [*executed.columns, *(item.name for item in replay.catalog.tables)]
    nearest = nearest_name(name, [other for other in known if other != name])
    guess = f" Did you mean `{nearest}`?" if nearest else ""
    return (
        f"No revision creates `{table}`, as far as their text shows.{guess} If it was made outside the "
        "migrations, by `create_all` or by hand, write the revision that creates it. Where history cannot be "
        "changed, begin with what was there: `start_from:` takes a dump, or the models of a git revision, "
        "and `prepare:` takes SQL."
    )


def _describe_lost_version_table(name: str) -> str:
    return (
        f"`{name}` is Alembic's own table. An earlier statement dropped or moved it, or changed the "
        "`search_path` of the session so that it is not found any more (a dump begins with "
        "`set_config('search_path', '', false)`). Use `SET LOCAL` and put the path back at the end of the "
        "revision, or set `version_table_schema` in env.py."
    )


def _describe_past(event: DdlEvent | None, name: str, shown: str) -> str:
    """What became of an object that was made before; empty where nothing is known of it."""
    if event is None:
        return ""
    if event.verb == "dropped":
        return (
            f"`{shown}` was there until revision `{event.revision}` dropped it. Change the order of the two."
        )
    if event.verb == "renamed" and event.name == name:
        return f"Revision `{event.revision}` renamed `{shown}` to `{event.new_name}`. Use the new name here."
    qualified = f"{event.schema}.{name}" if event.schema else name
    return (
        f"Revision `{event.revision}` made `{qualified}`, and this statement does not find it: the "
        "`search_path` of the session leads elsewhere, or the session is one of the project's own, which "
        "does not see what the migrations have not committed (`op.get_bind()` is theirs), or it was made in "
        "a transaction that was rolled back, or dropped by other means. Write its schema, if it has one."
    )


def _describe_drop(name: str, replay: Replay) -> str:
    """The same from the server's log, where that was kept."""
    commands = [
        command
        for command in replay.ddl_commands
        if command.kind == "table" and _bare_name(command.identity) == name
    ]
    if not commands or not commands[-1].tag.startswith("DROP"):
        return ""
    revision = name_revision(commands[-1].step, replay)
    return f"`{name}` was there until revision `{revision}` dropped it. Change the order of the two."


def _describe_creating_file(name: str, table: str, replay: Replay) -> str:
    """What the text of a revision that has the CREATE TABLE says; empty where no file has it."""
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


# Columns.


def describe_missing_column(failure: Failure, replay: Replay) -> str:
    """For a column that the table does not have at this point of the history."""
    qualified = find_in_message(rf"column {NAME}", failure)
    column = split_qualified_name(qualified)[-1] if qualified else ""
    executed = read_executed_ddl(replay)
    table = _find_table(failure, qualified, executed)
    columns = executed.columns.get(table) or _list_logged_columns(table, replay)
    subject = f"`{table}`" if table else "that table"
    sentences = [_describe_column_past(executed.find_last(column, "column", table=table), column, subject)]
    later = _find_adding_file(table, column, replay)
    if not sentences[0] and later:
        sentences.append(f"The column `{column}` comes with {later}, which does not run before this one.")
    elif not sentences[0]:
        sentences.append(f"No revision up to here gives {subject} a column `{column}`.")
    others = [other for other in columns if other != column]
    if others:
        shown = ", ".join(others[:SHOWN_COLUMNS]) + (", …" if len(others) > SHOWN_COLUMNS else "")
        sentences.append(f"It has these: {shown}.")
    nearest = nearest_name(column, others)
    if nearest:
        sentences.append(f"Did you mean `{nearest}`?")
    sentences.append(
        "If the revision uses the project's models: they have today's columns. Describe the table in the "
        "revision with `sa.table(...)`."
    )
    return " ".join(filter(None, sentences))


def _describe_column_past(event: DdlEvent | None, column: str, subject: str) -> str:
    if event is None:
        return ""
    if event.verb == "dropped":
        return f"The column `{column}` of {subject} was there until revision `{event.revision}` dropped it."
    if event.verb == "renamed" and event.name == column:
        return f"Revision `{event.revision}` renamed `{column}` of {subject} to `{event.new_name}`."
    return f"Revision `{event.revision}` gave {subject} a column `{column}`, which is gone at this point."


def _find_table(failure: Failure, qualified_column: str, executed: ExecutedDdl) -> str:
    """The table that the message names, or else the statement; empty where neither does."""
    named = find_in_message(rf"of relation {NAME}", failure)
    if named:
        return split_qualified_name(named)[-1]
    statement = failure.statement or ""
    if "referenced in foreign key" in failure.message:
        return _table_after(statement, "REFERENCES")
    parts = split_qualified_name(qualified_column) if "." in qualified_column else ()
    if parts and (parts[-2] in executed.columns or re.search(rf"\b{re.escape(parts[-2])}\b", statement)):
        return _resolve_alias(statement, parts[-2])
    words = ("ON",) if re.match(r"\s*CREATE\s+(UNIQUE\s+)?INDEX", statement, re.IGNORECASE) else ()
    for word in (*words, "UPDATE", "INTO", "TABLE", "FROM"):
        table = _table_after(statement, word)
        if table:
            return table
    return ""


def _table_after(statement: str, word: str) -> str:
    """The name, without schema, that follows the word."""
    tokens = list(tokenize(statement))
    for number, token in enumerate(tokens):
        if token.keyword != word:
            continue
        position = number + 1
        while position < len(tokens) and tokens[position].keyword in _AFTER_TABLE_WORD:
            position += 1
        while position + 2 < len(tokens) and tokens[position + 1].text == ".":
            position += 2
        return tokens[position].name if position < len(tokens) else ""
    return ""


def _resolve_alias(statement: str, alias: str) -> str:
    """The table that an alias stands for, where the statement says `table alias` or `table AS alias`."""
    pattern = (
        rf'(?:FROM|JOIN|UPDATE|INTO|ONLY|,)\s+(?:[\w"]+\.)?"?(\w+)"?\s+(?:AS\s+)?"?{re.escape(alias)}"?\b'
    )
    match = re.search(pattern, statement, re.IGNORECASE)
    return match[1] if match else alias


def _list_logged_columns(table: str, replay: Replay) -> list[str]:
    """The columns of the table after the last command of the log on it."""
    for command in reversed(replay.ddl_commands):
        if table and command.columns and _bare_name(command.identity) == table:
            return [state.name for state in command.columns]
    return []


def _find_adding_file(table: str, column: str, replay: Replay) -> str:
    """The file of a revision that has not run and whose text adds the column; empty for none."""
    ran = {step.revision for step in replay.steps}
    for file in replay.history.files:
        if file.revision not in ran and f"{table}.{column}" in file.added_columns:
            return f"revision `{file.revision}` ({file.path})"
    return ""


# Objects that are there already, or that others need.


def remove_second_creation(failure: Failure, replay: Replay) -> str:
    """For an object that exists already."""
    noun = "relation|type|schema|constraint|function|extension|role|trigger|policy|collation"
    name = find_in_message(rf"(?:{noun}) {NAME}", failure)
    column = find_in_message(r'column "([^"]+)"', failure)
    bare_name = split_qualified_name(name)[-1] if name else ""
    event = _find_creation(failure, bare_name, column, replay)
    revision = event.revision if event else _find_logged_creation(bare_name, column, replay)
    if revision:
        return (
            f"{_name_maker(revision, replay)} has made it already. Delete one of the two, or "
            f"give the second another name.{_advise_on_types(failure)}"
        )
    owner = _find_owner_of_part(bare_name, read_executed_ddl(replay))
    if owner:
        return (
            f"Postgres gives this name to a part of the table `{owner.name}`, which revision "
            f"`{owner.revision}` made. Give the second another name."
        )
    if any(
        command.step == 0 and _bare_name(command.identity) == bare_name for command in replay.ddl_commands
    ):
        return (
            "It was there before the first revision: a `create_all` on import or in env.py, or a `prepare:` "
            "entry or `start_from:` makes it. Remove that."
        )
    return (
        "No statement before this one creates it under this name, as far as their text shows. What else may: "
        "a `create_all` on import or in env.py, a `prepare:` entry, or a DO block or function in a revision."
        f"{_advise_on_types(failure)}"
    )


def _find_creation(failure: Failure, name: str, column: str, replay: Replay) -> DdlEvent | None:
    executed = read_executed_ddl(replay)
    if column and " of relation " in failure.message:
        event = executed.find_last(column, "column", table=name)
    else:
        event = executed.find_last(name) if name else None
    if event is None or event.verb == "dropped" or (event.verb == "renamed" and event.new_name != name):
        return None
    return event


def _find_logged_creation(name: str, column: str, replay: Replay) -> str:
    """The revision of the first command on an object or a column of that name; empty where none was."""
    for command in replay.ddl_commands:
        if command.step and name and _bare_name(command.identity) == name:
            return name_revision(command.step, replay)
    for command in replay.ddl_commands:
        if command.step and column and any(state.name == column for state in command.columns):
            return name_revision(command.step, replay)
    return ""


def _name_maker(revision: str, replay: Replay) -> str:
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
    tables = [
        event
        for event in executed.events
        if event.kind == "table" and event.verb == "made" and name.startswith(f"{event.name}_")
    ]
    return max(tables, key=lambda event: len(event.name), default=None)


def describe_missing_object(failure: Failure, replay: Replay) -> str | None:
    """For a constraint, index, type or function of the project's that is not there at this point."""
    pattern = rf"(constraint|index|type|function|trigger|policy|collation) {NAME}"
    match = re.search(pattern, failure.message)
    if match is None:
        return None
    kind, shown = match[1], match[2]
    name = split_qualified_name(shown)[-1]
    table = find_in_message(rf"(?:of relation|for table|of table) {NAME}", failure)
    executed = read_executed_ddl(replay)
    past = _describe_past(executed.find_last(name, kind, *_SAME_KIND.get(kind, ())), name, shown)
    if past:
        return past
    bare_table = split_qualified_name(table)[-1] if table else ""
    there = _list_names(kind, bare_table, executed)
    if not there:
        return None
    nearest = nearest_name(name, there)
    article = "an" if kind == "index" else "a"
    guess = f" Did you mean `{nearest}`?" if nearest else ""
    where = f" for `{bare_table}`" if bare_table else ""
    return (
        f"No revision up to here made {article} {kind} of this name.{guess} Those that they named{where}: "
        f"{join_words(there[:SHOWN_COLUMNS])}. What a revision left unnamed got its name from Postgres, or "
        "from the naming convention that was set at the time."
    )


_SAME_KIND = {"type": ("domain", "table"), "constraint": ("index",), "function": ("procedure", "aggregate")}


def _list_names(kind: str, table: str, executed: ExecutedDdl) -> list[str]:
    """The objects of the kind that the statements named and that are there."""
    names: dict[str, None] = {}
    for event in executed.events:
        if event.kind != kind or (table and event.table and event.table != table):
            continue
        if event.verb != "made":
            names.pop(event.name, None)
        if event.verb != "dropped":
            names[event.new_name or event.name] = None
    return list(names)


def drop_dependents_first(failure: Failure, replay: Replay) -> str:
    """For an object that others depend on, which Postgres lists."""
    executed = read_executed_ddl(replay)
    lines = [line.strip() for line in (failure.detail or "").splitlines() if " depends on " in line]
    described = []
    for line in lines:
        dependent = line.partition(" depends on ")[0]
        name = split_qualified_name(dependent.split(" on table ")[0].split()[-1])[-1]
        event = executed.find_last(name)
        described.append(f"{dependent}{f' (revision {event.revision})' if event else ''}")
    listed = code_block("\n".join(described)) if described else " the ones that Postgres lists. "
    return (
        f"Others depend on it. In this revision, drop these before it, and create again afterwards what is "
        f"still wanted:{listed}CASCADE would drop them without a word, and they would be missing afterwards."
    )


def name_revision(step: int, replay: Replay) -> str:
    """The revision of a step, for a sentence."""
    return replay.find_revision_of_step(step) or (replay.failure and replay.failure.revision) or "before"


def _bare_name(identity: str) -> str:
    return identity and split_qualified_name(identity)[-1]
