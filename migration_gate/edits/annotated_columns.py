"""Columns that a class declares by their annotation alone: `email: Mapped[str]`."""

from __future__ import annotations

import ast

from migration_gate.edits.edited_calls import last_name
from migration_gate.edits.source_text import ExpectedStatements, Replacement, SourceText
from migration_gate.edits.sqlalchemy_names import name_sqlalchemy
from migration_gate.facts import SetKeyword, SourceEdit

_FUNCTION = "mapped_column"


def declare_column(source: SourceText, correction: SetKeyword) -> SourceEdit | None:
    """The edit that gives the annotation a `mapped_column(...)` with the keyword; None if it cannot."""
    statement = _find_annotation(source, correction)
    if statement is None or _FUNCTION not in correction.functions:
        return None
    function = _name_function(source.tree, statement.annotation)
    value = name_sqlalchemy(correction.value, source.tree, None)
    if function is None or value is None:
        return None
    call = f"{function}({correction.keyword}={value})"
    changed = source.copy_statement(statement.annotation)
    copied = next(node for node in ast.walk(changed.statement) if changed.node in ast.iter_child_nodes(node))
    assert isinstance(copied, ast.AnnAssign)  # noqa: S101 - it is a copy of one
    copied.value = ast.parse(call, mode="eval").body
    expected = ExpectedStatements(changed.original, (changed.statement,))
    end = source.end_of(statement)
    return source.make_edit(Replacement(end, end, f" = {call}"), expected, correction.introduction)


def _find_annotation(source: SourceText, correction: SetKeyword) -> ast.AnnAssign | None:
    for node in source.nodes_by_line.get(correction.location.line or 0, ()):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=None) if name == correction.column:
                return node
    return None


def _name_function(tree: ast.Module, annotation: ast.expr) -> str | None:
    """How the file can write `mapped_column`; None if it cannot, or the annotation is no `Mapped[...]`."""
    if not isinstance(annotation, ast.Subscript) or last_name(annotation.value) != "Mapped":
        return None
    if isinstance(annotation.value, ast.Attribute):  # what has `Mapped` has the function as well
        return f"{ast.unparse(annotation.value.value)}.{_FUNCTION}"
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "sqlalchemy.orm":
            for alias in statement.names:
                if alias.name == _FUNCTION:
                    return alias.asname or alias.name
    return None
