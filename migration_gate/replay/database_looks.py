"""Finds what a project's code asked the database before it ended the program itself."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from migration_gate.project.python_source import unparse_code
from migration_gate.python_parser import walk_nodes
from migration_gate.replay.failed_statement import ends_program, list_path

LOOKS = frozenset({
    "has_table", "has_schema", "has_index", "has_sequence", "get_table_names", "get_view_names",
    "get_schema_names", "get_columns", "execute", "exec_driver_sql", "scalar", "scalars", "fetchone",
    "fetchall", "fetchval", "get_current_revision", "get_current_heads",
})  # fmt: skip
"""methods of inspectors, connections, results and Alembic's context that ask the database"""
CONNECTIONS = frozenset({"connection", "conn", "connectable", "engine", "bind", "session", "inspector"})
"""variables that a function of the project's is given to look into the database"""

Asked = dict[str, ast.AST]
"""variables and functions of the module, and an expression in which each asks the database"""


def find_condition_look(tree: ast.Module, line: int) -> str | None:
    """The code that asked, where the statement in this line ends the program by what was found.

    None if the statement does something else, or nothing shows that a database was asked.
    """
    return _find_look(tree, line, _list_conditions)


def find_tried_look(tree: ast.Module, line: int) -> str | None:
    """The same where it ends the program because the look itself failed."""
    return _find_look(tree, line, _list_tries)


def _find_look(
    tree: ast.Module, line: int, list_reasons: Callable[[Sequence[ast.AST]], Iterator[ast.AST]]
) -> str | None:
    path = list(list_path(tree, line))
    reasons = list(list_reasons(path)) if path and ends_program(path[-1]) else []
    if not reasons:
        return None
    asked = _find_asked(tree)
    looks = (look for reason in reasons for look in _list_looks(reason, asked))
    look = next(looks, None)
    return None if look is None else " ".join(unparse_code(look).split())


def _list_conditions(path: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """What was asked before the last statement of the path was reached; the innermost first."""
    if isinstance(path[-1], ast.Assert):
        yield path[-1].test
    for part in reversed(path):
        match part:
            case ast.If(test=test) | ast.While(test=test):
                yield test
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return


def _list_tries(path: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """What was tried in vain before it was reached."""
    for outer, inner in reversed(list(pairwise(path))):
        match outer:
            case ast.Try(body=body, handlers=handlers) if inner in handlers:
                yield from body
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return


def _find_asked(tree: ast.Module) -> Asked:
    """Variables that hold an answer, and functions that ask."""
    asked: Asked = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                looks = list(_list_looks(value, {}))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                looks = [look for part in node.body for look in _list_looks(part, {})]
            case _:
                continue
        if looks:
            asked.setdefault(name, looks[0])
    return asked


def _list_looks(tree: ast.AST, asked: Asked) -> Iterator[ast.AST]:
    for node in walk_nodes(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in LOOKS:
                yield node
            case ast.Call(args=[ast.Name(id=name), *_]) if name in CONNECTIONS:
                yield node
            case ast.Name(id=name) if name in asked:
                yield asked[name]
