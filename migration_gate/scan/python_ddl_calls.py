"""Calls in Python code that create or drop tables: `create_all`, `CreateTable(...)`, `table.drop(bind)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from migration_gate.facts import SchemaChangeKind
from migration_gate.scan.code_change import CodeChange
from migration_gate.scan.create_all_calls import find_engine_url, is_test_code, stamps_head
from migration_gate.scan.other_dialects import names_other_database
from migration_gate.scan.python_module import EXECUTES, PythonModule
from migration_gate.scan.python_strings import dotted_name, last_name, possible_texts

_METADATA = re.compile(r"metadata$|^(?:db|database|sqlmodel|orm)$|base$", re.IGNORECASE)
"""names of what holds the application's tables"""
FOR_ALL_TABLES: dict[str, SchemaChangeKind] = {"create_all": "create_all", "drop_all": "drop_all"}
"""methods of a MetaData, and the kind of change that each is"""
FOR_ONE_TABLE = frozenset({"create", "drop"})
"""methods of a Table"""
DDL_ELEMENTS = frozenset(
    {"CreateTable", "DropTable", "CreateIndex", "DropIndex", "AddConstraint", "DropConstraint"}
)
"""SQLAlchemy's classes of schema statements"""


def find_ddl_calls(module: PythonModule) -> Iterator[CodeChange]:
    """Every call of the module that creates or drops tables."""
    for node in module.nodes:
        change = _read_node(module, node)
        if change is not None and module.runs_on_postgres(node):
            yield change


def _read_node(module: PythonModule, node: ast.AST) -> CodeChange | None:
    """The change that the node makes, if it is one of these calls; where it runs is not looked at yet."""
    if isinstance(node, ast.Attribute):
        return _read_create_all(module, node) if node.attr in FOR_ALL_TABLES else None
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    if name in DDL_ELEMENTS:
        return _read_ddl_element(module, node)
    return _read_table_method(module, node) if name in FOR_ONE_TABLE else None


def _read_create_all(module: PythonModule, node: ast.Attribute) -> CodeChange | None:
    """A call of `create_all` or `drop_all`, or the method passed to `run_sync`."""
    parent = module.find_parent(node)
    if not isinstance(parent, ast.Call | ast.keyword):
        return None
    tables = _tables_of_own_metadata(module, node.value)
    if not _may_be_application(node.value, tables):
        return None
    call = parent if isinstance(parent, ast.Call) and parent.func is node else None
    if _is_for_other_database(call) or is_test_code(module, node):
        return None
    return CodeChange(
        node.lineno,
        statement=ast.unparse(node if call is None else call),
        kind=FOR_ALL_TABLES[node.attr],
        tables=tables or (),
        scopes=module.find_scopes(node),
        function=module.find_function_name(node),
        metadata=dotted_name(node.value),
        stamps_head=stamps_head(module, node),
        engine_url=find_engine_url(module, parent) if isinstance(parent, ast.Call) else "",
    )


def _is_for_other_database(call: ast.Call | None) -> bool:
    return call is not None and names_other_database(ast.unparse(call))


def _may_be_application(receiver: ast.expr, tables: tuple[str, ...] | None) -> bool:
    """Whether the tables may be the application's: by its name for a MetaData that is made elsewhere.

    `tables` are those of a MetaData that the module makes itself; it may stay without any.
    """
    return _is_named_metadata(receiver) if tables is None else bool(tables)


def _is_named_metadata(receiver: ast.expr) -> bool:
    """Whether the receiver's name is one that the application's own MetaData usually has."""
    return _METADATA.search(dotted_name(receiver).rpartition(".")[2]) is not None


def _read_ddl_element(module: PythonModule, node: ast.Call) -> CodeChange | None:
    """A schema statement of SQLAlchemy's counts if it is executed; it is often only printed."""
    is_executed = any(
        isinstance(ancestor, ast.Call) and last_name(ancestor.func) in EXECUTES
        for ancestor in module.find_ancestors(node)
    )
    return _make_table_change(module, node, node.args[0]) if is_executed and node.args else None


def _read_table_method(module: PythonModule, node: ast.Call) -> CodeChange | None:
    """`table.create(bind)` and `table.drop(bind)`."""
    if not isinstance(node.func, ast.Attribute):
        return None
    has_bind = bool(node.args) or any(keyword.arg == "bind" for keyword in node.keywords)
    return _make_table_change(module, node, node.func.value) if has_bind else None


def _make_table_change(module: PythonModule, call: ast.Call, table: ast.expr) -> CodeChange | None:
    """The change of one table; None if `table` may be anything, often a table that users define."""
    tables = _tables_named_by(module, table)
    if not tables and not dotted_name(table).endswith("__table__"):
        return None
    return CodeChange(call.lineno, ast.unparse(call), "ddl element", tables, module.find_scopes(call))


def _tables_of_own_metadata(module: PythonModule, receiver: ast.expr) -> tuple[str, ...] | None:
    """The tables of a MetaData that the module makes itself; None for the application's own."""
    if not isinstance(receiver, ast.Name):
        return None
    values = [value for name, value in _find_assigned(module) if name == receiver.id]
    if not values or not all(_is_call_of(value, "MetaData") for value in values):
        return None
    tables: list[str] = []
    for node in module.nodes:
        if isinstance(node, ast.Call) and _is_table_of(node, receiver.id):
            tables += _without_placeholders(possible_texts(node.args[0], module.constants))
    return tuple(tables)


def _is_table_of(call: ast.Call, metadata: str) -> bool:
    """Whether the call is `Table(name, metadata, ...)`."""
    if last_name(call.func) != "Table" or len(call.args) < 2:
        return False
    return isinstance(call.args[1], ast.Name) and call.args[1].id == metadata


def _tables_named_by(module: PythonModule, node: ast.expr) -> tuple[str, ...]:
    """The table that `User.__table__`, or a name assigned `Table("users", ...)`, stands for."""
    name = dotted_name(node)
    if name.endswith(".__table__"):
        constant = name.removesuffix("__table__") + "__tablename__"
        return _without_placeholders(module.constants.get(constant, ()))
    for target, value in _find_assigned(module):
        if target == name and isinstance(value, ast.Call) and _is_call_of(value, "Table") and value.args:
            return _without_placeholders(possible_texts(value.args[0], module.constants))
    return ()


def _find_assigned(module: PythonModule) -> Iterator[tuple[str, ast.expr]]:
    """The dotted target and the value of every assignment."""
    for node in module.nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield dotted_name(target), node.value


def _is_call_of(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == name


def _without_placeholders(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if "{" not in name)
