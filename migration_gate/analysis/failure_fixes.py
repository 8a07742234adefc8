"""What to do about a failed revision, with the names from the message: a function or text for each cause."""

from __future__ import annotations

import re

from migration_gate.analysis.extensions import EXTENSION_OF, IMAGE_WITH
from migration_gate.facts import Failure, Replay
from migration_gate.sql.identifiers import quote_identifier, split_qualified_name
from migration_gate.wording import code_block

MYSQL_TYPES = frozenset(
    {"blob", "datetime", "double", "longblob", "longtext", "mediumint", "mediumtext", "tinyint", "year"}
)
MYSQL_SYNTAX = re.compile(
    r"`|\bAUTO_?INCREMENT\b|\bENGINE\s*=|\bON DUPLICATE KEY\b|\bUNSIGNED\b|\bMODIFY COLUMN\b", re.IGNORECASE
)
WRITE_FOR_POSTGRES = """The statement is MySQL's SQL, not PostgreSQL's. Write it for both: ask \
`op.get_bind().dialect.name`, or use Alembic's operations instead of text."""
CORRECT_ROWS = """Rows that the migrations themselves wrote break it; production has more of them. \
In this revision, {}."""
AVOID_TIMEOUT = """A time limit ended the statement: the gate's (`limits.statement`), or one that the \
project sets itself (`statement_timeout`). On an empty database it waited for a lock, most likely that of \
another connection of the project's own."""
USE_ONE_CONNECTION = """The migration waits for a lock that a second connection of the project's own holds. \
Use the migration's connection, `op.get_bind()`, for everything in the revision."""
LET_FIRST_ERROR_RAISE = """An earlier statement of the same transaction failed, and its error was \
swallowed. Look for a `try: ... except` in the revision, let it raise, or guard it with \
`op.get_bind().begin_nested()`."""
CORRECT_PATH = """The path is relative to another folder: set `working_directory:`, or build it from \
`__file__`."""
WRITE_UPGRADE = """The revision refuses to run here. Make its `upgrade()` do something, or delete the \
revision."""

DEFAULT_MAJOR = "17"
"""the version of Postgres in a suggested image where that of the run is not known"""
_NAME = r'"?([^"\s()]+(?:\.[^"\s()]+)*)"?'
"""a name in a message of Postgres's, with or without its quotes"""


def name_image_with_extension(failure: Failure, replay: Replay) -> str | None:
    """For a server that does not have the extension."""
    name = _find_in_message(r'extension "([^"]+)" is not available', failure)
    name = name or _find_in_message(r"/([\w-]+)\.control", failure)
    problem = f"This server does not have the extension {name}."
    image = IMAGE_WITH.get(name)
    if image is None:
        return f"{problem} Name an image or a server that has it, as `postgres:` in the configuration."
    setting = f"postgres: {image.format(major=_find_major_version(replay))}"
    return f"{problem} Name an image that has it:{code_block(setting)}"


def _find_major_version(replay: Replay) -> str:
    version = re.search(r"(?:^|\s)(\d+)(?:\.|$)", replay.find_version("postgres"))
    return version[1] if version else DEFAULT_MAJOR


def create_extension(failure: Failure, replay: Replay) -> str | None:
    """For a type, function, operator class or access method that an extension provides."""
    qualified_name = _find_in_message(rf"(?:type|function|operator class|access method) {_NAME}", failure)
    name = qualified_name.rpartition(".")[2].lower()
    extension = EXTENSION_OF.get(name)
    if extension is None:
        return None
    sql = f"CREATE EXTENSION IF NOT EXISTS {quote_identifier(extension)}"
    return (
        f"`{name}` comes with the extension {extension}, which no migration has created by then. Where it is "
        f"set up by hand, say so in the configuration:{_prepare_setting(sql)}\n"
        f"Or create it in the revision: `op.execute('{sql}')`."
    )


def replace_mysql_type(failure: Failure, replay: Replay) -> str | None:
    """For a type that only MySQL has."""
    name = _find_in_message(rf"type {_NAME} does not exist", failure)
    return WRITE_FOR_POSTGRES if name.lower() in MYSQL_TYPES else None


def replace_mysql_syntax(failure: Failure, replay: Replay) -> str | None:
    """For SQL that only MySQL accepts."""
    return WRITE_FOR_POSTGRES if MYSQL_SYNTAX.search(failure.statement or "") else None


def order_table_creation(failure: Failure, replay: Replay) -> str:
    """For a table that is created later, was dropped earlier, or is created by no revision."""
    table = _find_in_message(rf"(?:relation|table|sequence|view) {_NAME} does not exist", failure)
    name = table.rpartition(".")[2]
    dropped_by = _find_dropping_revision(name, replay)
    if dropped_by:
        return f"`{table}` was there until revision `{dropped_by}` dropped it. Change the order of the two."
    for file in replay.history.files:
        if any(created.rpartition(".")[2] == name for created in file.created_tables):
            return (
                f"`{table}` is created by revision `{file.revision}` ({file.path}), which does not run "
                "before this one. Make it an ancestor: by `down_revision`, or by `depends_on` in another "
                "branch."
            )
    return (
        f"No revision creates `{table}`: it was made outside the migrations, by `create_all` or by hand. "
        "Write the revision that creates it. Where history cannot be changed, begin with what was there: "
        "`start_from:` takes a dump, or the models of a git revision, and `prepare:` takes SQL."
    )


def _find_dropping_revision(table: str, replay: Replay) -> str | None:
    """The revision that dropped the table, if nothing created it again."""
    commands = [
        command
        for command in replay.ddl_commands
        if command.kind == "table" and _bare_name(command.identity) == table
    ]
    if not commands or not commands[-1].tag.startswith("DROP"):
        return None
    return _name_revision(commands[-1].step, replay)


def describe_missing_column(failure: Failure, replay: Replay) -> str:
    """For a column that the table does not have at this point of the history."""
    column = _find_in_message(rf"column {_NAME}", failure).rpartition(".")[2]
    steps = [
        command.step
        for command in replay.ddl_commands
        if any(state.name == column for state in command.columns)
    ]
    past = f" Until revision `{_name_revision(steps[-1], replay)}` a table had one." if steps else ""
    return (
        f"No revision up to here gives that table a column `{column}`.{past} A revision that imports the "
        "project's models sees today's columns: describe the table in the revision with `sa.table(...)`."
    )


def prepare_schema_or_role(failure: Failure, replay: Replay) -> str | None:
    """For a schema or role that is created outside the migrations."""
    for noun in ("schema", "role"):
        name = _find_in_message(rf"{noun} {_NAME} does not exist", failure)
        if name:
            sql = f"CREATE {noun.upper()} {quote_identifier(name)}"
            return f"It is set up outside the migrations. Set it up here too:{_prepare_setting(sql)}"
    return None


def leave_transaction(failure: Failure, replay: Replay) -> str:
    """For a statement that Postgres accepts outside a transaction only."""
    statement = _find_in_message(r"^(.*?) cannot (?:run|be executed)", failure) or "The statement"
    call = "op.execute(...)"
    if "CONCURRENTLY" in (failure.statement or "").upper():
        call = "op.create_index(..., postgresql_concurrently=True)"
    code = f"with op.get_context().autocommit_block():\n    {call}"
    return f"{statement} must run outside a transaction:{code_block(code)}"


def commit_enum_value(failure: Failure, replay: Replay) -> str:
    """For an enum's new label that is used before the transaction that added it has ended."""
    label = _find_in_message(r'new value "([^"]+)"', failure) or "..."
    enum = _find_in_message(r"of enum type (\S+)", failure) or "..."
    statement = f"op.execute(\"ALTER TYPE {enum} ADD VALUE '{label}'\")"
    code = f"with op.get_context().autocommit_block():\n    {statement}"
    return (
        "Postgres accepts a new enum value only once the transaction that added it has committed. Add it in "
        f"a block of its own:{code_block(code)}\nOr set `transaction_per_migration=True` in env.py, and use "
        "the value in a later revision."
    )


def remove_second_creation(failure: Failure, replay: Replay) -> str:
    """For an object that exists already."""
    name = _find_in_message(rf"(?:relation|type|schema|constraint|function|extension) {_NAME}", failure)
    column = _find_in_message(r'column "([^"]+)"', failure)
    step = _find_creating_step(name.rpartition(".")[2], column, replay)
    if step:
        return (
            f"Revision `{_name_revision(step, replay)}` has made it already. Delete one of the two, or "
            "give the second another name."
        )
    return (
        "No earlier revision makes it, something else does: a `create_all` on import or in env.py, a "
        "`prepare:` entry, or a revision that creates tables from the models of today. Remove that."
    )


def _find_creating_step(name: str, column: str, replay: Replay) -> int:
    """The first step that touched an object of that name, else a column of that name; 0 where none did."""
    for command in replay.ddl_commands:
        if name and _bare_name(command.identity) == name:
            return command.step
    for command in replay.ddl_commands:
        if column and any(state.name == column for state in command.columns):
            return command.step
    return 0


def install_module(failure: Failure, replay: Replay) -> str:
    """For a module that a revision imports and that is not there."""
    module = _find_in_message(r"(?:No module named|from) '([^']+)'", failure) or "the module"
    return (
        f"A revision must run for as long as it is in the history, and `{module}` is gone or not "
        "installed. Install it, or copy what the revision needs into the revision."
    )


def set_environment_variable(failure: Failure, replay: Replay) -> str:
    """For a KeyError, which is most often `os.environ[name]`."""
    name = failure.message.strip("'\"")
    setting = f"env:\n  {name}: ..."
    return f"If that is an environment variable, give it a value:{code_block(setting)}"


def _find_in_message(pattern: str, failure: Failure) -> str:
    match = re.search(pattern, failure.message)
    return match[1] if match else ""


def _prepare_setting(sql: str) -> str:
    return code_block(f"prepare:\n  - sql: {sql}")


def _bare_name(identity: str) -> str:
    return identity and split_qualified_name(identity)[-1]


def _name_revision(step: int, replay: Replay) -> str:
    return replay.find_revision_of_step(step) or "of another time"
