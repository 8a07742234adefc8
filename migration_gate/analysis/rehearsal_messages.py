"""What became of rows, in words: where a finding is shown, what supports it, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migration_gate.analysis.op_code import format_operation, quote_python, schema_keyword
from migration_gate.analysis.refusals import refuses_rows
from migration_gate.analysis.safe_operations import execute, join_code
from migration_gate.check import Evidence, Severity
from migration_gate.facts import Failure, Location, Replay, RowChange, RowFailure
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block, count_noun

KINDS_BY_SQLSTATE: Mapping[str, str] = {
    "23502": "not-null",
    "23503": "foreign-key",
    "23505": "unique",
    "23514": "check",
    "23P01": "exclusion",
}
FAILURE_KINDS = (*KINDS_BY_SQLSTATE.values(), "value", "code")
CERTAIN_KINDS = ("not-null", "unique", "foreign-key")
"""what the schema does not forbid, production has sooner or later"""
CONTENT_KINDS = ("check", "exclusion")
"""an application may never have written what breaks these"""
TOO_LARGE = ("22001", "22003")
"""string_data_right_truncation, numeric_value_out_of_range: the old type holds more than the new one"""
RAISED = "P0001"
"""raise_exception: in a statement that writes rows, of a trigger"""
_DDL = re.compile(r"^\s*(?:alter|create|drop|comment|reindex)\b", re.IGNORECASE)
_WRITE = re.compile(r"^\s*(?:insert|update|delete|merge|copy|truncate)\b", re.IGNORECASE)
_KEY = re.compile(r"^Key \((?P<columns>[^)]*)\)=")
FORBIDDEN_NULLS = re.compile(r'column "(?P<column>.+?)" of relation "(?P<table>.+?)" contains null values')
_WORD = re.compile(r"\w+")
_PARTIAL_KEY = re.compile(
    r"^\s*CREATE\s+UNIQUE\s+INDEX\b.*?\bWHERE\b(?P<condition>.+)$", re.IGNORECASE | re.DOTALL
)
_NULLS_ALIKE = re.compile(r"\bNULLS\s+NOT\s+DISTINCT\b", re.IGNORECASE)
_ADDED = re.compile(r"\badd\s+(?:column\s+)?\S", re.IGNORECASE)


def locate_change(replay: Replay, revision: str, line: int | None) -> Location | None:
    """The line of the statement in the revision's file, else the revision's."""
    known = replay.history.find_revision(revision)
    if known is None:
        return None
    return known.location if line is None else Location(known.location.file, line)


def collect_change_evidence(change: RowChange) -> Iterator[Evidence]:
    """A row, its value before and after, and the statement."""
    if change.statement:
        yield Evidence("statement", change.statement)
    if change.row:
        yield Evidence("row", change.row)
    if change.after:
        yield Evidence("before", change.before)
        yield Evidence("after", change.after)


def count_rows(change: RowChange) -> str:
    """`5 of 20 rows`."""
    return f"{change.count} of {count_noun(change.total, 'row')}"


def declare(check: str) -> str:
    """How a revision says that this is meant."""
    return (
        "If it is meant, say so above that line or at the top of its file, with the reason:\n\n"
        f"{code_block(f'# migration-gate: allow {check} -- backup taken, unused since 2.3')}"
    )


@dataclass(frozen=True, slots=True)
class FailureOnRows:
    """How a failure is judged."""

    kind: str
    severity: Severity


def judge_failure(failure: RowFailure) -> FailureOnRows:
    """An error where the schema itself allows the rows; less where only made-up content may be to blame."""
    error = failure.failure.first_error or failure.failure
    sqlstate = error.sqlstate or ""
    kind = KINDS_BY_SQLSTATE.get(sqlstate, "value" if sqlstate.startswith("22") else "code")
    if failure.rows == "own":
        return FailureOnRows(kind, Severity.ERROR)  # the project says that there are such rows
    is_ddl = bool(error.statement and _DDL.search(error.statement))
    if sqlstate == RAISED and error.statement and _WRITE.search(error.statement):
        return FailureOnRows(kind, Severity.WARNING)  # a trigger is a rule, as a CHECK is
    if kind in CERTAIN_KINDS or (is_ddl and sqlstate in TOO_LARGE):
        return FailureOnRows(kind, Severity.WARNING if failure.rows == "extreme" else Severity.ERROR)
    if kind in CONTENT_KINDS or (is_ddl and kind == "value"):
        return FailureOnRows(kind, Severity.WARNING)
    # Code may expect a content that made-up rows do not have; NULL and empty texts are no such thing.
    return FailureOnRows(kind, Severity.WARNING if failure.rows == "unusual" else Severity.NOTE)


def has_failed_on_rows(replay: Replay, failure: Failure) -> bool:
    """Whether the revision failed with the same error when it ran from the base, with rows."""
    error = failure.first_error or failure
    for rehearsed in replay.rehearsal.revisions:
        if rehearsed.revision == failure.revision and rehearsed.failure is not None:
            first = rehearsed.failure.failure.first_error or rehearsed.failure.failure
            return (first.sqlstate, first.statement) == (error.sqlstate, error.statement)
    return False


ROWS_IN_WORDS: Mapping[str, str] = {
    "plain": "plain ones, with made-up values in the columns that need one",
    "filled": "plain ones, with made-up values in optional columns; with NULL there it runs",
    "unusual": "NULL, duplicates, empty or long texts",
    "own": "those that the project adds (`rehearsal:`)",
    "extreme": "the largest numbers, infinite dates or the JSON value null",
}


def collect_failure_evidence(failure: RowFailure) -> Iterator[Evidence]:
    """The statement, Postgres's words, and the row."""
    error = failure.failure.first_error or failure.failure
    sqlstate = f"(SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    texts = {
        "statement": error.statement,
        "error": f"{error.exception_class} {sqlstate}".strip(),
        "detail": error.detail,
        "row": failure.row,
        "rows": "any" if is_about_any_row(failure) else ROWS_IN_WORDS[failure.rows],
    }
    for label, text in texts.items():
        if text:
            yield Evidence(label, text)


def is_about_any_row(failure: RowFailure) -> bool:
    """Whether it does not matter what the rows hold: a column is added that none of them has a value for."""
    return failure.rows == "plain" and judge_failure(failure).kind == "not-null"


def blame_rows(failure: Failure) -> RowFailure | None:
    """The failure as one over rows, if a statement of its DDL makes a rule that rows break; else None."""
    error = failure.first_error or failure
    is_ddl = bool(error.statement and _DDL.search(error.statement))
    return RowFailure(failure, "plain") if is_ddl and error.sqlstate in KINDS_BY_SQLSTATE else None


def suggest_failure_fix(replay: Replay, failure: RowFailure) -> str:
    """What to do before the statement, with the project's own names."""
    error = failure.failure.first_error or failure.failure
    kind = judge_failure(failure).kind
    if kind == "not-null":
        return _suggest_backfill(replay, failure)
    if refuses_rows(error):
        return _REFUSED_ROWS
    columns = _find_key(error)
    if kind == "unique" and columns:
        return _suggest_unique(replay, failure, columns)
    return _FIXES.get(kind, "")


_REFUSED_ROWS = (
    "The revision's own code refuses such rows: where production has one, the deployment ends here. Look for "
    "them before, and correct them in a revision that runs earlier."
)
_FIXES: Mapping[str, str] = {
    "check": "Correct the rows that break the rule before it is made, in the same revision; or make it "
    "`NOT VALID`, correct them, and validate it later.",
    "exclusion": "Correct the rows that break the rule before it is made, in the same revision.",
    "unique": "Remove or merge the duplicates first, in the same revision.",
    "foreign-key": "Correct or remove the rows that reference nothing first, in the same revision.",
    "value": "Say how each value that the old type allows is converted (`postgresql_using=`), or correct "
    "the values first.",
    "code": "Let the code expect what the columns allow: NULL, empty texts, no rows at all.",
}


def _suggest_backfill(replay: Replay, failure: RowFailure) -> str:
    error = failure.failure.first_error or failure.failure
    match = FORBIDDEN_NULLS.search(error.message)
    if match is None:
        return "Fill the column of the rows that have no value in it, before NULL is forbidden."
    schema, table = _find_blamed_table(replay, failure, match["table"])
    names, keywords = [quote_python(table), quote_python(match["column"])], schema_keyword(schema)
    target, column = name_on_search_path(schema, table), quote_identifier(match["column"])
    backfill = [
        execute(f"UPDATE {target} SET {column} = ... WHERE {column} IS NULL"),  # noqa: S608 - nobody runs it
        format_operation("alter_column", *names, nullable="False", **keywords),
    ]
    statement = (error.statement or "").lower()
    if not _ADDED.search(statement) or "set not null" in statement:
        return f"Fill the rows that have no value, then forbid NULL:{code_block(join_code(backfill))}"
    added = f"sa.Column({names[1]}, ..., nullable=True)"
    code = code_block(join_code(format_operation("add_column", names[0], added, **keywords), backfill))
    return (
        "The rows that are there have no value for it. Add it as nullable, fill it, then forbid NULL; or "
        f"give it a `server_default`:{code}"
    )


def _find_blamed_table(replay: Replay, failure: RowFailure, name: str) -> tuple[str, str]:
    """Schema and name of the table that a message means; of a partition, the table that it is a part of."""
    named = [table for table in replay.catalog.tables if table.name == name]
    blamed = [table for table in named if str(table) in failure.tables] or named
    if len(blamed) != 1:
        return "public", name
    table = blamed[0]
    while table.partition_bound and table.inherits:
        parent = replay.catalog.find_table(*table.inherits[0].split(".", 1))
        if parent is None:
            break
        table = parent
    return table.schema, table.name


def _find_key(error: Failure) -> list[str]:
    match = _KEY.match(error.detail or "")
    return [name.strip() for name in match["columns"].split(",")] if match else []


def _suggest_unique(replay: Replay, failure: RowFailure, columns: list[str]) -> str:
    tables = [item for item in replay.catalog.tables if str(item) in failure.tables]
    error = failure.failure.first_error or failure.failure
    words = set(_WORD.findall(error.statement or ""))
    named = [item for item in tables if words.issuperset(_WORD.findall(f"{item.schema} {item.name}"))]
    meant = tables if len(failure.tables) == 1 else named
    table = name_on_search_path(meant[0].schema, meant[0].name) if len(meant) == 1 else "..."
    delete = execute(_delete_duplicates(table, columns, error.statement or ""))
    return (
        "Remove or merge the duplicates first, in the same revision; to keep the last row of each (which has "
        f"to be declared as `lost-rows`):{code_block(delete)}"
    )


def _delete_duplicates(table: str, columns: list[str], statement: str) -> str:
    """The statement that keeps the last row of each: nobody runs it here."""
    partial = _PARTIAL_KEY.match(statement)
    if partial is None and not _NULLS_ALIKE.search(statement):
        same = " AND ".join(f"a.{name} = b.{name}" for name in columns)
        return f"DELETE FROM {table} a USING {table} b WHERE a.ctid < b.ctid AND {same}"  # noqa: S608
    # Rows for which the condition does not hold stay, and of those with NULL there may be duplicates, too.
    condition = f" WHERE {partial['condition'].strip().rstrip(';')}" if partial is not None else ""
    place = f"row_number() OVER (PARTITION BY {', '.join(columns)} ORDER BY ctid DESC) AS place"
    numbered = f"SELECT tableoid, ctid, {place} FROM {table}{condition}"  # noqa: S608
    return (
        f"DELETE FROM {table} WHERE (tableoid, ctid) IN "  # noqa: S608
        f"(SELECT tableoid, ctid FROM ({numbered}) AS numbered WHERE place > 1)"
    )
