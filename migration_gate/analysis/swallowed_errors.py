"""Problems of a step that Alembic took for a success: errors that it caught, a transaction that it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.analysis.ddl_text import find_transaction_end
from migration_gate.analysis.op_code import quote_python
from migration_gate.analysis.savepoints import find_undone_statements
from migration_gate.analysis.step_location import find_statement_location
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Failure, Replay, Statement, Step
from migration_gate.sql.lexer import Token, tokenize
from migration_gate.wording import code_block, count_noun

TRANSACTION_IS_ABORTED = "25P02"
"""the SQLSTATE of every statement after an error, until the transaction ends"""

SHOWN_UNDONE = 3
"""statements that a savepoint undid beside the one that failed"""
_BEFORE_TABLE_NAME = {"TABLE", "INTO", "UPDATE", "FROM"}
_BETWEEN = {"IF", "NOT", "EXISTS", "ONLY"}
_UNKNOWN_TABLE = "the_table"
"""what the suggested code calls a table whose name the statement does not show"""


def find_swallowed_errors(replay: Replay, step: Step) -> Iterator[Finding]:
    """Errors that the revision caught. One inside a savepoint is likely a deliberate try: a warning."""
    # After an error, Postgres refuses every further statement of the transaction.
    aborted = sum(_is_consequence(statement.error) for statement in step.statements)
    for number, statement in enumerate(step.statements):
        error = statement.error
        if error is None or _is_consequence(error):
            continue
        if not aborted and _has_comparison(replay, step, statement):
            continue  # the name was taken: alike, or a hidden conflict
        yield Finding(
            object=f"{step.revision} {error.sqlstate or error.exception_class}",
            message=f"`{step.revision}` swallowed an error: {error.message}",
            location=find_statement_location(replay, step, statement),
            revision=step.revision,
            evidence=_collect_evidence(statement, error, aborted, find_undone_statements(step, number)),
            fix=_suggest_asking_catalog(statement.sql),
            kind="swallowed-error",
            severity=Severity.WARNING if _is_in_savepoint(step, number) else None,
        )
        aborted = 0  # the statements that failed later are shown once, with the first error


def _is_consequence(error: Failure | None) -> bool:
    return error is not None and error.sqlstate == TRANSACTION_IS_ABORTED


def _has_comparison(replay: Replay, step: Step, statement: Statement) -> bool:
    return any(
        skipped.step == step.number and skipped.query == statement.sql and skipped.wanted is not None
        for skipped in replay.skipped_creations
    )


def _collect_evidence(
    statement: Statement, error: Failure, aborted: int, undone: tuple[Statement, ...]
) -> tuple[Evidence, ...]:
    evidence = (
        Evidence("statement", statement.sql),
        Evidence("error", f"{error.message} (SQLSTATE {error.sqlstate})"),
        *_list_undone(undone),
    )
    if not aborted:
        return evidence
    lost = f"{count_noun(aborted, 'later statement')} failed because of it, and did nothing"
    return (*evidence, Evidence("lost", lost))


def _list_undone(undone: tuple[Statement, ...]) -> Iterator[Evidence]:
    """What had succeeded, and went with the savepoint."""
    for statement in undone[:SHOWN_UNDONE]:
        yield Evidence("undone with it", statement.sql)
    if len(undone) > SHOWN_UNDONE:
        more = count_noun(len(undone) - SHOWN_UNDONE, "more statement")
        yield Evidence("undone with it", f"{more} of the savepoint")


def _suggest_asking_catalog(sql: str) -> str:
    table = quote_python(_find_table_name(sql))
    code = f"if {table} in sa.inspect(op.get_bind()).get_table_names():\n    ..."
    advice = "Let the error raise, and ask the catalog first where something may or may not be there:"
    return f"{advice}{code_block(code)}"


def _find_table_name(sql: str) -> str:
    """The table that a statement names first, as far as its words show."""
    tokens = list(tokenize(sql))
    for number, token in enumerate(tokens):
        if token.keyword in _BEFORE_TABLE_NAME:
            name = _read_last_name_part(tokens[number + 1 :])
            if name:
                return name
    return _UNKNOWN_TABLE


def _read_last_name_part(tokens: Sequence[Token]) -> str:
    name = ""
    for token in tokens:
        if not name and token.keyword in _BETWEEN:
            continue
        if token.name and not name:
            name = token.name
        elif token.text == "." and name:
            name = ""
        else:
            break
    return name


def _is_in_savepoint(step: Step, number: int) -> bool:
    """Whether a savepoint was set before the statement, and rolled back to after it."""
    return _sets_savepoint_before(step, number) and _rolls_back_after(step, number)


def _sets_savepoint_before(step: Step, number: int) -> bool:
    recorded = any(
        boundary.kind == "savepoint" and boundary.statements_before <= number
        for boundary in step.transactions
    )
    written = any(_starts_with(statement, "SAVEPOINT") for statement in step.statements[:number])
    return recorded or written


def _rolls_back_after(step: Step, number: int) -> bool:
    recorded = any(
        boundary.kind == "rollback to savepoint" and boundary.statements_before > number
        for boundary in step.transactions
    )
    written = any(_starts_with(statement, "ROLLBACK TO") for statement in step.statements[number + 1 :])
    return recorded or written


def _starts_with(statement: Statement, words: str) -> bool:
    return statement.sql.lstrip().upper().startswith(words)


_KEPT = "what came before it stays when a later revision fails; the version row does not"
_UNDONE = "what came before it in the transaction is undone; that the revision ran is recorded all the same"
_INSTEAD_OF_COMMIT = "Delete it. Where a statement must run outside a transaction:" + code_block(
    "with op.get_context().autocommit_block():\n    op.execute(...)"
)
_INSTEAD_OF_ROLLBACK = "Delete it. Where a statement may fail, and only that is to be undone:" + code_block(
    "with op.get_bind().begin_nested():\n    op.execute(...)"
)


def find_raw_commits(replay: Replay, step: Step) -> Iterator[Finding]:
    """A COMMIT or ROLLBACK as text: what follows runs outside of Alembic's transaction.

    In an autocommit block, or on another connection, Alembic has no transaction that it could end.
    """
    for statement in step.statements:
        if not statement.in_migration_transaction:
            continue
        word = find_transaction_end(statement.sql)
        if word is None or statement.error:
            continue
        is_rollback = word in ("ROLLBACK", "ABORT")
        yield Finding(
            object=f"{step.revision} {word}",
            message=f"`{step.revision}` ended Alembic's transaction by a raw {word}",
            location=find_statement_location(replay, step, statement),
            revision=step.revision,
            evidence=(
                Evidence("statement", statement.sql),
                Evidence("so", _UNDONE if is_rollback else _KEPT),
            ),
            fix=_INSTEAD_OF_ROLLBACK if is_rollback else _INSTEAD_OF_COMMIT,
            kind="raw-commit",
        )
