"""An error before the first revision, and what is known of the attempt that it ended."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from typing import Callable, Iterator, Optional, Sequence

from .additions import Additions
from .deferred_methods import dataclass
from .setting_calls import find_statement_lines, parse_file
from .setting_reads import SettingRead, SettingReads

MAX_STATEMENTS = 2
"""of the innermost ones that an error went through: a helper that reads a setting, and who called it"""
DATABASE_ERRORS = ("DBAPIError", "DatabaseError", "InterfaceError", "PostgresError")
"""classes of PEP 249, SQLAlchemy and asyncpg, by name: what defines them may not be imported"""


@dataclass(frozen=True)
class FailedStatement:
    """A statement of the project's that an error went through."""

    file: str
    lines: range
    """empty if the statement is not known"""

    @property
    def source(self) -> str:
        """Its text."""
        return "".join(linecache.getline(self.file, line) for line in self.lines)


@dataclass(frozen=True)
class StartupFailure:
    """What the rules look at that find out which setting was lacking."""

    errors: tuple[BaseException, ...]
    """the error and what it was raised from, outermost first"""
    reads: SettingReads
    additions: Additions
    """of the attempt"""
    refusals: Sequence[BaseException]
    """errors of settings classes for the want of a field"""
    statements: tuple[FailedStatement, ...]
    """innermost first"""
    is_project_file: Callable[[str], bool]

    @property
    def text(self) -> str:
        """What the errors say, and of what kind they are."""
        return "\n".join("%s: %s" % (type(error).__name__, read_message(error)) for error in self.errors)

    @property
    def innermost_statement(self) -> Optional[FailedStatement]:
        """The statement of the project's that failed; None if none of its code ran."""
        return self.statements[0] if self.statements else None

    def is_of_database(self) -> bool:
        """Whether a driver of a database, or the database, raised one of the errors."""
        kinds = {kind.__name__ for error in self.errors for kind in type(error).__mro__}
        return not kinds.isdisjoint(DATABASE_ERRORS)

    def is_read_by_statement(self, read: SettingRead) -> bool:
        """Whether a failed statement of the project's own read this setting, and no library for itself."""
        return self.is_own_read(read) and self.is_read_during_statement(read)

    def is_read_during_statement(self, read: SettingRead) -> bool:
        """Whether a failed statement read this setting, itself or through a library."""
        innermost = [statement for statement in self.statements[:MAX_STATEMENTS] if statement.lines]
        return any(
            caller.file == statement.file and caller.line in statement.lines
            for statement in innermost
            for caller in read.callers
        )

    def is_own_read(self, read: SettingRead) -> bool:
        """Whether the project's code asked; a library's own settings have defaults."""
        return bool(read.callers) and self.is_project_file(read.callers[0].file)

    def is_about_arguments(self) -> bool:
        """Whether an `-x` argument is lacking, or what a program sets: neither can be made up."""
        names = {*self.reads.names("x"), *self.reads.names("attribute")}
        has_named_one = any(
            isinstance(error, (KeyError, IndexError)) and error.args and str(error.args[0]) in names
            for error in self.errors
        )
        return has_named_one or bool(re.search(r"(?<![\w-])-x\b", self.text))


def read_message(error: BaseException) -> str:
    """An exception's own words; '' if it cannot print itself."""
    try:
        return str(error.code) if isinstance(error, SystemExit) else str(error)
    except Exception:
        return ""


def describe_startup_failure(
    error: BaseException,
    reads: SettingReads,
    additions: Additions,
    refusals: Sequence[BaseException],
    is_project_file: Callable[[str], bool],
) -> StartupFailure:
    """The failure, with the statements of the project's that the error went through."""
    errors = tuple(_list_chain(error))
    statements: list[FailedStatement] = []
    for link in errors:
        for frame, line in reversed(list(traceback.walk_tb(link.__traceback__))):
            file = os.path.abspath(frame.f_code.co_filename)
            if is_project_file(file) and not _is_import(file, line):
                statements.append(FailedStatement(file, _find_lines(file, line)))
    return StartupFailure(errors, reads, additions, refusals, tuple(statements), is_project_file)


def _list_chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_import(file: str, line: int) -> bool:
    """An import statement passes on what failed in a module, which has a frame of its own."""
    return bool(re.match(r"\s*(import|from)\s", linecache.getline(file, line)))


def _find_lines(file: str, line: int) -> range:
    tree = parse_file(file)
    return range(line, line + 1) if tree is None else find_statement_lines(tree, line)
