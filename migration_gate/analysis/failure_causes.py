"""The usual causes of a failed revision, and what to do about each.

`CAUSES` is the table: how a cause is recognised, and the function or text that says how to fix it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from migration_gate.analysis import (
    failure_dialects,
    failure_existing_objects,
    failure_fixes,
    failure_missing_columns,
    failure_missing_objects,
    failure_types,
    quoted_expressions,
)
from migration_gate.facts import Failure, Location, Replay
from migration_gate.lazy_dataclass import dataclass

NOT_UNDERSTOOD = ("42601", "42704", "42883", "42P01", "0A000", "22023", "42P17", "42809")
"""SQLSTATEs of SQL that this server does not understand"""
FALLBACK = "Fix the revision, and run the gate again: it stops at the first failure."


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of failures. An error is of this kind if any of its three marks fits."""

    fix: str | Callable[[Failure, Replay], str | None]
    """a function returns None if the error turns out to be of another kind"""
    sqlstates: frozenset[str] = frozenset()
    message: re.Pattern[str] | None = None
    exceptions: frozenset[str] = frozenset()
    """names of Python's exception classes"""

    def matches(self, failure: Failure) -> bool:
        """Whether the error bears one of the marks of this cause."""
        if failure.sqlstate in self.sqlstates or failure.exception_class in self.exceptions:
            return True
        return self.message is not None and self.message.search(failure.message) is not None

    def describe_fix(self, failure: Failure, replay: Replay) -> str | None:
        """What to do about the error; None if it has another cause."""
        return self.fix if isinstance(self.fix, str) else self.fix(failure, replay)


def suggest_fix(failure: Failure, replay: Replay) -> str:
    """What to do about the error: the advice of the first cause that explains it, or a general one."""
    for cause in CAUSES:
        if cause.matches(failure):
            fix = cause.describe_fix(failure, replay)
            if fix:
                return fix
    return FALLBACK


def find_failure_location(failure: Failure, replay: Replay) -> Location | None:
    """The line of `revision =`, if Alembic could not write the revision's id; None for other failures."""
    if failure.sqlstate != "22001" or not failure_fixes.is_version_write(failure, replay):
        return None
    files = (file for file in replay.history.files if file.revision == failure.revision)
    return next((Location(file.path, file.line) for file in files), None)


def _make_cause(
    fix: str | Callable[[Failure, Replay], str | None],
    *sqlstates: str,
    message: str = "",
    exceptions: tuple[str, ...] = (),
) -> Cause:
    pattern = re.compile(message) if message else None
    return Cause(fix, frozenset(sqlstates), pattern, frozenset(exceptions))


CAUSES: tuple[Cause, ...] = (
    _make_cause(failure_fixes.shorten_revision_id, "22001", message="value too long"),
    _make_cause(
        failure_fixes.name_image_with_extension,
        message=r'extension "[^"]+" is not available|/[\w-]+\.control|be loaded (?:via|through)',
    ),
    _make_cause(failure_dialects.choose_major, *NOT_UNDERSTOOD, message="does not exist|syntax error"),
    _make_cause(failure_fixes.create_extension, "42704", "42883", message="does not exist"),
    _make_cause(failure_dialects.write_for_postgres, *NOT_UNDERSTOOD, message=r"does not exist|syntax error"),
    _make_cause(failure_fixes.quote_reserved_word, "42601", message="syntax error at or near"),
    _make_cause(
        failure_missing_columns.describe_missing_column,
        "42703",
        message=r'column "?\S+"? .*does not exist',
    ),
    _make_cause(
        failure_missing_objects.order_table_creation,
        "42P01",
        message=r'(?<!of )relation "\S+" does not exist',
    ),
    _make_cause(failure_fixes.prepare_schema_or_role, message=r"(?:schema|role) \S+ does not exist"),
    _make_cause(failure_types.name_operator_class, message="has no default operator class"),
    _make_cause(failure_missing_objects.describe_missing_object, "42704", "42883", message="does not exist"),
    _make_cause(failure_existing_objects.drop_dependents_first, "2BP01"),
    _make_cause(failure_dialects.replace_type, exceptions=("CompileError", "UnsupportedCompilationError")),
    _make_cause(quoted_expressions.unquote_default, "22P02", "22007"),
    _make_cause(failure_types.convert_values, "42804", message="cannot be cast automatically"),
    _make_cause(failure_fixes.leave_transaction, "25001", message="cannot run inside a transaction block"),
    _make_cause(failure_fixes.commit_enum_value, "55P04", message="unsafe use of new value"),
    _make_cause(
        failure_existing_objects.remove_second_creation,
        *("42P07", "42701", "42710", "42P06", "42723"),
        message="already exists",
    ),
    _make_cause(
        failure_fixes.correct_rows("fill the column first, or give it a `server_default`"),
        *("23502",),
    ),
    _make_cause(
        failure_fixes.correct_rows(
            "insert the rows that are referenced first, or delete the ones that reference nothing"
        ),
        *("23503",),
    ),
    _make_cause(failure_fixes.correct_rows("remove the duplicates first"), "23505"),
    _make_cause(failure_fixes.correct_rows("correct the rows that break the rule first"), "23514", "23P01"),
    _make_cause(failure_fixes.USE_ONE_CONNECTION, "55P03", "40P01"),
    _make_cause(failure_fixes.LET_FIRST_ERROR_RAISE, "25P02"),
    _make_cause(
        failure_fixes.LEAVE_COMMIT_TO_ALEMBIC,
        message="closed transaction inside context manager|transaction is already (?:begun|initialized)"
        "|has already (?:begun|initialized) a",
    ),
    _make_cause(failure_fixes.install_module, exceptions=("ModuleNotFoundError", "ImportError")),
    _make_cause(failure_fixes.CORRECT_PATH, exceptions=("FileNotFoundError",)),
    _make_cause(failure_fixes.set_environment_variable, exceptions=("KeyError",)),
    _make_cause(failure_fixes.WRITE_UPGRADE, exceptions=("NotImplementedError",)),
)
"""in the order in which they are tried"""
