"""By which name a file has what SQLAlchemy offers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_PLACEHOLDER = re.compile(r"^sa\.(\w+)")
_PACKAGES = ("sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlmodel")
"""from which `func` and `text` are imported"""


def name_sqlalchemy(expression: str, tree: ast.Module, call: ast.Call | None) -> str | None:
    """The expression with `sa.name` at its begin as the file can write it, in a call if there is one already.

    None if the file has not imported it: another edit would be needed.
    """
    placeholder = _PLACEHOLDER.match(expression)
    if placeholder is None:
        return expression
    name = _find_name(placeholder[1], tree, call)
    return f"{name}{expression[placeholder.end() :]}" if name is not None else None


def _find_name(name: str, tree: ast.Module, call: ast.Call | None) -> str | None:
    imported = next(_imported_names(name, tree), None)
    if imported is not None or call is None:
        return imported
    match call.func:  # what has `Column` has the rest as well: `db.Column` of Flask-SQLAlchemy
        case ast.Attribute(value=ast.Name(id=prefix), attr="Column" | "mapped_column"):
            return None if prefix in _names_of_orm(tree) else f"{prefix}.{name}"
        case _:
            return None


def _names_of_orm(tree: ast.Module) -> set[str]:
    """The names by which the file has `sqlalchemy.orm`, which offers `mapped_column` and little else."""
    names: set[str] = set()
    for statement in tree.body:
        match statement:
            case ast.ImportFrom(module="sqlalchemy", level=0):
                names.update(_list_bound_names(statement, "orm"))
            case ast.Import():
                names.update(_list_bound_names(statement, "sqlalchemy.orm"))
            case _:
                pass
    return names


def _imported_names(name: str, tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        match statement:
            case ast.ImportFrom(module=str(module), level=0) if module in _PACKAGES:
                yield from _list_bound_names(statement, name)
            case ast.Import():
                yield from (f"{package}.{name}" for package in _list_bound_names(statement, "sqlalchemy"))
            case _:
                pass


def _list_bound_names(statement: ast.Import | ast.ImportFrom, name: str) -> Iterator[str]:
    """The variables under which a statement imports `name`."""
    return (alias.asname or alias.name for alias in statement.names if alias.name == name)
