"""The columns, constraints, indexes and sequences of a model, each with its own line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeGuard

from migration_gate.facts import Location, ModelPart, ModelPartKind
from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.python_strings import constant_text, dotted_name, last_name
from migration_gate.scan.text_evaluation import Scope, TextEvaluator

_COLUMNS = frozenset({"Column", "mapped_column", "MappedColumn"})
_IN_COLUMN = frozenset({"deferred", "column_property"})
"""functions around a column"""
_OTHER_ATTRIBUTES = frozenset(
    {"relationship", "Relationship", "synonym", "association_proxy", "backref", "dynamic_loader"}
    | {"query_expression", "aliased", "hybrid_property", "composite", "field", "PrivateAttr", "validates"}
)
"""values of attributes that are no column"""
_NOT_COLUMNS = ("relationship", "ClassVar", "WriteOnlyMapped", "DynamicMapped", "AssociationProxy", "InitVar")
"""parts of annotations of attributes that are no column"""
_CONSTRAINTS: dict[str, ModelPartKind] = {
    "UniqueConstraint": "unique",
    "CheckConstraint": "check",
    "ForeignKeyConstraint": "foreign key",
    "PrimaryKeyConstraint": "primary key",
    "ExcludeConstraint": "exclusion",
    "Index": "index",
}
_NAME_FIRST = frozenset({"Index"})
"""those whose first argument is the name"""
_FLAGS: dict[str, ModelPartKind] = {"primary_key": "primary key", "unique": "unique", "index": "index"}
"""arguments of a column that make a constraint or an index"""
_SYSTEM_COLUMNS = frozenset({"oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})


@dataclass(frozen=True, slots=True)
class PartReader:
    """Reads the parts of one file's classes and tables."""

    evaluator: TextEvaluator
    file: str
    """as reports name it"""
    scope: Scope

    def read_class(self, class_: ast.ClassDef, *, is_sqlmodel: bool) -> Iterator[ModelPart]:
        """The parts that the class's own body writes."""
        for statement in class_.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    yield from self._read_attribute(name, value, statement)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                    yield from self._read_annotated(name, annotation, value, statement, is_sqlmodel)
                case ast.FunctionDef(name=name) if _is_declared(statement):
                    yield from self._read_declared(name, statement)

    def read_table(self, call: ast.Call) -> Iterator[ModelPart]:
        """The parts in the arguments of `Table(...)`."""
        for argument in call.args:
            value = argument.value if isinstance(argument, ast.Starred) else argument
            if isinstance(value, ast.Call) and last_name(value.func) in _COLUMNS:
                yield from self._read_column(None, value, value)
            else:
                yield from self.read_constraints(value)

    def read_constraints(self, node: ast.AST) -> Iterator[ModelPart]:
        """Every constraint, index and sequence in an expression."""
        for call in ast.walk(node):
            if isinstance(call, ast.Call):
                kind = _CONSTRAINTS.get(last_name(call.func))
                if kind is not None:
                    yield self._read_constraint(kind, call)

    def _read_attribute(self, name: str, value: ast.expr, node: ast.stmt) -> Iterator[ModelPart]:
        if name == "__table_args__":
            yield from self.read_constraints(value)
        elif not name.startswith("__") and isinstance(value, ast.Call):
            yield from self._read_value(name, value, node)

    def _read_value(self, name: str, value: ast.Call, node: ast.AST) -> Iterator[ModelPart]:
        """The column that a call gives to an attribute, if it does."""
        callee = last_name(value.func)
        if callee in _COLUMNS:
            yield from self._read_column(name, value, node)
        elif callee in _IN_COLUMN:
            inner = [argument for argument in value.args if _is_column(argument)]
            for argument in inner:
                yield from self._read_column(name, argument, node)
        elif callee not in _OTHER_ATTRIBUTES:  # a function of the project's that makes a column, perhaps
            yield ModelPart("column", self._locate_node(node), name, is_certain=False)

    def _read_annotated(
        self, name: str, annotation: ast.expr, value: ast.expr | None, node: ast.stmt, is_sqlmodel: bool
    ) -> Iterator[ModelPart]:
        text = ast.unparse(annotation)
        if name.startswith("__") or any(word in text for word in _NOT_COLUMNS):
            return
        if isinstance(value, ast.Call) and last_name(value.func) in _COLUMNS | _IN_COLUMN | _OTHER_ATTRIBUTES:
            yield from self._read_value(name, value, node)
        elif text.partition("[")[0].rpartition(".")[2] == "Mapped":
            is_certain = value is None and "mapped_column" not in text
            yield ModelPart("column", self._locate_node(node), name, is_certain=is_certain)
        elif is_sqlmodel and not name.startswith(("_", "model_config")):
            yield from self._read_field(name, value, node)

    def _read_field(self, name: str, value: ast.expr | None, node: ast.stmt) -> Iterator[ModelPart]:
        """A field of SQLModel: `Field(...)`, a plain value or none."""
        if not isinstance(value, ast.Call):
            yield ModelPart("column", self._locate_node(node), name)
            return
        column = next((keyword.value for keyword in value.keywords if keyword.arg == "sa_column"), None)
        if _is_column(column):
            yield from self._read_column(name, column, node)
        else:
            yield ModelPart(
                "column", self._locate_node(node), name, is_certain=last_name(value.func) == "Field"
            )
            yield from self._read_flags(name, value)
            if any(keyword.arg == "foreign_key" for keyword in value.keywords):
                yield ModelPart("foreign key", self._locate_node(node), columns=(name,))

    def _read_declared(self, name: str, function: ast.FunctionDef) -> Iterator[ModelPart]:
        """What a `declared_attr` returns."""
        has_choice = any(isinstance(node, ast.If) for node in ast.walk(function))
        for node in ast.walk(function):
            if not isinstance(node, ast.Return) or node.value is None:
                continue
            if name == "__table_args__":
                yield from self.read_constraints(node.value)
            elif _is_column(node.value):
                parts = self._read_column(name, node.value, node)
                yield from (replace(part, is_certain=False) for part in parts) if has_choice else parts

    def _read_column(self, attribute: str | None, call: ast.Call, node: ast.AST) -> Iterator[ModelPart]:
        """A column and what its arguments make: keys, constraints, an index, a sequence."""
        name = self._find_column_name(attribute, call)
        if name is None:
            return
        is_certain = attribute is None or not _is_system(name, call)
        yield ModelPart("column", self._locate_node(node), name, is_certain=is_certain)
        yield from self._read_flags(name, call)
        for inner in ast.walk(call):
            if isinstance(inner, ast.Call) and inner is not call:
                yield from self._read_inner(name, inner)

    def _read_inner(self, column: str, call: ast.Call) -> Iterator[ModelPart]:
        match last_name(call.func):
            case "ForeignKey":
                yield ModelPart("foreign key", self._locate_node(call), self._find_name(call), (column,))
            case "CheckConstraint":
                yield ModelPart("check", self._locate_node(call), self._find_name(call), (column,))
            case "Sequence":
                yield self.read_sequence(call)

    def read_sequence(self, call: ast.Call) -> ModelPart:
        """`Sequence("name", ...)`."""
        name = self.evaluator.evaluate(call.args[0], self.scope) if call.args else self._find_name(call)
        return ModelPart("sequence", self._locate_node(call), name)

    def _read_flags(self, column: str, call: ast.Call) -> Iterator[ModelPart]:
        for keyword in call.keywords:
            kind = _FLAGS.get(keyword.arg or "")
            if kind is not None and isinstance(keyword.value, ast.Constant) and keyword.value.value is True:
                yield ModelPart(kind, self._locate_node(keyword.value), columns=(column,))

    def _find_column_name(self, attribute: str | None, call: ast.Call) -> str | None:
        """The column's name in the database: its first argument or `name=`, else that of the attribute."""
        first = call.args[0] if call.args else None
        if first is not None and constant_text(first) is not None:
            return constant_text(first)
        keyword = self._find_name(call)
        if keyword is not None or any(argument.arg == "name" for argument in call.keywords):
            return keyword
        if attribute is None and first is not None:
            return self.evaluator.evaluate(first, self.scope)
        return attribute

    def _read_constraint(self, kind: ModelPartKind, call: ast.Call) -> ModelPart:
        is_name_first = last_name(call.func) in _NAME_FIRST
        arguments: Sequence[ast.expr] = call.args
        name = self._find_name(call)
        if is_name_first and arguments:
            name = self.evaluator.evaluate(arguments[0], self.scope)
            arguments = arguments[1:]
        if kind == "check":
            arguments = ()
        elif kind == "foreign key" and arguments:
            arguments = arguments[0].elts if isinstance(arguments[0], ast.List | ast.Tuple) else ()
        return ModelPart(kind, self._locate_node(call), name, tuple(filter(None, map(_column_of, arguments))))

    def _find_name(self, call: ast.Call) -> str | None:
        value = next((keyword.value for keyword in call.keywords if keyword.arg == "name"), None)
        return self.evaluator.evaluate(value, self.scope)

    def _locate_node(self, node: ast.AST) -> Location:
        return Location(self.file, getattr(node, "lineno", None), getattr(node, "end_lineno", None))


def _column_of(argument: ast.expr) -> str:
    """The column that an argument of a constraint or index names; empty for an expression."""
    text = constant_text(argument)
    return text if text is not None else dotted_name(argument).rpartition(".")[2]


def _is_column(node: ast.expr | None) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and last_name(node.func) in _COLUMNS


def _is_system(name: str, call: ast.Call) -> bool:
    """Whether it is a column that Postgres has by itself: `xmin`, or one that is marked so."""
    return name in _SYSTEM_COLUMNS or any(keyword.arg == "system" for keyword in call.keywords)


def _is_declared(function: ast.FunctionDef) -> bool:
    return any("declared_attr" in ast.unparse(decorator) for decorator in function.decorator_list)
