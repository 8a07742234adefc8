"""Schema changes that shell scripts, Makefiles and workflow files hand to `psql`, read as text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.scan.sql_classifier import StatementKind, classify_statements

_PSQL = re.compile(r"\bpsql\b")
_QUOTED = re.compile(r""" "(?:[^"\\]++|\\.)*+" | '[^']*+' """, re.VERBOSE | re.DOTALL)
_HERE = re.compile(r"<<-?\s*\\?(['\"]?)(\w+)\1")
_OPTION = re.compile(r"(?:\s-\w*c|--command)[\s=]*$|,\s*$")
_ECHO = re.compile(r"\b(?:echo|printf)\s+((?:-\w+\s+)*)(\"(?:[^\"\\]|\\.)*\"|'[^']*')\s*\|[^|\n]*$")
_REACH = 20_000
"""characters behind `psql` that one command may have"""


def find_psql_statements(text: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Line, statement and relations of every schema statement that a script hands to `psql`."""
    seen: set[tuple[int, str]] = set()
    for offset, sql in _scripts(text):
        for statement in classify_statements(sql):
            line = text.count("\n", 0, offset) + statement.line
            if (
                statement.kind is StatementKind.SCHEMA
                and statement.relations
                and (line, statement.text) not in seen
            ):
                seen.add((line, statement.text))
                yield line, statement.text, statement.relations


def _scripts(text: str) -> Iterator[tuple[int, str]]:
    """Offset and text of what follows `-c`, stands in a here document, or is piped in."""
    for found in _PSQL.finditer(text):
        start = text.rfind("\n", 0, found.start()) + 1
        before = text[start : found.start()]
        if before.lstrip().startswith(("#", "//")):
            continue
        if echoed := _ECHO.search(before):
            yield start + echoed.start(2) + 1, echoed[2][1:-1]
        begin = found.end() + (
            text[found.end() : found.end() + 1] in ("'", '"') and before[-1:] in ("'", '"')
        )
        end = _end_of_command(text, begin)
        command = text[begin:end]
        for quoted in _QUOTED.finditer(command):
            if _OPTION.search(command[: quoted.start()]):
                yield begin + quoted.start() + 1, quoted.group()[1:-1].replace('\\"', '"')
        yield from _nested(text, start, found.start(), end)
        if here := _HERE.search(command):
            body = text.find("\n", begin + here.end()) + 1
            close = (
                re.compile(rf"^\s*{re.escape(here[2])}\b", re.MULTILINE).search(text, body) if body else None
            )
            yield body, text[body : close.start() if close else body + _REACH]


def _nested(text: str, start: int, psql: int, end: int) -> Iterator[tuple[int, str]]:
    """`bash -c 'psql -c "..."'`, where the outer quote swallows the inner one."""
    outer = text[start:psql].rstrip()
    if outer.count("'") % 2:
        for quoted in re.finditer(r'"([^"]*)"', text[psql:end].partition("'")[0]):
            yield psql + quoted.start(1), quoted[1]
    elif outer.count('"') % 2:
        for quoted in re.finditer(r"'([^']*)'|\\\"(.*?)\\\"", text[psql:end]):
            group = 1 if quoted[1] is not None else 2
            yield psql + quoted.start(group), quoted[group]


def _end_of_command(text: str, start: int) -> int:
    """The end of the line, continued lines and quoted line ends included."""
    at = start
    limit = min(len(text), start + _REACH)
    while at < limit:
        sign = text[at]
        if sign == "\\":
            at += 2
        elif sign in "\"'" and (quoted := _QUOTED.match(text, at, limit)):
            at = quoted.end()
        elif sign == "\n":
            return at
        else:
            at += 1
    return limit
