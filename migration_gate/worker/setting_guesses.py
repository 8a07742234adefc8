"""Settings that might help after an error which names none. A guess is taken back if it did not help."""

from __future__ import annotations

import dataclasses
import os
from typing import Optional

from .additions import Additions
from .named_variables import UPPER_CASE
from .placeholders import OTHER_DATABASES, is_database_setting
from .setting_reads import SettingRead, SettingReads
from .startup_failure import StartupFailure

URL_READERS = ("get_main_option", "get_section", "engine_from_config")
COMMAND_LINE_READERS = ("cmd_opts",)
SHORT_DEFAULT = 3
"""characters: a default of so few may be in any URL by chance"""


def guess_settings(
    failure: StartupFailure, *, lacks_url: bool, lacks_command_line: bool
) -> Optional[Additions]:
    """The additions with what was asked for in vain and may be what this error is about, the likeliest first.

    If the project fails again, the next guess has more: a value that fits no other variable does harm.

    `lacks_url`: the configuration has no `sqlalchemy.url`; `lacks_command_line`: it has no `cmd_opts`.
    """
    if failure.is_about_arguments():
        return None
    additions = _guess_variables(failure)
    has_no_other_guess = additions == failure.additions
    if lacks_url and (has_no_other_guess or _fails_with(failure, URL_READERS)):
        additions = dataclasses.replace(additions, url=True)
    if lacks_command_line and (has_no_other_guess or _fails_with(failure, COMMAND_LINE_READERS)):
        additions = dataclasses.replace(additions, command_line=True)
    return additions if additions != failure.additions else None


def _fails_with(failure: StartupFailure, names: tuple[str, ...]) -> bool:
    """Whether one of the names is in the statement of the project's that failed."""
    statement = failure.innermost_statement
    return statement is not None and any(name in statement.source for name in names)


def _guess_variables(failure: StartupFailure) -> Additions:
    """Those of a database, where there are any; if these did not do, those that were read near the error."""
    additions = failure.additions
    reads = [
        read
        for read in failure.reads.missing_variables().values()
        if read.name not in additions.variables and _may_help(read, failure)
    ]
    of_database = [read for read in reads if read.default is not None or is_database_setting(read.name)]
    for read in of_database or reads:
        additions = additions.replace_default(read.name, read.default)
    return additions


def _may_help(read: SettingRead, failure: StartupFailure) -> bool:
    """Whether a variable may be what the statements lacked that the error went through."""
    if read.is_existence_check or not failure.is_own_read(read):
        return False
    if read.default is not None:
        return read.default.startswith(OTHER_DATABASES)
    if is_database_setting(read.name):
        return True
    files = {statement.file for statement in failure.statements}
    is_near = any(caller.file in files for caller in read.callers)
    return is_near and bool(UPPER_CASE.match(read.name))


# Variables that lead from another dialect to PostgreSQL.


def guess_database_variables(
    reads: SettingReads, additions: Additions, replaced_urls: tuple[str, ...]
) -> Optional[Additions]:
    """Variables that, when they are set, may lead the project from another dialect to PostgreSQL.

    Those whose default is one of the replaced URLs are certain; else those of a database that have none.
    """
    defaults = {name: read.default for name, read in reads.missing_variables().items()}
    names = _list_with_replaced_default(reads, replaced_urls) or _list_without_default(reads)
    if not names:
        return None
    defaults.update(reads.defaults)
    for name in names:
        if name not in additions.variables and name not in os.environ:
            additions = additions.replace_default(name, defaults.get(name))
    return additions


def _list_with_replaced_default(reads: SettingReads, urls: tuple[str, ...]) -> list[str]:
    """Variables whose default, in the code that reads them or of a settings class, is one of the URLs."""
    missing = reads.missing_variables().values()
    defaults = [(read.name, read.default) for read in missing if read.default]
    defaults += reads.defaults.items()
    return list(dict.fromkeys(name for name, default in defaults if _is_of_url(default, urls)))


def _list_without_default(reads: SettingReads) -> list[str]:
    """Variables of a database that have no default; those of libpq are the gate's own affair."""
    return [
        read.name
        for read in reads.missing_variables().values()
        if read.default is None and is_database_setting(read.name) and not read.name.startswith("PG")
    ]


def _is_of_url(value: str, urls: tuple[str, ...]) -> bool:
    """Whether it is one of the URLs, or a part of one."""
    return any(value == url or (len(value) > SHORT_DEFAULT and value in url) for url in urls)
