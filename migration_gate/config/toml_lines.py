"""The lines of the keys in a TOML file, which tomllib does not provide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.config.config_keys import Key, with_underscores

_HEADER = re.compile(r"^\s*(?P<brackets>\[\[?)\s*(?P<key>[^\]]+?)\s*\]\]?\s*(#.*)?$")
_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_ASSIGNED = re.compile(rf"^\s*(?P<key>{_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*$')
_MULTI_LINE_QUOTES = ('"""', "'''")


def find_toml_lines(text: str) -> Iterator[tuple[Key, int]]:
    """The line of each table and key below `tool.migration-gate`; keys have underscores."""
    for key, line in _find_keys(text):
        known_key = with_underscores(key)
        if known_key[:2] == ("tool", "migration_gate"):
            yield known_key[2:], line


def _find_keys(text: str) -> Iterator[tuple[Key, int]]:
    """Every table and key of the file."""
    table: Key = ()
    last_items: dict[Key, int] = {}
    """the number of the last item of each list of tables (`[[name]]`)"""
    for number, line in _list_statements(text):
        header = _HEADER.match(line)
        if header is None:
            if assigned := _ASSIGNED.match(line):
                yield (*table, *_split_dotted_key(assigned["key"])), number
            continue
        table = _split_dotted_key(header["key"])
        if header["brackets"] == "[[":
            last_items[table] = last_items.get(table, -1) + 1
            table = (*table, last_items[table])
        yield table, number


def _list_statements(text: str) -> Iterator[tuple[int, str]]:
    """The lines, without those that continue a list, a table or a string of a line before."""
    depth = 0
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if depth == 0:
            yield number, line
        quote = next((mark for mark in _MULTI_LINE_QUOTES if line.count(mark) == 1), "")
        code = _STRING_OR_COMMENT.sub("", line)
        depth = max(0, depth + sum(map(code.count, "[{")) - sum(map(code.count, "]}")))


def _split_dotted_key(dotted_key: str) -> Key:
    return tuple(name.strip("\"'") for name in re.findall(_NAME, dotted_key))
