"""What came of downgrades, in words: where a finding is shown, what supports it, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from migration_gate.analysis.disabled_triggers import UNENFORCED
from migration_gate.analysis.rehearsal_messages import FORBIDDEN_NULLS
from migration_gate.analysis.rolled_back_files import find_rolled_back_file
from migration_gate.analysis.safe_operations import execute
from migration_gate.check import Evidence
from migration_gate.facts import DowngradeText, Failure, Location, Replay, RollbackDifference
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier, split_qualified_name
from migration_gate.wording import code_block, join_lines

DECLARE_ONE_WAY = (
    "If the revision cannot be undone, say so in `downgrade()`: `raise NotImplementedError(reason)`."
)
SHOWN_FRAMES = 4
_ROWS = ("22", "23")
"""classes of SQLSTATEs of errors that depend on the rows"""
SETS_NOT_NULL = re.compile(r"\bSET\s+NOT\s+NULL\b", re.IGNORECASE)
_NAME = r"""(?:"(?:[^"]|"")+"|[\w$]+)"""
ALTERED_TABLE = re.compile(
    rf"^\s*ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?({_NAME}(?:\.{_NAME})?)", re.IGNORECASE
)
"""as the statement writes it: with its schema, and of partitions the table whose parts they are"""
_DOWNGRADE_FIXES: Mapping[str, str] = {
    "23502": "Rows have no value for the column then: add it with a `server_default`, or add it as nullable, "
    "fill it, and set NOT NULL after that.",
    "23503": "Remove or correct the rows that reference nothing before the foreign key is made.",
    "23505": "Remove the duplicates before the rule is made.",
    "23514": "Correct the rows that break the rule before it is made.",
    "22001": "Shorten the values before the column gets the shorter type.",
    "42804": "Say how the values are converted: `postgresql_using='column::type'`.",
    "2BP01": "Drop what depends on the object first: in the opposite order of `upgrade()`.",
    "55006": "Something still uses the object: drop or disable that first.",
    "25001": "Run the statement in `with op.get_context().autocommit_block():`.",
    "42704": "Drop the object under the name which `upgrade()` gave it.",
    "42P01": "Name the table as it is called after `upgrade()`.",
    "42703": "Name the column as it is called after `upgrade()`.",
}
_LEFT_FIXES: Mapping[str, str] = {
    "enum type": 'op.execute("DROP TYPE {name}")',
    "domain": 'op.execute("DROP DOMAIN {name}")',
    "sequence": 'op.execute("DROP SEQUENCE {name}")',
    "function": 'op.execute("DROP FUNCTION {name}")',
    "procedure": 'op.execute("DROP PROCEDURE {name}")',
    "view": 'op.execute("DROP VIEW {name}")',
    "materialized view": 'op.execute("DROP MATERIALIZED VIEW {name}")',
    "extension": 'op.execute("DROP EXTENSION {name}")',
    "schema": 'op.execute("DROP SCHEMA {name}")',
    "table": 'op.drop_table("{name}")',
    "trigger": 'op.execute("DROP TRIGGER {name}")',
    "policy": 'op.execute("DROP POLICY {name}")',
}

PRIVILEGES = "privileges"
_PRIVILEGE_FIXES: Mapping[str, str] = {
    "left-behind": "Take them back in `downgrade()`, with REVOKE.",
    "lost": "Give them again in `downgrade()`, with GRANT.",
    "altered": "Make them what they were in `downgrade()`, with GRANT and REVOKE.",
}


def find_downgrade_text(replay: Replay, revision: str) -> DowngradeText:
    """The downgrade as it is written; an empty description if the file was not read."""
    file = find_rolled_back_file(replay, revision)
    return file.downgrade if file is not None else DowngradeText()


def locate_downgrade(replay: Replay, revision: str) -> Location | None:
    """The line of its `def downgrade`, else the revision's."""
    file = find_rolled_back_file(replay, revision)
    if file is not None:
        return Location(file.path, file.downgrade.line or file.line)
    known = replay.history.find_revision(revision)
    return known.location if known is not None else None


def collect_failure_evidence(failure: Failure, rows: str = "", row: str = "") -> Iterator[Evidence]:
    """The statement, what Postgres or Python said of it, and with which `rows`, or `row`, that was."""
    error = failure.first_error or failure
    sqlstate = f"(SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    texts = {
        "statement": error.statement,
        "error": f"{error.exception_class} {sqlstate}".strip(),
        "detail": error.detail,
        "hint": error.hint,
        "row": row,
        "seen as": failure.message if error is not failure else None,
    }
    for label, text in texts.items():
        if text:
            yield Evidence(label, text)
    if not error.statement:
        for frame in error.traceback[-SHOWN_FRAMES:]:
            yield Evidence("frame", frame)
    if rows:
        yield Evidence("rows", rows)
    elif depends_on_rows(failure):
        yield Evidence("rows", "the tables held rows of the gate's; without rows it may succeed")


def depends_on_rows(failure: Failure) -> bool:
    """Whether a downgrade failed because of values of rows, which an empty database does not have."""
    if failure.direction != "downgrade":
        return False
    error = failure.first_error or failure
    return (error.sqlstate or "")[:2] in _ROWS


def suggest_downgrade_fix(failure: Failure) -> str:
    """What to do about a downgrade that fails."""
    error = failure.first_error or failure
    advice = f"{_DOWNGRADE_FIXES.get(error.sqlstate or '', 'Correct `downgrade()`.')} "
    nulls = FORBIDDEN_NULLS.search(error.message)
    if nulls is not None and SETS_NOT_NULL.search(error.statement or ""):
        column = quote_identifier(nulls["column"])
        altered = ALTERED_TABLE.match(error.statement or "")
        table = altered[1] if altered else quote_identifier(nulls["table"])
        update = f"UPDATE {table} SET {column} = ... WHERE {column} IS NULL"  # noqa: S608 - nobody runs it
        advice = f"Fill the rows that have no value before NULL is forbidden:{code_block(execute(update))}\n"
    return f"{advice}{DECLARE_ONE_WAY}"


def describe_leftover(difference: RollbackDifference) -> str:
    """What a downgrade did not undo, as a clause after the name of the revision."""
    what = f"{PRIVILEGES} on" if difference.noun == PRIVILEGES else difference.noun
    name = f"the {what} `{join_lines(difference.object)}`"
    if difference.expected is None:
        return f"left {name} behind"
    if difference.found is None:
        return f"did not bring back {name}"
    return f"left {name} other than {'they were' if difference.noun == PRIVILEGES else 'it was'}"


def find_leftover_kind(difference: RollbackDifference) -> str:
    """The kind of the finding."""
    if difference.expected is None:
        return "left-behind"
    return "lost" if difference.found is None else "altered"


def suggest_leftover_fix(
    difference: RollbackDifference, differences: Iterable[RollbackDifference] = ()
) -> str:
    """What to write into `downgrade()`; `differences` are all that the same downgrade left."""
    if difference.noun == PRIVILEGES:
        return _PRIVILEGE_FIXES[find_leftover_kind(difference)]
    if difference.noun == UNENFORCED:
        return _suggest_triggers(difference)
    other = _find_other_name(difference, tuple(differences))
    if other is not None:
        end = "drop it there" if difference.expected is None else "create it there as it was"
        direction = "from" if difference.expected is None else "to"
        return (
            f"If `upgrade()` renamed it ({direction} `{join_lines(other.object)}`), rename it back in "
            f"`downgrade()`: so its values stay. Else {end}."
        )
    if difference.expected is None:
        code = _LEFT_FIXES.get(difference.noun, "").format(name=join_lines(difference.object))
        return f"Drop it in `downgrade()`:{code_block(code)}" if code else "Drop it in `downgrade()`."
    if difference.found is None:
        return "Create it in `downgrade()` as it was."
    return "Set it back in `downgrade()`."


def _suggest_triggers(difference: RollbackDifference) -> str:
    """What makes Postgres look at a foreign key, or not, as it did before."""
    *_, schema, table = split_qualified_name(difference.object)
    clause = "ENABLE" if difference.expected is None else "DISABLE"
    code = execute(f"ALTER TABLE {name_on_search_path(schema, table)} {clause} TRIGGER ALL")
    return f"{clause.capitalize()} the triggers of the table in `downgrade()`:{code_block(code)}"


def _find_other_name(
    difference: RollbackDifference, differences: Sequence[RollbackDifference]
) -> RollbackDifference | None:
    """What may be the same column under another name: the only one that is like it and on the other side."""
    if difference.noun != "column":
        return None
    alike = [item for item in differences if _are_sides(item, difference)]
    rivals = [item for item in differences if alike and _are_sides(item, alike[0])]
    return alike[0] if len(alike) == len(rivals) == 1 else None


def _are_sides(one: RollbackDifference, other: RollbackDifference) -> bool:
    """Whether these are columns of one table with one definition, one of them missing, the other left."""
    tables = {item.object.rpartition(".")[0] for item in (one, other)}
    is_crossed = (one.expected, one.found) == (other.found, other.expected)
    return one.noun == other.noun and len(tables) == 1 and is_crossed and None in (one.expected, one.found)


def list_sides(difference: RollbackDifference, before: str, after: str) -> tuple[Evidence, Evidence]:
    """Both definitions, under these labels."""
    return (
        Evidence(before, "nothing" if difference.expected is None else difference.expected),
        Evidence(after, "nothing" if difference.found is None else difference.found),
    )
