"""Texts about code beside the migrations that changes the schema, and what to do about it."""

from __future__ import annotations

import re

from migration_gate.facts import CreatedObject, SchemaChange
from migration_gate.wording import code_block, join_words

_CREATE_ALL_FIX = """Run `alembic upgrade head` where this runs: a table that create_all made first is \
unknown to every revision, and the revision that makes it later fails."""
_DROP_ALL_FIX = "Drop the database instead, or run `alembic downgrade base`; keep drop_all to the tests."
_STAMP_FIX = """This is Alembic's recipe for a new database. What it makes lacks all that only revisions \
make: rows, triggers, functions. `alembic upgrade head` makes a new database with all of it; if the shorter \
way is meant, allow it with that reason."""
_OWN_ENGINE_FIX = """If that is another database than that of the migrations, allow this with that reason. \
If it is the same, run `alembic upgrade head` there instead."""
_RESET_FIX = """A routine that empties a database can drop the whole schema (`DROP SCHEMA public CASCADE`, \
`CREATE SCHEMA public`), which needs no list of tables and types; `alembic upgrade head` makes it again. \
If the routine is meant to stay as it is, allow it with that reason."""
_RESET = re.compile(
    r"reset|restore|recreate|wipe|clean|purge|nuke|destroy|truncate|teardown|tear_down|drop|flush|rebuild|reinit",
    re.IGNORECASE,
)
"""functions that empty a database on purpose"""
_USUAL_URL_WORDS = frozenset(
    {"async", "sync", "sqlalchemy", "database", "db", "postgres", "postgresql", "pg", "sql", "alchemy", "url"}
    | {"uri", "dsn", "string", "str", "main", "app", "get", "build", "make", "default", "connection", "conn"}
)
_URL_NAME = re.compile(r"\w*(?:url|uri|dsn)\w*", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def describe_change(change: SchemaChange, relations: tuple[str, ...]) -> str:
    """What the code does, in one sentence; `relations` are those of the replayed schema that it changes."""
    names = join_words(relations)
    if change.kind in ("create_all", "drop_all"):
        return _describe_all_tables(change, names or "the tables of the models")
    if not relations:
        return f"`{change.statement}` changes a table outside the migrations"
    verb = "is" if len(relations) == 1 else "are"
    author = {"shell": "a script", "workflow": "a workflow"}.get(change.kind, "code outside the migrations")
    return f"{names} {verb} changed by {author}"


def _describe_all_tables(change: SchemaChange, tables: str) -> str:
    verb = "creates" if change.kind == "create_all" else "drops"
    if change.kind == "create_all" and change.stamps_head:
        return f"`{change.statement}` creates {tables}, and the version table is stamped: no revision runs"
    if has_own_engine(change):
        return f"`{change.statement}` {verb} {tables} in the database of `{change.engine_url}`"
    return f"`{change.statement}` {verb} {tables} outside the migrations"


def describe_fix(change: SchemaChange) -> str:
    """What to do instead."""
    if change.kind == "create_all" and change.stamps_head:
        return _STAMP_FIX
    if has_own_engine(change):
        return _OWN_ENGINE_FIX
    if change.kind in ("create_all", "drop_all"):
        return _CREATE_ALL_FIX if change.kind == "create_all" else _DROP_ALL_FIX
    if is_reset(change):
        return _RESET_FIX
    advice = "Write a revision that does the same, and delete this statement"
    return f"{advice}:{code_block(change.suggested_op)}" if change.suggested_op else f"{advice}."


def may_be_intended(change: SchemaChange) -> bool:
    """Whether it may be intended: Alembic's recipe, another database, a routine that empties one."""
    return (change.kind == "create_all" and change.stamps_head) or has_own_engine(change) or is_reset(change)


def is_reset(change: SchemaChange) -> bool:
    """Whether a routine that empties the database, by its name, drops something."""
    is_drop = change.statement.lstrip().upper().startswith("DROP")
    return is_drop and _RESET.search(change.function) is not None


def has_own_engine(change: SchemaChange) -> bool:
    """Whether the engine is made on the spot, from an URL that is not plainly the application's."""
    if not change.engine_url:
        return False
    names = _URL_NAME.findall(change.engine_url)
    words = [word.lower() for word in _WORD.findall(names[-1])] if names else []
    return len(words) < 2 or not _USUAL_URL_WORDS.issuperset(words)


def describe_event(created: CreatedObject) -> str:
    """That create_all makes an object which the migrations do not make."""
    if created.noun == "row security":
        return f"create_all enables row level security on `{created.name}`, no migration does"
    owner = f" on `{created.table}`" if created.table else ""
    return f"create_all makes the {created.noun} `{created.name}`{owner}, no migration makes it"


def describe_event_fix(change: SchemaChange) -> str:
    """The revision that makes the object too."""
    advice = "A database that the migrations made lacks it. Write a revision that makes it too"
    return f"{advice}:{code_block(change.suggested_op)}" if change.suggested_op else f"{advice}."
