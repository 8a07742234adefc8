"""What to do about a failed revision, with the names from the message: a function or text for each cause."""

from __future__ import annotations

import re
from collections.abc import Callable

from migration_gate.analysis.extension_sources import describe_extension_source, make_only_where_loaded
from migration_gate.analysis.extensions import EXTENSION_OF
from migration_gate.analysis.failure_message import NAME, find_in_message, find_last_name
from migration_gate.facts import Failure, Replay
from migration_gate.sql.identifiers import QUOTED_KEYWORDS, quote_identifier
from migration_gate.wording import code_block

CORRECT_ROWS = """Rows that are there at this point break it: the migrations wrote them, `prepare:` or \
`start_from:`; production has more of them. In this revision, {}."""
CORRECT_WRITTEN_ROW = """The rows that this statement writes break it. Correct their values, or what they \
refer to, in this statement."""
USE_ONE_CONNECTION = """The migration waited for a lock, which on this server only a second connection of \
the project's own can hold. Use the migration's connection, `op.get_bind()`, for all of the revision."""
LET_FIRST_ERROR_RAISE = """An earlier statement of the same transaction failed, and its error was \
swallowed. Look for a `try: ... except` in the revision, let it raise, or guard it with \
`op.get_bind().begin_nested()`."""
LEAVE_COMMIT_TO_ALEMBIC = """The transaction is Alembic's: a revision neither begins nor commits one on \
`op.get_bind()`. Delete the call; `op.get_bind().begin_nested()` is a savepoint, and \
`with op.get_context().autocommit_block():` is for what must run outside of a transaction."""
CORRECT_PATH = """The path is relative to another folder: set `working_directory:`, or build it from \
`__file__`."""
WRITE_UPGRADE = """The revision refuses to run here. Make its `upgrade()` do something, or delete the \
revision."""

WIDER_VERSION_TABLE = """connection.exec_driver_sql(
    "CREATE TABLE IF NOT EXISTS {table} (version_num varchar(128) PRIMARY KEY)")
connection.exec_driver_sql("ALTER TABLE {table} ALTER version_num TYPE varchar(128)")
context.run_migrations()"""

_SETS_ROLE = re.compile(r"\s*SET\s+(?:LOCAL\s+|SESSION\s+)*(?:ROLE|AUTHORIZATION)\b", re.IGNORECASE)
_BTREE_TYPES = frozenset({
    "smallint", "integer", "bigint", "real", "double precision", "numeric", "money", "oid", "text",
    "character varying", "character", "bytea", "bit", "bit varying", "date", "interval", "inet", "cidr",
    "time without time zone", "time with time zone", "timestamp without time zone",
    "timestamp with time zone", "macaddr", "macaddr8", "uuid", "boolean",
})  # fmt: skip
"""for which btree_gin and btree_gist have operator classes"""
_WRITING = re.IGNORECASE | re.DOTALL
_CLAUSES = frozenset({"select", "from", "where", "having", "values", "set", "join", "as", "and", "not", "is"})
"""reserved words that more often stand where something else is wrong"""
_NAME_PLACE = (
    r"(?:\b(?:TABLE|INTO|UPDATE|FROM|JOIN|COLUMN|REFERENCES|ONLY|EXISTS|INDEX|VIEW|TYPE|ADD|ON|TO)"
    r"(?:\s+(?:IF\s+(?:NOT\s+)?EXISTS|ONLY|\w+\s*\.))*\s+|[(,.]\s*){}(?!\w)"
)
"""where the name of a table or column may stand, with the word"""


def name_image_with_extension(failure: Failure, replay: Replay) -> str | None:
    """For a server that does not have the extension, or has not loaded it."""
    name = find_in_message(r'extension "([^"]+)" is not available', failure)
    name = name or find_in_message(r"/([\w-]+)\.control", failure)
    if name:
        return f"This server does not have the extension {name}. {describe_extension_source(name, replay)}"
    name = find_in_message(r"(\w+) (?:can only|must) be loaded (?:via|through)", failure)
    return make_only_where_loaded(name) if name else None


def create_extension(failure: Failure, replay: Replay) -> str | None:
    """For a type, function, operator class or access method that an extension provides."""
    qualified_name = find_in_message(
        rf"(?:type|function|operator class|access method|language) {NAME}", failure
    )
    name = qualified_name.rpartition(".")[2].lower()
    extension, subject = EXTENSION_OF.get(name), f"`{name}`"
    if extension is None:
        extension, subject = _find_btree_extension(failure, replay)
    if not extension or extension in {known.name for known in replay.catalog.extensions}:
        return None
    sql = f"CREATE EXTENSION IF NOT EXISTS {quote_identifier(extension)}"
    create = f"`op.execute('{sql}')`"
    if replay.available_extensions and extension not in replay.available_extensions:
        return (
            f"{subject} comes with the extension {extension}, which no migration has created by then, and "
            f"which this server does not have. {describe_extension_source(extension, replay)}\nAnd create "
            f"it, in the revision: {create}; or, where it is set up by hand, in the configuration:"
            f"{_prepare_setting(sql)}"
        )
    return (
        f"{subject} comes with the extension {extension}, which no migration has created by then. Where it "
        f"is set up by hand, say so in the configuration:{_prepare_setting(sql)}\n"
        f"Or create it in the revision: {create}."
    )


def _find_btree_extension(failure: Failure, replay: Replay) -> tuple[str, str]:
    """The extension by which GiST and GIN index plain values, and what comes with it; '' for other types."""
    match = re.search(
        r'data type (.+) has no default operator class for access method "(gist|gin)"', failure.message
    )
    if match is None or not (match[1] in _BTREE_TYPES or _is_enum(match[1], replay)):
        return "", ""
    return f"btree_{match[2]}", f"An operator class of {match[2]} for `{match[1]}`"


def _is_enum(type_name: str, replay: Replay) -> bool:
    """Whether the type is an enum; the one that failed may have made it, and have taken it away again."""
    name = find_last_name(type_name)
    if name in {enum.name for enum in replay.catalog.enums}:
        return True
    made = re.compile(
        rf"\bCREATE\s+TYPE\s+(?:\S+\.)?{re.escape(quote_identifier(name))}\s+AS\s+ENUM\b", re.IGNORECASE
    )
    statements = (*replay.failed_statements, *(item for step in replay.steps for item in step.list_run()))
    return any(made.search(statement.sql) for statement in statements)


def correct_rows(advice: str) -> Callable[[Failure, Replay], str]:
    """For rows that break a constraint: those that the statement writes, or those that are there."""

    def describe(failure: Failure, replay: Replay) -> str:
        writes = re.match(r"\s*(?:WITH\b.*?)?(INSERT|UPDATE|COPY|MERGE)\b", failure.statement or "", _WRITING)
        return CORRECT_WRITTEN_ROW if writes else CORRECT_ROWS.format(advice)

    return describe


def shorten_revision_id(failure: Failure, replay: Replay) -> str | None:
    """For a revision's id that does not fit into Alembic's version table."""
    limit = find_in_message(r"too long for type character varying\((\d+)\)", failure)
    if not is_version_write(failure, replay) or not limit:
        return None
    written = re.match(r"\s*(?:INSERT INTO|UPDATE)\s+([^\s(]+)", failure.statement or "", re.IGNORECASE)
    table = written[1] if written else "alembic_version"
    length = len(failure.revision or "")
    code = WIDER_VERSION_TABLE.format(table=table)
    return (
        f"`{table}.version_num` holds {limit} characters, and this revision's id has {length}. Shorten it, "
        "and the `down_revision` of those that follow. Or have env.py make the table wider, in databases "
        "that are there and in empty ones, before Alembic makes it; after `with "
        f"context.begin_transaction():`{code_block(code)}"
    )


def is_version_write(failure: Failure, replay: Replay) -> bool:
    """Whether the statement is Alembic's own, that writes into its version table."""
    names = [name.rpartition(".")[2] for name in replay.version_tables] or ["alembic_version"]
    pattern = rf"\s*(?:INSERT INTO|UPDATE)\s+(?:\S+\.)?\"?(?:{'|'.join(map(re.escape, names))})\b"
    return re.match(pattern, failure.statement or "", re.IGNORECASE) is not None


def quote_reserved_word(failure: Failure, replay: Replay) -> str | None:
    """For a name that is a word of SQL's own, and stands without quotes."""
    word = find_in_message(r'syntax error at or near "([^"]+)"', failure)
    if word.lower() not in QUOTED_KEYWORDS or word.lower() in _CLAUSES:
        return None
    if not re.search(_NAME_PLACE.format(re.escape(word)), failure.statement or "", re.IGNORECASE):
        return None
    quoted = f'"{word.lower()}"'
    return (
        f"`{word}` is a word of SQL's own: as a name it stands in double quotes, `{quoted}`, here and in all "
        "other SQL. Alembic's operations quote it themselves (`op.create_table`, `op.add_column`)."
    )


def prepare_schema_or_role(failure: Failure, replay: Replay) -> str | None:
    """For a schema or role that is created outside the migrations."""
    for noun in ("schema", "role"):
        name = find_in_message(rf"{noun} {NAME} does not exist", failure)
        if name:
            sql = f"CREATE {noun.upper()} {quote_identifier(name)}"
            outside = "It is set up outside the migrations. Set it up here too"
            if noun == "role" and _SETS_ROLE.match(failure.statement or ""):
                # What the revisions before it made belongs to the gate's own role.
                return (
                    f"{outside}, with all rights, as the tables before it belong to another role (what its "
                    f"rights in production allow is not tried):{_prepare_setting(f'{sql} SUPERUSER')}"
                )
            return f"{outside}:{_prepare_setting(sql)}"
    return None


def leave_transaction(failure: Failure, replay: Replay) -> str:
    """For a statement that Postgres accepts outside a transaction only."""
    statement = find_in_message(r"^(.*?) cannot (?:run|be executed)", failure) or "The statement"
    call = "op.execute(...)"
    if "CONCURRENTLY" in (failure.statement or "").upper():
        call = "op.create_index(..., postgresql_concurrently=True)"
    code = f"with op.get_context().autocommit_block():\n    {call}"
    return f"{statement} must run outside a transaction:{code_block(code)}"


def commit_enum_value(failure: Failure, replay: Replay) -> str:
    """For an enum's new label that is used before the transaction that added it has ended."""
    label = find_in_message(r'new value "([^"]+)"', failure) or "..."
    enum = find_in_message(r"of enum type (\S+)", failure) or "..."
    statement = f"op.execute(\"ALTER TYPE {enum} ADD VALUE '{label}'\")"
    code = f"with op.get_context().autocommit_block():\n    {statement}"
    return (
        "Postgres accepts a new enum value only once the transaction that added it has committed. Add it in "
        f"a block of its own:{code_block(code)}\nOr set `transaction_per_migration=True` in env.py, and use "
        "the value in a later revision."
    )


def install_module(failure: Failure, replay: Replay) -> str:
    """For a module that a revision imports and that is not there."""
    module = find_in_message(r"(?:No module named|from) '([^']+)'", failure) or "the module"
    return (
        f"A revision must run for as long as it is in the history, and `{module}` is gone or not "
        "installed. Install it, or copy what the revision needs into the revision."
    )


def set_environment_variable(failure: Failure, replay: Replay) -> str:
    """For a KeyError, which is most often `os.environ[name]`."""
    name = failure.message.strip("'\"")
    setting = f"env:\n  {name}: ..."
    return f"If that is an environment variable, give it a value:{code_block(setting)}"


def _prepare_setting(sql: str) -> str:
    return code_block(f"prepare:\n  - sql: {sql}")
