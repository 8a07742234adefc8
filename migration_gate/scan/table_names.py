"""The name of a mapped class's table, as far as the text tells it: constants, f-strings, `cls.__name__`."""

from __future__ import annotations

import ast
import copy
from typing import cast

from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.model_metadata import MetadataFinder, Root, find_class_value
from migration_gate.scan.module_index import ModuleIndex, ParsedModule, list_statements
from migration_gate.scan.text_evaluation import CAMEL_CASE, Scope, TextEvaluator


@dataclass(frozen=True, slots=True)
class NamedTable:
    """What the text says about the table of a class."""

    name: str | None
    """None if only running the module could tell"""


class TableNames:
    """Finds the table of each mapped class."""

    def __init__(self, index: ModuleIndex, metadata: MetadataFinder) -> None:
        self._metadata = metadata
        self._tables: dict[ast.ClassDef, NamedTable | None] = {}
        self.evaluator = TextEvaluator(index)

    def find_table(self, module: ParsedModule, class_: ast.ClassDef) -> NamedTable | None:
        """The table of a class of its own; None for an abstract class, and for one that shares a table."""
        if class_ not in self._tables:
            self._tables[class_] = None  # a class that inherits from itself has none
            root = self._metadata.find_root(module, class_)
            self._tables[class_] = self._find_table(module, class_, root) if root is not None else None
        return self._tables[class_]

    def _find_table(self, module: ParsedModule, class_: ast.ClassDef, root: Root) -> NamedTable | None:
        if _is_abstract(class_) or self._metadata.is_base(module, class_):
            return None
        if find_class_value(class_, "__table__") is not None:
            return None
        if root.kind == "sqlmodel" and not _is_sqlmodel_table(class_):
            return None
        own = self._read_own(module, class_, class_.name)
        if own is not None:
            return own if own.name != "" else None
        return self._find_inherited(module, class_, root)

    def _read_own(self, module: ParsedModule, class_: ast.ClassDef, class_name: str) -> NamedTable | None:
        """What a class's own body says of the table; an empty name if it says that there is none."""
        scope = Scope(module, class_, class_name)
        value = find_class_value(class_, "__tablename__")
        if value is not None:
            return NamedTable("") if _is_none(value) else NamedTable(self.evaluator.evaluate(value, scope))
        function = find_class_function(class_, "__tablename__")
        return self._read_function(function, scope) if function is not None else None

    def _read_function(self, function: ast.FunctionDef, scope: Scope) -> NamedTable:
        """The name that a `declared_attr` returns for the class."""
        returned = [
            statement.value
            for statement in list_statements(function.body)
            if isinstance(statement, ast.Return) and statement.value is not None
        ]
        values = [value for value in returned if not _is_none(value)]
        if len(values) != 1:
            return NamedTable(None)
        return NamedTable(self.evaluator.evaluate(_inline_locals(function, values[0]), scope))

    def _find_inherited(self, module: ParsedModule, class_: ast.ClassDef, root: Root) -> NamedTable | None:
        """The name from a mixin or an abstract base, or the default of the library."""
        for parent_module, parent in self._list_ancestors(module, class_, set()):
            function = find_class_function(parent, "__tablename__")
            if function is None and find_class_value(parent, "__tablename__") is None:
                continue
            is_for_roots = function is not None and "has_inherited_table" in ast.unparse(function)
            shares_table = (
                self._has_concrete_parent(module, class_)
                if is_for_roots
                else function is None and self._is_concrete(parent_module, parent)
            )
            if not shares_table:
                inherited = self._read_own(parent_module, parent, class_.name)
                return inherited if inherited is not None and inherited.name != "" else None
            break
        return self._find_default(module, class_, root)

    def _find_default(self, module: ParsedModule, class_: ast.ClassDef, root: Root) -> NamedTable | None:
        """The names that SQLModel and Flask-SQLAlchemy give."""
        if root.kind == "sqlmodel":
            return NamedTable(class_.name.lower())
        if root.kind != "flask" or not self._has_primary_key(module, class_):
            return None
        return NamedTable(CAMEL_CASE.sub(r"_\1", class_.name).lower().lstrip("_"))

    def _has_primary_key(self, module: ParsedModule, class_: ast.ClassDef) -> bool:
        """Whether the class, or a mixin of it, writes a primary key: Flask-SQLAlchemy asks for that."""
        owners = (class_, *(mixin for _, mixin in self.list_mixins(module, class_)))
        return any("primary_key=True" in ast.unparse(owner) for owner in owners)

    def _has_concrete_parent(self, module: ParsedModule, class_: ast.ClassDef) -> bool:
        ancestors = self._list_ancestors(module, class_, set())
        return any(self._is_concrete(parent_module, parent) for parent_module, parent in ancestors)

    def _is_concrete(self, module: ParsedModule, class_: ast.ClassDef) -> bool:
        """Whether a parent has a table of its own, which its children share or join."""
        return (
            self.find_table(module, class_) is not None or find_class_value(class_, "__table__") is not None
        )

    def _list_ancestors(
        self, module: ParsedModule, class_: ast.ClassDef, seen: set[ast.ClassDef]
    ) -> list[tuple[ParsedModule, ast.ClassDef]]:
        """The classes that the repository defines above this one, in the order of attribute look-up."""
        ancestors = []
        for parent_module, parent in self._metadata.find_parents(module, class_):
            if parent not in seen:
                seen.add(parent)
                ancestors.append((parent_module, parent))
                ancestors += self._list_ancestors(parent_module, parent, seen)
        return ancestors

    def list_mixins(
        self, module: ParsedModule, class_: ast.ClassDef
    ) -> list[tuple[ParsedModule, ast.ClassDef]]:
        """The mixins, abstract classes and bases whose columns the class's table gets too."""
        return [
            (parent_module, parent)
            for parent_module, parent in self._list_ancestors(module, class_, set())
            if not self._is_concrete(parent_module, parent)
        ]


class _Inline(ast.NodeTransformer):
    """Puts the values of local variables in the place of their names."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._values.get(node.id, node)


def _inline_locals(function: ast.FunctionDef, returned: ast.expr) -> ast.expr:
    """The returned expression, with the local variables of the function replaced by what they are."""
    values: dict[str, ast.expr] = {}
    for statement in function.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _Inline(dict(values)).visit(copy.deepcopy(value))
    return cast("ast.expr", _Inline(values).visit(copy.deepcopy(returned)))


def find_class_function(class_: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """The function of that name in the class's own body."""
    functions = (statement for statement in class_.body if isinstance(statement, ast.FunctionDef))
    return next((function for function in functions if function.name == name), None)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_abstract(class_: ast.ClassDef) -> bool:
    value = find_class_value(class_, "__abstract__")
    return isinstance(value, ast.Constant) and value.value is True


def _is_sqlmodel_table(class_: ast.ClassDef) -> bool:
    return any(
        keyword.arg == "table" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in class_.keywords
    )
