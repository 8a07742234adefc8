"""The repository's Python modules by name, and what a name in one of them stands for. Nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.file_content import read_file
from migration_gate.scan.python_strings import dotted_name
from migration_gate.scan.python_syntax import parse_python

_MAX_HOPS = 30
"""imports and aliases that are followed for one name"""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a dotted name stands for."""

    path: str
    """the file that defines it, relative to the project; empty for what lies outside of the repository"""
    name: str
    """the class or variable in that file; the whole dotted name outside of the repository"""
    attributes: tuple[str, ...] = ()
    """what follows the variable: `Model` of `db.Model`"""

    @property
    def last_name(self) -> str:
        """The last part of the whole name."""
        return self.attributes[-1] if self.attributes else self.name.rpartition(".")[2]


@dataclass(slots=True)
class ParsedModule:
    """The names that a module defines at its top, whatever `if` or `try` they stand in."""

    path: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    """local name to the absolute dotted name that it was imported by"""
    star_imports: list[str] = field(default_factory=list)
    values: dict[str, ast.expr] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)


def module_name(path: str) -> str:
    """`src/app/__init__.py` as `src.app`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class ModuleIndex:
    """The modules of a repository; each is parsed when something is looked up in it."""

    def __init__(self, project: Path, paths: Iterable[str]) -> None:
        """`paths` are the Python files, relative to the project's folder."""
        self._project = project
        self._paths_by_last_name: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            self._paths_by_last_name[module_name(path).rpartition(".")[2]].append(path)
        self._modules: dict[str, ParsedModule | None] = {}

    def parse_module(self, path: str, data: bytes | None = None) -> ParsedModule | None:
        """The module in that file; None if it cannot be read or parsed."""
        if path not in self._modules:
            content = read_file(self._project, path).data if data is None else data
            tree = parse_python(content) if content is not None else None
            self._modules[path] = _read_names(path, tree) if tree is not None else None
        return self._modules[path]

    def find_module(self, name: str, importer: str) -> str | None:
        """The file of the module `name`, the nearest to the importing file; None for an installed module."""
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None
        # Any folder may be on the import path: `app.models` may be `src/app/models.py`.
        candidates = [
            path
            for path in self._paths_by_last_name.get(name.rpartition(".")[2], ())
            if f".{module_name(path)}".endswith(f".{name}")
        ]
        return max(candidates, key=lambda path: (_count_shared(path, importer), -len(path)), default=None)

    def resolve(self, path: str, name: str, hops: int = 0) -> Symbol | None:
        """What the dotted `name` stands for in the module of `path`; None if that is not known."""
        module = self.parse_module(path) if hops < _MAX_HOPS else None
        if module is None or not name:
            return None
        first, *rest = name.split(".")
        if first in module.classes or first in module.functions:
            return Symbol(path, first, tuple(rest))
        if first in module.values:
            target = self._resolve_alias(module, first, rest, hops + 1)
            return target or Symbol(path, first, tuple(rest))
        if first in module.imports:
            return self._resolve_import([*module.imports[first].split("."), *rest], path, hops + 1)
        return self._resolve_star(module, [first, *rest], hops + 1)

    def _resolve_alias(
        self, module: ParsedModule, variable: str, rest: Sequence[str], hops: int
    ) -> Symbol | None:
        """What the value of a variable stands for, if that is another name (`Base = orm.Base`)."""
        alias = _alias_of(module.values[variable])
        if not alias or alias.partition(".")[0] == variable:
            return None
        return self.resolve(module.path, ".".join((alias, *rest)), hops)

    def _resolve_import(self, parts: Sequence[str], importer: str, hops: int) -> Symbol | None:
        """What an absolute dotted name stands for: the longest part of it that is a module is looked into."""
        for length in range(len(parts), 0, -1):
            path = self.find_module(".".join(parts[:length]), importer)
            if path is not None and path != importer:
                if length == len(parts):
                    return Symbol(path, "")
                return self.resolve(path, ".".join(parts[length:]), hops)
        return Symbol("", ".".join(parts))

    def _resolve_star(self, module: ParsedModule, parts: Sequence[str], hops: int) -> Symbol | None:
        """What a name from one of the module's `import *` stands for."""
        outside: Symbol | None = None
        for star in module.star_imports:
            symbol = self._resolve_import([*star.split("."), *parts], module.path, hops)
            if symbol is not None and symbol.path:
                return symbol
            outside = outside or symbol
        return outside


def _count_shared(path: str, other: str) -> int:
    """How many folders, from the top, two paths share."""
    count = 0
    for folder, other_folder in zip(path.split("/")[:-1], other.split("/")[:-1], strict=False):
        if folder != other_folder:
            break
        count += 1
    return count


def _alias_of(value: ast.expr) -> str:
    """The dotted name that a value consists of; empty for any other expression."""
    return dotted_name(value) if _is_plain_name(value) else ""


def _is_plain_name(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _read_names(path: str, tree: ast.Module) -> ParsedModule:
    module = ParsedModule(path, tree)
    for statement in list_statements(tree.body):
        _read_definition(module, statement)
    # Imports in functions count as well: a name means the same all over a module, as a rule.
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            _read_import(module, node)
    return module


def _read_definition(module: ParsedModule, statement: ast.stmt) -> None:
    """Add what a statement of the module's top defines."""
    match statement:
        case ast.ClassDef(name=name):
            module.classes[name] = statement
        case ast.FunctionDef(name=name):
            module.functions[name] = statement
        case ast.Import() | ast.ImportFrom():
            _read_import(module, statement)
        case ast.Assign(targets=targets, value=value):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            module.values.update(dict.fromkeys(names, value))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            module.values[name] = value


def list_statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, and those in its `if`, `try` and `with`, but not in functions and classes."""
    for statement in body:
        yield statement
        for name in ("body", "handlers", "orelse", "finalbody"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list) and not isinstance(
                statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            ):
                for part in inner:
                    yield from list_statements(part.body if isinstance(part, ast.ExceptHandler) else [part])


def _read_import(module: ParsedModule, statement: ast.Import | ast.ImportFrom) -> None:
    """Add what it imports; the first import of a name stays, that of the module before one in a function."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            local = alias.asname or alias.name.partition(".")[0]
            module.imports.setdefault(local, alias.name if alias.asname else local)
        return
    source = _absolute_source(module.path, statement)
    for alias in statement.names:
        if alias.name == "*":
            module.star_imports.append(source)
        else:
            module.imports.setdefault(alias.asname or alias.name, f"{source}.{alias.name}".lstrip("."))


def _absolute_source(path: str, statement: ast.ImportFrom) -> str:
    """The module that `from ... import` names, with the dots of a relative import replaced."""
    if not statement.level:
        return statement.module or ""
    folders = path.split("/")[: -statement.level]
    return ".".join(filter(None, (*folders, statement.module)))
