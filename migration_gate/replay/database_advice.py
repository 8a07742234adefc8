"""What env.py lacks in the ephemeral database."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from migration_gate.analysis import failure_dialects, failure_fixes
from migration_gate.facts import Replay
from migration_gate.python_parser import walk_nodes
from migration_gate.replay.database_looks import find_condition_look, find_tried_look
from migration_gate.replay.early_end import EarlyEnd, name_failed_line
from migration_gate.replay.setting_advice import config_block
from migration_gate.sql.identifiers import quote_identifier

MISSING_ROLE = re.compile(r'role "(.+)" does not exist')
MISSING_SCHEMA = re.compile(r'schema "(.+)" does not exist')
SEARCH_PATH = re.compile(
    r"search_path(?:\s*=|\s+TO\b|'\s*,)\s*(?:[\"']\$user[\"']\s*,\s*)?"
    r"(?:(?P<quote>[\"'])(?P<exact>[A-Za-z_]\w*)(?P=quote)|(?P<folded>[A-Za-z_]\w*)(?![\w%{]))",
    re.IGNORECASE,
)
"""in SQL, in `set_config('search_path', …)`, or in libpq's options"""
MISSING_DIALECT = re.compile(r"Can't load plugin: sqlalchemy\.dialects:([\w.]+)")
POSTGRES_URL = config_block("env:", "  DATABASE_URL: postgresql://app@db/app  # the variable that it reads")
REFLECT_LATER = (
    "Have the class derive from DeferredReflection (`sqlalchemy.ext.declarative`) and prepare it when the "
    "application starts, or write its columns down."
)
READ_LATER = "Have a function read it when the application asks for it, and not the import of the module."
ABOUT_SERVER = re.compile(
    r"\bSHOW\s+\w|\bversion\(|\bserver_version|\bcurrent_(?:user|role|database|setting)\b|\bsession_user\b"
    r"|\bpg_(?:available_extensions|settings|roles|is_in_recovery|database)\b",
    re.IGNORECASE,
)
"""in a query: about what is there without any table, and what no command of a project's makes"""
SHOWN_CHARACTERS = 80
MISSING_RELATION = re.compile(r'relation "(.+)" does not exist')


def advise_on_dialect(early_end: EarlyEnd) -> str | None:
    """A URL for another database, or its SQL, which the project runs on each new connection."""
    missing = MISSING_DIALECT.search(early_end.failure.message)
    if missing is not None:
        return (
            f"The project's URL is for `{missing[1]}`, a dialect that no package here has, and the gate "
            "replays on PostgreSQL. Give it a URL that begins with `postgresql://`, any one, where it gets "
            f"its own from; if that is a variable, in .migration-gate.yml,\n\n{POSTGRES_URL}"
        )
    dialect = failure_dialects.find_dialect(early_end.failure)
    if dialect is None:
        return None
    return (
        f"{name_failed_line(early_end.failure)} runs {dialect}'s SQL, because the project believes that it "
        f"is on {dialect}. Give it the address of a PostgreSQL database, any one, where it gets its own "
        f"from; if that is a variable, in .migration-gate.yml,\n\n{POSTGRES_URL}\n\nIf it knows no other "
        "address, have it ask the connection's dialect before it runs that SQL."
    )


def advise_on_reflection(early_end: EarlyEnd) -> str | None:
    """A table that the project reads while it is imported."""
    failure = early_end.failure
    match = MISSING_RELATION.search(failure.message)
    reflects = failure.exception_class in ("NoSuchTableError", "UnreflectableTableError")
    reflects = reflects or "Could not reflect" in failure.message
    reflects = reflects or (
        failure.exception_class == "AttributeError" and ".classes." in early_end.source_line
    )
    reflects = reflects or _looks_in_reflected_tables(early_end)
    is_missing = failure.sqlstate == "42P01" and match is not None
    if not (reflects or is_missing):
        return None
    table = match[1] if match else failure.message.rpartition(":")[2].strip(" .`'\"()")
    failed_line = name_failed_line(failure)
    later = READ_LATER if is_missing and failure.statement else REFLECT_LATER
    return (
        f"{failed_line} reads `{table}` from the database before any migration has run, and the ephemeral "
        f"database is empty then. {later} If the table is older than the "
        "migrations, give the database a start state that has it: in "
        f".migration-gate.yml,\n\n{config_block('start_from: {dump: schema.sql}')}"
    )


def advise_on_empty_database(early_end: EarlyEnd) -> str | None:
    """The project's own refusal, after it has looked into the database: there is nothing in it yet."""
    return _advise_on_look(early_end, find_condition_look)


def advise_on_tried_database(early_end: EarlyEnd) -> str | None:
    """The same where the look itself failed; what has no network fails so, too, and has its own advice."""
    return _advise_on_look(early_end, find_tried_look)


def _advise_on_look(early_end: EarlyEnd, find_look: Callable[[ast.Module, int], str | None]) -> str | None:
    location, tree = early_end.failure.location, early_end.tree
    if location is None or location.line is None or tree is None or early_end.failure.sqlstate:
        return None
    look = find_look(tree, location.line)
    if look is None:
        return None
    shown = look[:SHOWN_CHARACTERS]
    if ABOUT_SERVER.search(look):
        return (
            f"{name_failed_line(early_end.failure)} refuses the server by what it asks of it (`{shown}`). "
            "That of the gate is not the project's: the names of its database and role are the gate's own. "
            "Its version and its extensions are chosen in .migration-gate.yml,\n\n"
            f"{config_block('postgres: 17  # or an image')}\n\nLet a variable skip a check of anything else, "
            "and set it there, under `env:`."
        )
    return (
        f"{name_failed_line(early_end.failure)} refuses the database by what it finds there (`{shown}`), and "
        "before the first migration the ephemeral database is empty. Make what it looks for, as in a new "
        "installation: in .migration-gate.yml,\n\n"
        f"{config_block('prepare:', '  - run: COMMAND  # or sql_file: FILE')}\n\nor give the database a "
        f"start state that has it,\n\n{config_block('start_from: {dump: schema.sql}')}"
    )


def _looks_in_reflected_tables(early_end: EarlyEnd) -> bool:
    """Whether a table is looked for by its name in a metadata that was read from the database."""
    tree = early_end.tree
    is_lookup = early_end.failure.exception_class == "KeyError" and ".tables[" in early_end.source_line
    return is_lookup and tree is not None and any(map(_reflects, walk_nodes(tree)))


def _reflects(node: ast.AST) -> bool:
    """`metadata.reflect(…)` or `Table(…, autoload_with=…)`."""
    if not isinstance(node, ast.Call):
        return False
    is_reflection = isinstance(node.func, ast.Attribute) and node.func.attr == "reflect"
    return is_reflection or any(keyword.arg == "autoload_with" for keyword in node.keywords)


def advise_on_search_path(early_end: EarlyEnd) -> str | None:
    """A `search_path` of which no schema is there."""
    if "no schema has been selected" not in early_end.failure.message:
        return None
    tree = early_end.tree
    schema = (tree and _find_search_path(tree)) or "SCHEMA_NAME"
    return (
        f"env.py sets a `search_path` of which no schema is there: make `{schema}` before the migrations, in "
        f".migration-gate.yml,\n\n{config_block('prepare:', f'  - sql: CREATE SCHEMA {schema}')}"
    )


def _find_search_path(tree: ast.Module) -> str:
    """The first schema of the `search_path` in a text of the module, as SQL names it; '' for none.

    Docstrings say nothing, and what the module puts together of several texts is not known.
    """
    others = {
        id(part)
        for node in walk_nodes(tree)
        if isinstance(node, ast.JoinedStr | ast.BinOp | ast.Expr)
        for part in ast.iter_child_nodes(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in others:
            match = SEARCH_PATH.search(node.value)
            if match is not None:
                return quote_identifier(match["exact"] or match["folded"].lower())
    return ""


def advise_on_roles(early_end: EarlyEnd) -> str | None:
    """A role that is made outside the migrations."""
    match = MISSING_ROLE.search(early_end.failure.message)
    if match is None:
        return None
    role = match[1]
    return (
        f"The role `{role}` is made outside the migrations: make it before them, in .migration-gate.yml,\n\n"
        + config_block(
            "prepare:",
            f"  - sql: CREATE ROLE {quote_identifier(role)}",
            f"  - sql: GRANT ALL ON SCHEMA public TO {quote_identifier(role)}",
        )
    )


def advise_on_schemas(early_end: EarlyEnd) -> str | None:
    """A schema that is made outside the migrations."""
    match = MISSING_SCHEMA.search(early_end.failure.message)
    if match is None:
        return None
    return (
        f"The schema `{match[1]}` is made outside the migrations: make it before them, in "
        ".migration-gate.yml,\n\n"
        + config_block("prepare:", f"  - sql: CREATE SCHEMA {quote_identifier(match[1])}")
    )


def advise_on_rights(early_end: EarlyEnd) -> str | None:
    """A right that production has granted to the role of env.py."""
    if early_end.failure.sqlstate != "42501":
        return None
    return (
        "The role that env.py switches to lacks a right that production has granted: grant it before the "
        "migrations, in .migration-gate.yml,\n\n"
        + config_block("prepare:", "  - sql: GRANT ALL ON SCHEMA public TO ROLE_NAME")
    )


def advise_on_extensions(early_end: EarlyEnd) -> str | None:
    """An extension that the server has not, or that nobody creates."""
    source = failure_fixes.name_image_with_extension(early_end.failure, Replay())
    if source is not None:
        return source
    if early_end.failure.sqlstate in ("42704", "42883"):
        return failure_fixes.create_extension(early_end.failure, Replay())
    return None
