"""Runs the lines of a revision that Migration Gate wrote, exactly as a reader would paste them.

The lines hold names and expressions of the project, so they are never given to `exec`: they are read as a
syntax tree, of which only calls of Alembic's operations with SQLAlchemy's types, columns and texts are
carried out. Anything else is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from migration_gate.python_parser import parse_module

OPERATIONS = frozenset({
    "add_column", "alter_column", "create_check_constraint", "create_foreign_key", "create_index",
    "create_table", "create_unique_constraint", "drop_column", "drop_constraint", "drop_index", "drop_table",
    "execute", "f", "rename_table",
})  # fmt: skip
"""what may be called on `op`"""
_SCHEMA_ITEMS = frozenset({
    "Column", "Computed", "Identity", "PrimaryKeyConstraint", "UniqueConstraint", "ForeignKeyConstraint",
    "CheckConstraint", "false", "text", "true",
})  # fmt: skip
"""what may be called on `sa` beside types"""
_MODULES: Mapping[str, Any] = {"sa": sa, "postgresql": postgresql}
_AUTOCOMMIT = "op.get_context().autocommit_block()"


class RefusedCode(Exception):
    """The lines hold something that a fix never holds; the message is its text."""


def uses_autocommit(code: str) -> bool:
    """Whether the lines commit what ran before them, so that they cannot be rolled back."""
    return any(isinstance(statement, ast.With) for statement in parse_module(code).body)


def has_statements(code: str) -> bool:
    """Whether the lines are more than comments."""
    return bool(parse_module(code).body)


def is_one_column_change(code: str) -> bool:
    """Whether the lines are one `op.alter_column()` that renames nothing."""
    match parse_module(code).body:
        case [ast.Expr(value=ast.Call(func=ast.Attribute(attr="alter_column")) as call)]:
            return all(keyword.arg != "new_column_name" for keyword in call.keywords)
        case _:
            return False


def run_revision_code(code: str, operations: Operations) -> None:
    """Carry out the body of a revision's function. Raises RefusedCode, and what the database raises."""
    _run_statements(parse_module(code).body, operations)


def _run_statements(statements: list[ast.stmt], operations: Operations) -> None:
    for statement in statements:
        match statement:
            case ast.Expr(value=ast.Call() as call):
                _carry_out_call(call, operations)
            case ast.With(items=[ast.withitem(context_expr=context)], body=body) if _is_autocommit(context):
                with operations.get_context().autocommit_block():
                    _run_statements(body, operations)
            case ast.Pass():
                pass
            case _:
                raise RefusedCode(ast.unparse(statement))


def _is_autocommit(expression: ast.expr) -> bool:
    return ast.unparse(expression) == _AUTOCOMMIT


def _carry_out_call(call: ast.Call, operations: Operations) -> Any:
    """The result of a call of what is allowed."""
    function = _find_function(call.func, operations)
    arguments = [_evaluate_argument(argument, operations) for argument in call.args]
    if any(keyword.arg is None for keyword in call.keywords):  # `**options`
        raise RefusedCode(ast.unparse(call))
    keywords = {str(keyword.arg): _evaluate_argument(keyword.value, operations) for keyword in call.keywords}
    return function(*arguments, **keywords)


def _evaluate_argument(expression: ast.expr, operations: Operations) -> Any:
    """The value of an argument."""
    match expression:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=elements):
            return [_evaluate_argument(element, operations) for element in elements]
        case ast.Tuple(elts=elements):
            return tuple(_evaluate_argument(element, operations) for element in elements)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Call():
            return _carry_out_call(expression, operations)
        case _:
            raise RefusedCode(ast.unparse(expression))


def _find_function(expression: ast.expr, operations: Operations) -> Any:
    """What a call names, if that is allowed."""
    match expression:
        case ast.Attribute(value=ast.Name(id="op"), attr=name) if name in OPERATIONS:
            return getattr(operations, name)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sa"), attr="func"), attr=name):
            if name.isidentifier() and not name.startswith("_"):
                return getattr(sa.func, name)
        case ast.Attribute(value=ast.Name(id="sa" | "postgresql" as module), attr=name):
            function = getattr(_MODULES[module], name, None)
            if name in _SCHEMA_ITEMS or (isinstance(function, type) and issubclass(function, TypeEngine)):
                return function
    raise RefusedCode(ast.unparse(expression))
