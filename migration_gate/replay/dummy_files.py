"""Dummy content for a file of settings, in its format and with the keys that the project's code looks up."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from migration_gate.project.python_source import parse_source
from migration_gate.python_parser import walk_nodes
from migration_gate.replay.early_end import EarlyEnd

Format = Literal["json", "toml", "ini"]
Keys = tuple[str, ...]
Values = dict[str, Any]
"""texts, numbers, and `Values` below them"""
LoadedNames = dict[str, Keys]
"""variables that hold what was read, and functions that return it: below which keys it stood in the file"""

FORMATS: dict[str, Format] = {
    ".json": "json", ".yml": "json", ".yaml": "json", ".toml": "toml", ".ini": "ini", ".cfg": "ini",
}  # fmt: skip
"""by the end of a file's name; JSON is YAML, too"""
LIBRARIES: dict[str, Format] = {
    "json": "json", "orjson": "json", "yaml": "json", "toml": "toml", "tomllib": "toml", "tomli": "toml",
}  # fmt: skip
"""by the module that reads a file"""
LOADERS = ("load", "loads", "safe_load", "full_load", "read_file", "read_string")
NEAR = 5
"""lines behind the one that opened a file, in which it is read"""
FRAME_FILE = re.compile(r"(\S+\.py):\d+")
URL_KEY = re.compile(r"url|uri|dsn", re.IGNORECASE)
PORT_KEY = re.compile(r"port\Z", re.IGNORECASE)
DUMMY_URL = "postgresql://gate@localhost/gate"
DUMMY_TEXT = "gate"


def make_dummy_content(early_end: EarlyEnd, path: Path) -> str:
    """What the file that was not found may hold; a word if its format is not known, or text is all it is."""
    file_format = FORMATS.get(path.suffix) or _find_library_format(early_end)
    if file_format is None:
        holds_url = URL_KEY.search(f"{path.name} {early_end.source_line}")
        return DUMMY_URL if holds_url else DUMMY_TEXT
    values: Values = {}
    for keys in _list_looked_up(early_end, file_format):
        _add_dummy(values, keys)
    return json.dumps(values) if file_format == "json" else _write_sections(values, file_format)


def _find_library_format(early_end: EarlyEnd) -> Format | None:
    """The format of the library that reads the file, close to where it is opened."""
    location = early_end.failure.location
    tree = parse_source(early_end.project.root / location.file) if location else None
    if tree is None or location is None or location.line is None:
        return None
    for node in walk_nodes(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name), lineno=line) if (
                module in LIBRARIES and name in LOADERS and 0 <= line - location.line <= NEAR
            ):
                return LIBRARIES[module]
    return None


# Keys that the project's code looks up.


def _list_looked_up(early_end: EarlyEnd, file_format: Format) -> Iterator[Keys]:
    """In the file that failed and those that the error went through, in order."""
    trees = list(_parse_failed_files(early_end))
    names = _find_loaded_names(trees, file_format)
    for tree in trees:
        for node in ast.walk(tree):
            keys = _read_keys(node, names, file_format)
            if keys:
                yield keys


def _parse_failed_files(early_end: EarlyEnd) -> Iterator[ast.Module]:
    failure = early_end.failure
    frames = FRAME_FILE.findall("\n".join(failure.traceback))
    for file in dict.fromkeys([*([failure.location.file] if failure.location else []), *reversed(frames)]):
        tree = parse_source(early_end.project.root / file)
        if tree is not None:
            yield tree


def _find_loaded_names(trees: list[ast.Module], file_format: Format) -> LoadedNames:
    """Names of variables, attributes and functions, whichever module they are in."""
    names: LoadedNames = {}
    while True:
        known = len(names)
        for tree in trees:
            for node in ast.walk(tree):
                for name, value in _list_bindings(node):
                    keys = _read_keys(value, names, file_format)
                    if keys is not None:
                        names.setdefault(name, keys)
        if len(names) == known:
            return names


def _list_bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """`name = value`, `return value` of a function, `name.read_file(...)`."""
    match node:
        case (
            ast.Assign(targets=[target], value=value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
        ):
            name = _name_of(target)
            if name:
                yield name, value
        case ast.FunctionDef(name=name):
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and part.value is not None:
                    yield name, part.value
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=parser, attr="read_file" | "read_string")) as call
        ):
            name = _name_of(parser)
            if name:
                yield name, call


def _name_of(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _read_keys(node: ast.AST, names: LoadedNames, file_format: Format) -> Keys | None:
    """The keys below which the value of an expression stands in the file; None if it is not of the file."""
    match node:
        case ast.Call(func=ast.Attribute(attr=loader)) if loader in LOADERS:
            return ()
        case ast.Call(
            func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str(key)), *rest]
        ):
            above = _read_keys(value, names, file_format)
            return None if above is None else (*above, key, *_read_option(rest, file_format))
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
            above = _read_keys(value, names, file_format)
            return None if above is None else (*above, key)
        case ast.Call(func=ast.Name() | ast.Attribute() as function):
            return names.get(_name_of(function) or "")
        case ast.Name() | ast.Attribute():
            return names.get(_name_of(node) or "")
    return None


def _read_option(arguments: list[ast.expr], file_format: Format) -> Keys:
    """The second argument of a ConfigParser's `get(section, option)`; that of a dict is a default."""
    match arguments:
        case [ast.Constant(value=str(option)), *_] if file_format == "ini":
            return (option,)
    return ()


# The text.


def _add_dummy(values: Values, keys: Keys) -> None:
    *above, last = keys
    for key in above:
        below = values.get(key)
        if not isinstance(below, dict):
            below = values[key] = {}
        values = below
    values.setdefault(last, _dummy_for(last))


def _dummy_for(key: str) -> str | int:
    if URL_KEY.search(key):
        return DUMMY_URL
    return 5432 if PORT_KEY.search(key) else DUMMY_TEXT


def _write_sections(values: Values, file_format: Format, above: Keys = ()) -> str:
    """Values of a section first, then those of the sections below it."""
    lines = []
    for key, value in values.items():
        if not isinstance(value, dict):
            lines.append(f"{key} = {json.dumps(value) if file_format == 'toml' else value}")
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [f"[{'.'.join((*above, key))}]", _write_sections(value, file_format, (*above, key))]
    return "\n".join(lines)
