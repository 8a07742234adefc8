"""SQL that shell scripts, Makefiles and workflow files give to `psql`, read as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.sql_classifier import SqlStatement, StatementKind, classify_statements

_PSQL = re.compile(r"\bpsql\b")
_QUOTED = re.compile(r""" "(?:[^"\\]++|\\.)*+" | '[^']*+' """, re.VERBOSE | re.DOTALL)
_HERE_DOCUMENT = re.compile(r"<<-?\s*\\?(['\"]?)(\w+)\1")
_COMMAND_OPTION = re.compile(r"(?:\s-\w*c|--command)[\s=]*$|,\s*$")
"""what stands before the SQL: `-c`, `--command=`, or the comma of a list of arguments"""
_ECHO = re.compile(r"\b(?:echo|printf)\s+((?:-\w+\s+)*)(\"(?:[^\"\\]|\\.)*\"|'[^']*')\s*\|[^|\n]*$")
_IN_DOUBLE_QUOTES = re.compile(r'"([^"]*)"')
_IN_INNER_QUOTES = re.compile(r"'([^']*)'|\\\"(.*?)\\\"")
_MAX_COMMAND = 20_000
"""characters behind `psql` that one command may have"""


@dataclass(frozen=True, slots=True)
class _SqlText:
    """A part of a script that is SQL."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class _Command:
    """A call of psql in a script."""

    script: str
    line_start: int
    """offset of the beginning of its line"""
    name: int
    """offset of `psql`"""
    arguments: int
    """offset behind `psql` and the quote that closes it"""
    end: int

    @property
    def before(self) -> str:
        """The line up to `psql`."""
        return self.script[self.line_start : self.name]


def find_psql_statements(script: str) -> Iterator[SqlStatement]:
    """Every schema statement that a script gives to `psql`, each once; lines are those of the script."""
    seen: set[tuple[int, str]] = set()
    for sql in _find_sql(script):
        for statement in classify_statements(sql.text):
            line = script.count("\n", 0, sql.offset) + statement.line
            is_change = statement.kind is StatementKind.SCHEMA and bool(statement.relations)
            if is_change and (line, statement.text) not in seen:
                seen.add((line, statement.text))
                yield replace(statement, line=line)


def _find_sql(script: str) -> Iterator[_SqlText]:
    for match in _PSQL.finditer(script):
        command = _read_command(script, match)
        if not command.before.lstrip().startswith(("#", "//")):
            yield from _find_piped(command)
            yield from _find_arguments(command)
            yield from _find_nested(command)
            yield from _find_here_document(command)


def _read_command(script: str, name: re.Match[str]) -> _Command:
    line_start = script.rfind("\n", 0, name.start()) + 1
    opens_quote = script[line_start : name.start()][-1:] in ("'", '"')
    closes_quote = script[name.end() : name.end() + 1] in ("'", '"')
    arguments = name.end() + (opens_quote and closes_quote)
    return _Command(script, line_start, name.start(), arguments, _find_end(script, arguments))


def _find_end(script: str, start: int) -> int:
    """The end of the command's line; continued lines, and line ends in quotes, belong to it."""
    limit = min(len(script), start + _MAX_COMMAND)
    offset = start
    while offset < limit:
        quoted = _QUOTED.match(script, offset, limit) if script[offset] in "\"'" else None
        if quoted:
            offset = quoted.end()
        elif script[offset] == "\n":
            return offset
        else:
            offset += 2 if script[offset] == "\\" else 1
    return limit


def _find_piped(command: _Command) -> Iterator[_SqlText]:
    """`echo "SQL" | psql`."""
    echo = _ECHO.search(command.before)
    if echo:
        yield _SqlText(command.line_start + echo.start(2) + 1, echo[2][1:-1])


def _find_arguments(command: _Command) -> Iterator[_SqlText]:
    """`psql -c "SQL"`."""
    arguments = command.script[command.arguments : command.end]
    for quoted in _QUOTED.finditer(arguments):
        if _COMMAND_OPTION.search(arguments[: quoted.start()]):
            text = quoted.group()[1:-1].replace('\\"', '"')
            yield _SqlText(command.arguments + quoted.start() + 1, text)


def _find_nested(command: _Command) -> Iterator[_SqlText]:
    """`bash -c 'psql -c "SQL"'`, where `psql` itself stands in quotes."""
    # An odd number of quotes before `psql`: it stands inside of a string.
    before = command.before.rstrip()
    text = command.script[command.name : command.end]
    if before.count("'") % 2:
        for quoted in _IN_DOUBLE_QUOTES.finditer(text.partition("'")[0]):
            yield _SqlText(command.name + quoted.start(1), quoted[1])
    elif before.count('"') % 2:
        for quoted in _IN_INNER_QUOTES.finditer(text):
            group = 1 if quoted[1] is not None else 2
            yield _SqlText(command.name + quoted.start(group), quoted[group])


def _find_here_document(command: _Command) -> Iterator[_SqlText]:
    """`psql <<EOF`."""
    script = command.script
    opener = _HERE_DOCUMENT.search(script[command.arguments : command.end])
    if opener is None:
        return
    start = script.find("\n", command.arguments + opener.end()) + 1
    if not start:
        return
    closer = re.compile(rf"^\s*{re.escape(opener[2])}\b", re.MULTILINE).search(script, start)
    yield _SqlText(start, script[start : closer.start() if closer else start + _MAX_COMMAND])
