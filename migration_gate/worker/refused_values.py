"""Other values for variables of this run whose dummy value an error complains of."""

from __future__ import annotations

import enum
import linecache
import re
import traceback
from typing import Callable, Iterator, Optional, Sequence

from .additions import Additions
from .known_choices import list_known_choices
from .named_variables import list_refused_dynaconf_names, mentions
from .placeholders import PLACEHOLDER_URL, QUOTED_WORD, suggest_texts
from .startup_failure import StartupFailure

COMPARISON = re.compile(r"\b(?:not )?in\s*(?=[\[({])|[!=]=")
"""of a value with what it may be; what stands after it are the values"""
DATABASE_URL_COMPLAINT = re.compile(
    r"parse (SQLAlchemy|rfc1738) URL|Can't load plugin: sqlalchemy\.dialects|Could not parse .*URL"
)
WANTED_PARTS = re.compile(r"not enough values to unpack \(expected (\d)")
SPLIT = re.compile(r"split\(['\"]([^'\"])['\"]")
URL_PREFIX = re.compile(r"startswith\(['\"](postgres\w*(?:\+\w+)?)://")
SHORT_VALUE = 5
"""characters: a value of so few may stand in any text by chance"""
NEAR_LINES = 20


def try_other_named_value(failure: StartupFailure) -> Optional[Additions]:
    """The additions with another value for a variable that the error names, or whose value it shows."""
    return _try_other_value(failure, _list_named(failure) or _list_with_shown_value(failure))


def try_other_value(failure: StartupFailure) -> Optional[Additions]:
    """The additions with another value for a variable; None if none is left that may do."""
    return _try_other_value(failure, list_refused_variables(failure))


def _try_other_value(failure: StartupFailure, names: Sequence[str]) -> Optional[Additions]:
    additions = failure.additions
    for name in dict.fromkeys(names):
        used = (additions.variables[name], *additions.tried.get(name, ()))
        for text in _list_other_values(failure, name, used[0]):
            if text not in (name, *used):
                return additions.add_variable(name, text)
    return None


def without_refused_values(failure: StartupFailure) -> Additions:
    """The additions without variables of which no value did: the error for the want of them says more."""
    return failure.additions.without(list_refused_variables(failure))


# Which variables.


def list_refused_variables(failure: StartupFailure) -> list[str]:
    """Variables of this run that the error may be about, by the surest sign that there is."""
    for list_variables in SIGNS:
        names = list_variables(failure)
        if names:
            return names
    return []


def _list_named(failure: StartupFailure) -> list[str]:
    """The error names them."""
    text, given = failure.text, failure.additions.variables
    names = [name for name in given if mentions(text, name)]
    return names or [name for name in list_refused_dynaconf_names(failure) if name in given]


def _list_with_shown_value(failure: StartupFailure) -> list[str]:
    """The error shows their value; of several with the same one, those that the failed statement has read."""
    given, text = failure.additions.variables, failure.text
    names = [name for name, value in given.items() if len(value) > SHORT_VALUE and value in text]
    read_names = {read.name for read in failure.reads.reads if failure.is_read_during_statement(read)}
    return [name for name in names if name in read_names] or names


def _list_read_by_statement(failure: StartupFailure) -> list[str]:
    """A statement that failed has read them; of several that a library read for it, the last tried."""
    given, tried = failure.additions.variables, failure.additions.tried
    reads = [read for read in failure.reads.reads if read.name in given]
    own = [read.name for read in reads if failure.is_read_by_statement(read)]
    if own:
        return own
    names = list(dict.fromkeys(read.name for read in reads if failure.is_read_during_statement(read)))
    return names if len(names) == 1 else [name for name in tried if name in names][-1:]


def _list_without_url(failure: StartupFailure) -> list[str]:
    """The error is about a database's URL, and their value is none; newest first."""
    if not _is_about_url(failure):
        return []
    given = failure.additions.variables
    return [name for name, value in given.items() if not value.startswith("postgresql")][::-1]


def _list_read_shortly_before(failure: StartupFailure) -> list[str]:
    """The one that was read last in the file that failed, above the failed statement."""
    statement = failure.innermost_statement
    if statement is None or _is_about_url(failure):
        return []
    above = [
        (caller.line, read.name)
        for read in failure.reads.reads
        if read.name in failure.additions.variables
        for caller in read.callers[:2]
        if caller.file == statement.file
        and statement.lines.start - NEAR_LINES <= caller.line < statement.lines.start
    ]
    return [max(above)[1]] if above else []


def _is_about_url(failure: StartupFailure) -> bool:
    return bool(DATABASE_URL_COMPLAINT.search(failure.text))


SIGNS: tuple[Callable[[StartupFailure], list[str]], ...] = (
    _list_named,
    _list_with_shown_value,
    _list_read_by_statement,
    _list_without_url,
    _list_read_shortly_before,
)
"""that the error is about a variable, the surest first"""


# Which values.


def _list_other_values(failure: StartupFailure, name: str, value: str) -> Iterator[str]:
    """Values that the variable may have, the surest first; `value` is the one that it had."""
    yield from _list_enum_values(failure)
    for error in failure.errors:
        yield from list_known_choices(error, value)
    yield from _list_compared_words(failure)
    complaint = _find_complaint(failure, name).replace(value, "")
    yield from suggest_texts(name, complaint)


def _find_complaint(failure: StartupFailure, name: str) -> str:
    """What the errors say of this variable: environs collects messages by name (`error_messages`)."""
    for error in failure.errors:
        messages = getattr(error, "error_messages", None)
        if isinstance(messages, dict) and name in messages:
            return str(messages[name])
    return failure.text


def _list_enum_values(failure: StartupFailure) -> Iterator[str]:
    """Values of the enum that refused one: its class is `cls` in the frames of `Enum.__new__`."""
    for error in failure.errors:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            class_ = frame.f_locals.get("cls")
            if isinstance(class_, type) and issubclass(class_, enum.Enum):
                yield from (str(member.value) for member in class_)


def _list_split_parts(text: str, source: str) -> Iterator[str]:
    """`gate:gate` where the statement splits the value at colons, and wants two parts."""
    wanted, separator = WANTED_PARTS.search(text), SPLIT.search(source)
    if wanted and separator:
        yield separator[1].join(["gate"] * int(wanted[1]))


def _list_compared_words(failure: StartupFailure) -> Iterator[str]:
    """The words in quotes that the failed statement, or the line above it, compares a value with."""
    statement = failure.innermost_statement
    if statement is None:
        return
    yield from _list_split_parts(failure.text, statement.source)
    for scheme in URL_PREFIX.findall(statement.source):
        yield PLACEHOLDER_URL.replace("postgresql", scheme)
    for number in range(max(statement.lines.start - 1, 1), statement.lines.stop):
        text = linecache.getline(statement.file, number)
        comparison = COMPARISON.search(text)
        if comparison:
            yield from QUOTED_WORD.findall(text, comparison.end())
