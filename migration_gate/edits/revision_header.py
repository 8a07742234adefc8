"""The edit that puts a revision on top of another one: `down_revision` and `Revises:`, and no other byte."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator

from migration_gate.edits.source_text import SourceText
from migration_gate.lazy_dataclass import dataclass

SHORTEST_ABBREVIATION = 4
"""characters of an id that Alembic accepts in place of all"""
_REVISES = re.compile(r"^([ \t]*Revises:[ \t]*)([^\r\n]*)", re.MULTILINE)
_QUOTES = re.compile(r"[rRuU]?(\"\"\"|'''|\"|')")


class NotEditable(Exception):
    """The file is not written as it would have to be; the message says why, after "because"."""


@dataclass(frozen=True, slots=True)
class _Replacement:
    start: int
    end: int
    text: str


def put_on_top(data: bytes, parent: str, new_parent: str) -> bytes:
    """The content of a revision file in which `new_parent` stands in the place of `parent`.

    Raises NotEditable.
    """
    return _edit(data, lambda source: _replace_all(source, parent, new_parent))


def rename_in_docstring(data: bytes, parent: str, new_parent: str) -> bytes:
    """The content with the other parent in the line `Revises:` alone. Raises NotEditable."""
    return _edit(data, lambda source: _replace_line(source, parent, new_parent))


def _edit(data: bytes, find: Callable[[SourceText], Iterable[_Replacement]]) -> bytes:
    encoding, text = _decode(data)
    try:
        source = SourceText("", text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NotEditable(f"it is no valid Python ({error})") from error
    for replacement in sorted(find(source), key=lambda item: item.start, reverse=True):
        text = text[: replacement.start] + replacement.text + text[replacement.end :]
    try:
        return text.encode(encoding)
    except UnicodeError as error:
        raise NotEditable(f"its encoding, {encoding}, cannot express the id") from error


def _replace_all(source: SourceText, parent: str, new_parent: str) -> Iterator[_Replacement]:
    yield from _replace_variable(source, parent, new_parent)
    yield from _replace_line(source, parent, new_parent)


def _decode(data: bytes) -> tuple[str, str]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeError) as error:
        raise NotEditable(f"it cannot be decoded ({error})") from error
    if text.encode(encoding) != data:
        raise NotEditable(f"its bytes are not what {encoding} would write")
    return encoding, text


def _replace_variable(source: SourceText, parent: str, new_parent: str) -> Iterator[_Replacement]:
    values = [value for statement in source.tree.body for value in _list_values(statement)]
    if len(values) != 1:
        raise NotEditable(f"`down_revision` is assigned {len(values)} times")
    strings = [node for node in _list_elements(values[0]) if _means(node.value, parent)]
    if len(strings) != 1:
        raise NotEditable(f"its `down_revision` does not name `{parent}` as a plain text")
    written = source.text_of(strings[0])
    yield _Replacement(
        source.start_of(strings[0]), source.end_of(strings[0]), _write_string(written, new_parent)
    )


def _list_values(statement: ast.stmt) -> Iterator[ast.expr]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            if any(isinstance(target, ast.Name) and target.id == "down_revision" for target in targets):
                yield value
        case ast.AnnAssign(target=ast.Name(id="down_revision"), value=ast.expr() as value):
            yield value


def _list_elements(value: ast.expr) -> list[ast.Constant]:
    """The strings of the value, or of the tuple, list or set that it is."""
    elements = value.elts if isinstance(value, ast.Tuple | ast.List | ast.Set) else [value]
    return [item for item in elements if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def _means(written: object, identifier: str) -> bool:
    """Whether it is the id, or an abbreviation of it."""
    text = str(written)
    return text == identifier or (len(text) >= SHORTEST_ABBREVIATION and identifier.startswith(text))


def _write_string(written: str, text: str) -> str:
    """The text as a string in the quotes of another one."""
    match = _QUOTES.match(written)
    quote = match[1] if match else '"'
    return f"{quote}{text}{quote}" if re.fullmatch(r"[\w .@:+-]+", text) else repr(text)


def _replace_line(source: SourceText, parent: str, new_parent: str) -> Iterator[_Replacement]:
    """The id in the line `Revises:` of the docstring; nothing if it does not name the old parent."""
    docstring = next(iter(source.tree.body), None)
    match docstring:
        case ast.Expr(value=ast.Constant(value=str())):
            start, end = source.start_of(docstring), source.end_of(docstring)
        case _:
            return
    line = _REVISES.search(source.text, start, end)
    if line is None:
        return
    for word in re.finditer(r"[^\s,'\"()]+", line[2]):
        if _means(word[0], parent):
            yield _Replacement(line.start(2) + word.start(), line.start(2) + word.end(), new_parent)
            return
