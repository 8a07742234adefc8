"""Commands without an effect whose error a DO block, a function or a driver's own cursor caught.

What is known of each is what Postgres said of the command, and that it is not part of what the revision did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.analysis.step_location import is_text_of, locate_query
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import CaughtError, Replay, Step
from migration_gate.sql.identifiers import split_qualified_name
from migration_gate.sql.lexer import Token, TokenKind, tokenize
from migration_gate.wording import code_block, count_noun

UNDEFINED = frozenset({"42P01", "42703", "42883", "42704", "3F000"})
"""SQLSTATEs of a table, column, function, other object or schema that is not there"""
DUPLICATE_OBJECT = "42710"
"""the SQLSTATE of a label, a member of a publication, or another object that is there already"""
TAKEN = frozenset({"42P07", "42701", DUPLICATE_OBJECT, "42723", "42P06"})
"""SQLSTATEs of a name that is taken"""
ROW_IS_THERE = ("23505",)
"""the SQLSTATE of a row that is there already: INSERT ... ON CONFLICT, written out"""
DECISIONS = ("P0", "02")
"""classes of SQLSTATEs that PL/pgSQL code raises for its own decisions"""
SECOND_PRIMARY_KEY = "42P16"
DEPENDS_ON_SERVER = re.compile(
    r'role "|permission denied|must be (owner|superuser|a member)|extension "'
    r"|could not (open|access) (extension|file)"
)
"""messages about what a production server may have, and the ephemeral one lacks"""
_ADDS_LABEL = re.compile(r"\s*ALTER\s+TYPE\b.*\bADD\s+VALUE\b", re.IGNORECASE | re.DOTALL)
_RENAME = re.compile(
    r'\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>[\w".]+)\s+RENAME\s+'
    r'(?:(?:COLUMN\s+)?(?P<old>(?!TO\b)[\w"]+)\s+)?TO\s+(?P<new>[\w"]+)\s*;?\s*',
    re.IGNORECASE,
)
_REMOVES_ROWS = re.compile(r"\s*(DELETE|TRUNCATE)\b", re.IGNORECASE)
_OTHER_VERBS = frozenset({"ADD", "ALTER", "RENAME", "SET", "VALIDATE", "ATTACH", "DETACH"})
"""what an ALTER may do besides DROP"""
_HANDLER = re.compile(r"\bWHEN\b[^;]*?\bTHEN\s+(\w+)", re.IGNORECASE)
_REPORTS = frozenset({"NULL", "RAISE", "END"})
"""the first words of handlers that do nothing"""
_ADDS_MEMBER = re.compile(r"\s*ALTER\s+PUBLICATION\b.*\bADD\b", re.IGNORECASE | re.DOTALL)
_GUARD = """IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '...') THEN
    ...
END IF;"""


def find_caught_errors(replay: Replay, step: Step) -> Iterator[Finding]:
    """What the step's commands did not do, one finding for each."""
    for error in replay.caught_errors:
        if error.step == step.number and _is_finding(replay, step, error):
            yield _describe_error(replay, step, error)


def _is_finding(replay: Replay, step: Step, error: CaughtError) -> bool:
    if any(item.error is not None and is_text_of(item.sql, error.query) for item in step.statements):
        return False  # the whole statement failed: that is what the recorder reports
    if error.is_undone:
        # Rolled back by the revision itself, or with the transaction of one that failed later.
        return replay.failure is None and not any("rollback" in item.kind for item in step.transactions)
    return not is_goal_reached(error) and not _is_renamed(replay, error)


def is_goal_reached(error: CaughtError) -> bool:
    """Whether what the command wanted was so: what it drops is not there, the label that it adds is."""
    if error.changes_rows:
        has_no_rows = error.sqlstate in UNDEFINED and _REMOVES_ROWS.match(error.statement) is not None
        return has_no_rows or error.sqlstate in ROW_IS_THERE or error.sqlstate.startswith(DECISIONS)
    if error.sqlstate in UNDEFINED:
        return _drops_one_thing(error.statement)
    # CREATE TYPE fails with the same SQLSTATE, but what has the name may be another type.
    adds_name = _ADDS_LABEL.match(error.statement) or _ADDS_MEMBER.match(error.statement)
    return error.sqlstate == DUPLICATE_OBJECT and adds_name is not None


def _is_renamed(replay: Replay, error: CaughtError) -> bool:
    """Whether a column or table has the name that a rename of what is not there would have given it."""
    match = _RENAME.fullmatch(error.statement)
    if error.sqlstate not in UNDEFINED or match is None:
        return False
    table, new_name = _read_name(match["table"]), _read_name(match["new"])
    if match["old"] is None:
        return any(item.name == new_name for item in replay.catalog.tables)
    return any((item.table, item.name) == (table, new_name) for item in replay.catalog.columns)


def _read_name(text: str) -> str:
    return split_qualified_name(text)[-1]


def _drops_one_thing(statement: str) -> bool:
    """A DROP of one object, or an ALTER TABLE that drops one column or constraint and does nothing else."""
    tokens = [token for token in tokenize(statement) if token.kind is not TokenKind.COMMENT]
    if any(token.text == "," for token in _outside_brackets(tokens)):
        return False
    match [token.keyword for token in tokens]:
        case ["DROP", *_]:
            return True
        case ["ALTER", *words]:
            return "DROP" in words[1:] and _OTHER_VERBS.isdisjoint(words)
        case _:
            return False


def _outside_brackets(tokens: list[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            yield token


def _describe_error(replay: Replay, step: Step, error: CaughtError) -> Finding:
    return Finding(
        object=f"{step.revision} {error.sqlstate or 'undone'}",
        message=_write_message(step, error),
        location=locate_query(replay, step, error.query),
        revision=step.revision,
        evidence=tuple(_collect_evidence(error)),
        fix=_suggest_fix(error),
        kind="swallowed-error",
        severity=Severity.WARNING if _is_likely_deliberate(error) else None,
    )


def _write_message(step: Step, error: CaughtError) -> str:
    if not error.is_undone:
        return f"`{step.revision}` swallowed an error: {error.message or 'the command did not end'}"
    reason = f": {error.message}" if error.message else ""
    return f"`{step.revision}` swallowed an error that undid an earlier command of its block{reason}"


def _is_likely_deliberate(error: CaughtError) -> bool:
    if error.is_undone:
        return bool(error.fallback)
    if error.changes_rows and _has_other_handler(error.query):
        return True
    if error.fallback or error.is_in_savepoint:
        return True
    is_there_already = error.sqlstate in TAKEN or error.sqlstate == SECOND_PRIMARY_KEY
    return is_there_already or DEPENDS_ON_SERVER.match(error.message) is not None


def _has_other_handler(query: str) -> bool:
    """Whether a handler of the block does more than to report the error: what it does may be as good."""
    handlers = query.partition("EXCEPTION")[2] or query.lower().partition("exception")[2]
    return any(word.upper() not in _REPORTS for word in _HANDLER.findall(handlers))


def _collect_evidence(error: CaughtError) -> Iterator[Evidence]:
    yield Evidence("undone" if error.is_undone else "statement", error.statement)
    if error.message:
        yield Evidence("error", f"{error.message} (SQLSTATE {error.sqlstate})")
    if error.catcher == "cursor":
        yield Evidence("caught by", "the revision's Python, around a cursor of the driver")
    else:
        yield Evidence("caught by", "EXCEPTION WHEN ... of a DO block or function")
    if error.fallback:
        yield Evidence("instead", error.fallback)
    if error.sqlstate in TAKEN and not error.is_undone:
        yield Evidence("unknown", "whether what has the name is what this statement would have made")
    if error.lost:
        lost = f"{count_noun(error.lost, 'later statement')} failed because of it, and did nothing"
        yield Evidence("lost", lost)


def _suggest_fix(error: CaughtError) -> str:
    if error.catcher == "cursor":
        return (
            "Let the error raise; ask the catalog first where something may or may not be there "
            "(`sa.inspect(op.get_bind())`)."
        )
    if error.sqlstate in UNDEFINED or not error.sqlstate or error.changes_rows:
        return "Fix the statement, and remove the EXCEPTION clause, so that an error ends the revision."
    return (
        "Remove the EXCEPTION clause, so that an error ends the revision; where something may or may not be "
        f"there, ask the catalog first:{code_block(_GUARD)}"
    )
