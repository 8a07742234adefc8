"""Where Python code changes a schema when it runs: read from its syntax tree, never executed."""

from __future__ import annotations

import ast

from migration_gate.scan.code_change import CodeChange
from migration_gate.scan.other_dialects import imports_only_other_drivers, names_other_database
from migration_gate.scan.python_ddl_calls import DDL_ELEMENTS, FOR_ALL_TABLES, FOR_ONE_TABLE, find_ddl_calls
from migration_gate.scan.python_module import PythonModule
from migration_gate.scan.python_sql_strings import DDL, find_sql_strings
from migration_gate.scan.python_strings import constant_text
from migration_gate.scan.python_syntax import parse_python

_WORTH_READING = DDL_ELEMENTS | FOR_ONE_TABLE | FOR_ALL_TABLES.keys()
"""attributes that are a reason to read a file closely"""


def find_python_changes(path: str, data: bytes | str) -> list[CodeChange] | None:
    """Every place in a Python file that changes a schema when it runs; None if it cannot be parsed."""
    tree = parse_python(data)
    if tree is None:
        return None
    if not any(_is_worth_reading(node) for node in ast.walk(tree)):
        return []
    try:
        return _find_changes(path, tree)
    except RecursionError:  # a sum of thousands of strings
        return None


def _is_worth_reading(node: ast.AST) -> bool:
    """Whether a node is a reason to read the file closely."""
    if isinstance(node, ast.Attribute):
        return node.attr in _WORTH_READING
    if isinstance(node, ast.Name):
        return node.id in DDL_ELEMENTS
    text = constant_text(node)
    return text is not None and DDL.search(text) is not None


def _find_changes(path: str, tree: ast.Module) -> list[CodeChange]:
    """The changes by line, each once; none in a module for another database."""
    module = PythonModule(tree)
    if names_other_database(path) or imports_only_other_drivers(module.nodes):
        return []
    changes = [*find_sql_strings(module), *find_ddl_calls(module)]
    unique = {(change.line, change.statement): change for change in changes}
    return sorted(unique.values(), key=lambda change: change.line)
