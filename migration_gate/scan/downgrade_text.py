"""A revision's `downgrade()` read as text: whether it does anything, refuses, or can never run."""

from __future__ import annotations

import ast

from migration_gate.facts import DowngradeText
from migration_gate.scan.unnamed_calls import find_unnamed_creations, find_unnamed_drops


def read_downgrade(tree: ast.Module) -> DowngradeText:
    """What the text of the module says of it."""
    upgrade, downgrade = _find_function(tree, "upgrade"), _find_function(tree, "downgrade")
    upgrade_is_empty = upgrade is not None and _is_empty(tree, upgrade)
    if downgrade is None:
        is_empty = not _assigns(tree, "downgrade")
        return DowngradeText(is_empty=is_empty, upgrade_is_empty=upgrade_is_empty)
    refusal = _find_refusal(downgrade)
    drops = tuple(find_unnamed_drops(downgrade))
    return DowngradeText(
        line=downgrade.lineno,
        is_empty=_is_empty(tree, downgrade),
        upgrade_is_empty=upgrade_is_empty,
        refusal=ast.unparse(refusal).removeprefix("raise ") if refusal is not None else "",
        refusal_line=refusal.lineno if refusal is not None else None,
        unnamed_drops=drops,
        unnamed_creations=tuple(find_unnamed_creations(upgrade)) if upgrade is not None and drops else (),
    )


def _find_function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    functions = (item for item in tree.body if isinstance(item, ast.FunctionDef) and item.name == name)
    return next(functions, None)


def _assigns(tree: ast.Module, name: str) -> bool:
    """Whether the module gets the name in another way than by `def`: an assignment, an import, an `if`."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=found, ctx=ast.Store()) if found == name:
                return True
            case ast.alias() if name in (node.asname, node.name):
                return True
            case ast.FunctionDef(name=found) if found == name:
                return True
    return False


def _list_statements(function: ast.FunctionDef) -> list[ast.stmt]:
    """The body without what does nothing: a docstring, `pass`, `...`, `return`."""
    return [statement for statement in function.body if not _does_nothing(statement)]


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Global() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Return(value=None) | ast.Return(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=function)):
            return _is_output(function)
        case _:
            return False


def _is_output(function: ast.expr) -> bool:
    """`print(…)`, `logger.info(…)`, `warnings.warn(…)`."""
    match function:
        case ast.Name(id="print"):
            return True
        case ast.Attribute(value=ast.Name(id=owner)):
            return owner.lower() in ("logger", "log", "logging", "warnings", "_logger")
        case _:
            return False


def _is_empty(tree: ast.Module, function: ast.FunctionDef, depth: int = 0) -> bool:
    """Whether the function does nothing; it may call others of its module that do nothing."""
    for statement in _list_statements(function):
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Name(id=name))) if depth < 2:
                called = _find_function(tree, name)
                if called is None or not _is_empty(tree, called, depth + 1):
                    return False
            case _:
                return False
    return True


def _find_refusal(function: ast.FunctionDef) -> ast.Raise | None:
    """The `raise` with which the body begins, if nothing that has an effect stands before it."""
    statements = _list_statements(function)
    first = statements[0] if statements else None
    return first if isinstance(first, ast.Raise) and first.exc is not None else None
