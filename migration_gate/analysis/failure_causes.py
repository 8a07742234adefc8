"""What to do about a revision that failed: the usual causes, by SQLSTATE and by Postgres's words.

Each cause is a function from the failure and the replay to advice, or to None where it is another cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from migration_gate.analysis import extensions
from migration_gate.facts import Failure, Replay
from migration_gate.wording import code_block, count_noun, join_words

MYSQL_TYPES = {
    "blob",
    "datetime",
    "double",
    "longblob",
    "longtext",
    "mediumint",
    "mediumtext",
    "tinyint",
    "year",
}
MYSQL = re.compile(
    r"`|\bAUTO_?INCREMENT\b|\bENGINE\s*=|\bON DUPLICATE KEY\b|\bUNSIGNED\b|\bMODIFY COLUMN\b", re.I
)
NAME = r'"?([^"\s()]+(?:\.[^"\s()]+)*)"?'

Cause = Callable[[Failure, Replay], str | None]


def advice(failure: Failure, replay: Replay) -> str:
    """What to do next; general words where no cause is known."""
    found = (cause(failure, replay) for cause in CAUSES)
    return next(
        filter(None, found), "Mend the revision, and run the gate again: it stops at the first failure."
    )


def _named(pattern: str, failure: Failure) -> str:
    match = re.search(pattern, failure.message)
    return match[1] if match else ""


def missing_extension(failure: Failure, replay: Replay) -> str | None:
    """A type, function, operator class or access method that an extension brings."""
    if "does not exist" not in failure.message and failure.sqlstate not in ("42704", "42883"):
        return None
    kinds = "type|function|operator class|access method"
    what = _named(rf"(?:{kinds}) {NAME}", failure).rpartition(".")[2].lower()
    owner = extensions.BRINGS.get(what)
    if owner is None:
        return None
    sql = f"CREATE EXTENSION IF NOT EXISTS {_quoted(owner)}"
    return (
        f"`{what}` comes with the extension {owner}, which no migration has created by then. Where it is "
        f"set up by hand, say so in the configuration:{_prepare(sql)}\n"
        f"Or create it in the revision: `op.execute('{sql}')`."
    )


def absent_extension(failure: Failure, replay: Replay) -> str | None:
    """The server has no such extension."""
    name = _named(r'extension "([^"]+)" is not available', failure) or _named(r"/([\w-]+)\.control", failure)
    if not name:
        return None
    major = (replay.find_version("postgres") or "17").split(".")[0].split(" ")[-1]
    image = extensions.IMAGES.get(name)
    says = f"This server does not have the extension {name}. "
    if image is None:
        return says + "Name an image or a server that has it, as `postgres:` in the configuration."
    line = f"postgres: {image.format(major=major if major.isdigit() else '17')}"
    return f"{says}Name an image that has it:{code_block(line)}"


def mysql(failure: Failure, replay: Replay) -> str | None:
    """SQL that only MySQL takes."""
    type_ = _named(rf"type {NAME} does not exist", failure).lower() in MYSQL_TYPES
    syntax = failure.sqlstate == "42601" or "syntax error" in failure.message
    if not type_ and not (syntax and MYSQL.search(failure.statement or "")):
        return None
    return (
        "The statement is MySQL's SQL, not PostgreSQL's. Write it for both: ask "
        "`op.get_bind().dialect.name`, or use Alembic's operations instead of text."
    )


def missing_table(failure: Failure, replay: Replay) -> str | None:
    """A table that is not there yet, not there any more, or never made by a migration."""
    if failure.sqlstate != "42P01" and not re.search(r'relation "\S+" does not exist', failure.message):
        return None
    table = _named(rf"(?:relation|table|sequence|view) {NAME} does not exist", failure)
    bare = table.rpartition(".")[2]
    if gone := _dropped(bare, replay):
        return f"`{table}` was there until revision `{gone}` dropped it. Order the two the other way round."
    creators = [
        file for file in replay.history.files if bare in (c.rpartition(".")[2] for c in file.created_tables)
    ]
    if creators:
        file = creators[0]
        return (
            f"`{table}` is created by revision `{file.revision}` ({file.path}), which does not run "
            f"before this one. Make it an ancestor: by `down_revision`, or by `depends_on` in another branch."
        )
    return (
        f"No revision creates `{table}`: it was made outside the migrations, by `create_all` or by hand. "
        "Write the revision that creates it. Where history cannot be changed, begin with what was there: "
        "`start_from:` takes a dump, or the models of a git revision, and `prepare:` takes SQL."
    )


def missing_column(failure: Failure, replay: Replay) -> str | None:
    """A column that is not there at this point of the history."""
    if failure.sqlstate != "42703" and not re.search(r'column "?\S+"? .*does not exist', failure.message):
        return None
    column = _named(rf"column {NAME}", failure).rpartition(".")[2]
    had = [t for t in replay.ddl_commands if any(c.name == column for c in t.columns)]
    past = f" Until revision `{_revision(had[-1].step, replay)}` a table had one." if had else ""
    return (
        f"No revision up to here gives that table a column `{column}`.{past} A revision that imports the "
        "project's models sees today's columns: describe the table in the revision with `sa.table(...)`."
    )


def missing_place(failure: Failure, replay: Replay) -> str | None:
    """A schema, role or database object outside the project that was set up by hand."""
    for noun in ("schema", "role"):
        if name := _named(rf"{noun} {NAME} does not exist", failure):
            sql = f"CREATE {noun.upper()} {_quoted(name)}"
            return f"It is set up outside the migrations. Set it up here too:{_prepare(sql)}"
    return None


def outside_transaction(failure: Failure, replay: Replay) -> str | None:
    """A statement that Postgres takes outside a transaction only."""
    if failure.sqlstate != "25001" and "cannot run inside a transaction block" not in failure.message:
        return None
    what = _named(r"^(.*?) cannot (?:run|be executed)", failure) or "The statement"
    concurrently = "CONCURRENTLY" in (failure.statement or "").upper()
    call = "op.create_index(..., postgresql_concurrently=True)" if concurrently else "op.execute(...)"
    lines = f"with op.get_context().autocommit_block():\n    {call}"
    return f"{what} needs to stand outside a transaction:{code_block(lines)}"


def new_enum_value(failure: Failure, replay: Replay) -> str | None:
    """An enum's new label, used before the transaction that added it has ended."""
    if failure.sqlstate != "55P04" and "unsafe use of new value" not in failure.message:
        return None
    value = _named(r'new value "([^"]+)"', failure) or "..."
    type_ = _named(r"of enum type (\S+)", failure) or "..."
    added = f"op.execute(\"ALTER TYPE {type_} ADD VALUE '{value}'\")"
    lines = f"with op.get_context().autocommit_block():\n    {added}"
    return (
        "Postgres takes a new enum value only once the transaction that added it has committed. Add it in a "
        f"block of its own:{code_block(lines)}\nOr set `transaction_per_migration=True` in env.py, and use "
        "the value in a later revision."
    )


def already_there(failure: Failure, replay: Replay) -> str | None:
    """A table, column, type or constraint that exists by then."""
    if failure.sqlstate not in ("42P07", "42701", "42710", "42P06", "42723") and not re.search(
        r"already exists", failure.message
    ):
        return None
    name = _named(rf"(?:relation|type|schema|constraint|function|extension) {NAME}", failure)
    column = _named(r'column "([^"]+)"', failure)
    touches = [t for t in replay.ddl_commands if name and _bare(t.identity) == name.rpartition(".")[2]]
    touches += [t for t in replay.ddl_commands if column and any(c.name == column for c in t.columns)]
    if touches and touches[0].step > 0:
        return (
            f"Revision `{_revision(touches[0].step, replay)}` has made it already. Delete one of the two, or "
            "give the second another name."
        )
    return (
        "No earlier revision makes it, something else does: a `create_all` on import or in env.py, a "
        "`prepare:` entry, or a revision that creates tables from the models of today. Take that away."
    )


def rows_in_the_way(failure: Failure, replay: Replay) -> str | None:
    """Rows that earlier revisions wrote break what this one demands."""
    wanted = {
        "23502": "fill the column first, or give it a `server_default`",
        "23503": "insert the rows that are referenced first, or delete the ones that reference nothing",
        "23505": "remove the duplicates first",
        "23514": "correct the rows that break the rule first",
    }
    if failure.sqlstate not in wanted:
        return None
    return (
        "Rows that the migrations themselves wrote stand in the way; production has more of them. In this "
        f"revision, {wanted[failure.sqlstate]}."
    )


def too_slow(failure: Failure, replay: Replay) -> str | None:
    """A time limit, or a lock that somebody else holds."""
    if failure.sqlstate == "57014" or "statement timeout" in failure.message:
        return (
            "A time limit ended the statement: the gate's (`limits.statement`), or one that the project sets "
            "itself (`statement_timeout`). On an empty database it waited for a lock, most likely that of "
            "another connection of the project's own."
        )
    if failure.sqlstate in ("55P03", "40P01"):
        return (
            "The migration waits for a lock that a second connection of the project's own holds. Use the "
            "migration's connection, `op.get_bind()`, for everything in the revision."
        )
    return None


def aborted(failure: Failure, replay: Replay) -> str | None:
    """An earlier error that was swallowed, and is known no more."""
    if failure.sqlstate != "25P02":
        return None
    return (
        "An earlier statement of the same transaction failed, and its error was swallowed. Look for a "
        "`try: ... except` in the revision, let it raise, or guard it with `op.get_bind().begin_nested()`."
    )


def not_sql(failure: Failure, replay: Replay) -> str | None:
    """Python's own errors: a module, a file or a variable that is not there."""
    if failure.exception_class in ("ModuleNotFoundError", "ImportError"):
        module = _named(r"(?:No module named|from) '([^']+)'", failure) or "the module"
        return (
            f"A revision must run for as long as it stands in the history, and `{module}` is gone or not "
            "installed. Install it, or copy what the revision needs into the revision."
        )
    if failure.exception_class == "FileNotFoundError":
        return (
            "The path is relative to another folder: set `working_directory:`, or build it from `__file__`."
        )
    if failure.exception_class == "KeyError":
        name = failure.message.strip("'\"")
        lines = f"env:\n  {name}: ..."
        return f"If that is an environment variable, give it a value:{code_block(lines)}"
    if failure.exception_class == "NotImplementedError":
        return "The revision refuses to run here. Make its `upgrade()` do something, or delete the revision."
    return None


CAUSES: tuple[Cause, ...] = (
    absent_extension,
    missing_extension,
    mysql,
    missing_table,
    missing_column,
    missing_place,
    outside_transaction,
    new_enum_value,
    already_there,
    rows_in_the_way,
    too_slow,
    aborted,
    not_sql,
)


def _dropped(table: str, replay: Replay) -> str | None:
    touches = [t for t in replay.ddl_commands if t.kind == "table" and _bare(t.identity) == table]
    return _revision(touches[-1].step, replay) if touches and touches[-1].tag.startswith("DROP") else None


def _prepare(sql: str) -> str:
    return code_block(f"prepare:\n  - sql: {sql}")


def _bare(identity: str) -> str:
    return identity.rpartition(".")[2].strip('"')


def _revision(step: int, replay: Replay) -> str:
    return next((s.revision for s in replay.steps if s.number == step), "of another time")


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else f'"{name}"'


def steps_before(replay: Replay) -> str:
    """How far the replay got, in words."""
    done = [
        step.revision
        for step in replay.steps
        if not replay.failure or step.revision != replay.failure.revision
    ]
    return (
        f"{count_noun(len(done), 'revision')} ran before it, the last was {join_words(done[-1:])}"
        if done
        else "it was the first"
    )
