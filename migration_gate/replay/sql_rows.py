"""Runs a SQL file that adds rows, statement by statement, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.statements import RawStatement, split_statements

if TYPE_CHECKING:
    import psycopg

ENDING = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE"})
"""first words of statements that begin or end transactions; PREPARE of a statement is of no use here"""
MISFITS = ("42P01", "42703", "3F000", "42704")
"""undefined table, column, schema or type: what the base does not have yet"""
GRACE_SECONDS = 1.0
"""after the limit that the server keeps by itself, unless the file has switched it off, as pg_dump's do"""


class OwnRowsRefused(Exception):
    """Rows of the project's own could not be made."""

    def __init__(self, why: str, advice: str = "", *, setting: str = "") -> None:
        """`why`: a clause. `setting`: that has to be changed; '' if it may be any."""
        super().__init__(why)
        self.why = why
        self.advice = advice
        self.setting = setting


@dataclass(frozen=True, slots=True)
class RowStatement:
    """A statement of the file."""

    text: str
    line: int
    keyword: str
    psql_end: str
    """STDIN or STDOUT, where COPY reads or writes what only psql has; else ''"""


def list_row_statements(text: str) -> Iterator[RowStatement]:
    """The statements, each as it is written up to the next one."""
    statements = list(split_statements(text))
    ends = [statement.tokens[0].start for statement in statements[1:]]
    for statement, end in zip(statements, [*ends, len(text)], strict=False):
        yield RowStatement(
            text[statement.tokens[0].start : end],
            statement.line,
            statement.tokens[0].keyword,
            _find_psql_end(statement),
        )


def _find_psql_end(statement: RawStatement) -> str:
    if statement.tokens[0].keyword != "COPY":
        return ""
    return next((token.keyword for token in statement.tokens if token.keyword in ("STDIN", "STDOUT")), "")


def execute_rows(
    session: psycopg.Connection[Any], text: str, file: str, search_path: str, seconds: float
) -> None:
    """Run the statements of the file, and commit them. Raises OwnRowsRefused.

    seconds: the longest that one of them may take.
    """
    import psycopg  # noqa: PLC0415 - loaded while the server starts

    statements = list(list_row_statements(text))
    for statement in statements:
        _demand_plain(statement, file)
    if search_path:
        session.execute("select set_config('search_path', %s, false)", [search_path])
    place = file
    try:
        with session.transaction():
            for statement in statements:
                place = f"{file}:{statement.line}"
                with _limit_time(session, seconds):
                    session.execute(statement.text.encode())
            place = f"{file}, at its end"
            session.execute("set constraints all immediate")
    except psycopg.Error as error:
        detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        raise OwnRowsRefused(
            f"`{place}`: {error.diag.message_primary or error}{detail}",
            "" if error.sqlstate in MISFITS else "Correct the statement",
            setting="rehearsal.sql_file",
        ) from error


@contextmanager
def _limit_time(session: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """Cancel what the session does, if the block does not end in time."""
    timer = threading.Timer(seconds + GRACE_SECONDS, session.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _demand_plain(statement: RowStatement, file: str) -> None:
    place = f"`{file}:{statement.line}`"
    if statement.keyword in ENDING:
        raise OwnRowsRefused(
            f"{place}: {statement.keyword} is not for this file, which the gate runs in one transaction",
            f"Take {statement.keyword} out",
            setting="rehearsal.sql_file",
        )
    if statement.psql_end:
        does = "reads the rows behind COPY ... FROM" if statement.psql_end == "STDIN" else "shows COPY ... TO"
        raise OwnRowsRefused(
            f"{place}: only psql {does} {statement.psql_end.lower()}",
            "Write INSERT (`pg_dump --inserts`)",
            setting="rehearsal.sql_file",
        )
