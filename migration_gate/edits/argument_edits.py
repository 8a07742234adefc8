"""Edits of the arguments of a call: a keyword, or the arguments of a column's type."""

from __future__ import annotations

import ast

from migration_gate.edits.annotated_columns import declare_column
from migration_gate.edits.edited_calls import find_call, last_name
from migration_gate.edits.source_text import ExpectedStatements, Replacement, SourceText
from migration_gate.edits.sqlalchemy_names import name_sqlalchemy
from migration_gate.facts import COLUMN_FUNCTIONS, SetKeyword, SetTypeArguments, SourceEdit

_POSITIONS = {
    ("ForeignKey", "ondelete"): 5,
    ("ForeignKeyConstraint", "ondelete"): 4,
    ("create_foreign_key", "ondelete"): 6,
    ("drop_constraint", "constraint_name"): 0,
    ("create_foreign_key", "constraint_name"): 0,
    ("create_unique_constraint", "constraint_name"): 0,
    ("create_check_constraint", "constraint_name"): 0,
    ("create_primary_key", "constraint_name"): 0,
    ("drop_index", "index_name"): 0,
    ("create_index", "index_name"): 0,
}
"""of arguments that may be given without their names, counted from 0: `ForeignKey("a.id", None, False, "k",
None, "CASCADE")`; by functions of SQLAlchemy and, in its old versions, of Alembic"""
_ALTER_COLUMN, _COLUMN_NAMES = "alter_column", 2
"""in old versions of Alembic it takes others without their names, behind the table's and the column's"""


def set_keyword(source: SourceText, correction: SetKeyword) -> SourceEdit | None:
    """The edit that gives a call the keyword argument; None if that cannot be done exactly."""
    call = find_call(source, correction.location, correction.functions, correction.column)
    if call is None:
        return declare_column(source, correction)
    value = name_sqlalchemy(correction.value, source.tree, call)
    if value is None:
        return None
    given = _find_argument(call, correction.keyword)
    if given is not None:
        replacement, expected = _replace_node(source, given, value), _expect_node(source, given, value)
    elif _may_have_argument(call, correction.keyword):
        return None
    else:
        replacement = _append_argument(source, call, f"{correction.keyword}={value}")
        expected = _expect_keyword(source, call, correction.keyword, value)
    return source.make_edit(replacement, expected, correction.introduction)


def _find_argument(call: ast.Call, keyword: str) -> ast.expr | None:
    """What the call gives for the keyword, also without its name; None if it gives nothing."""
    position = _POSITIONS.get((last_name(call.func), keyword), len(call.args))
    if position < len(call.args) and not _has_star(call):
        return call.args[position]
    return next((item.value for item in call.keywords if item.arg == keyword), None)


def _may_have_argument(call: ast.Call, keyword: str) -> bool:
    """Whether a `*` or `**` of the call, or one of its arguments without names, may stand for the keyword."""
    if any(item.arg is None for item in call.keywords):
        return True
    name = last_name(call.func)
    if name == _ALTER_COLUMN:
        return len(call.args) > _COLUMN_NAMES or _has_star(call)
    return (name, keyword) in _POSITIONS and _has_star(call)


def _has_star(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def set_type_arguments(source: SourceText, correction: SetTypeArguments) -> SourceEdit | None:
    """The edit that gives the type of a column its arguments; None if that cannot be done exactly."""
    column = find_call(source, correction.location, COLUMN_FUNCTIONS, correction.column)
    types = [
        argument
        for argument in (column.args if column is not None else ())
        if last_name(argument.func if isinstance(argument, ast.Call) else argument) in correction.types
    ]
    if len(types) != 1:
        return None
    (type_,) = types
    name = type_.func if isinstance(type_, ast.Call) else type_
    if isinstance(type_, ast.Call) and not _has_plain_numbers(type_):
        return None
    arguments = ", ".join(map(str, correction.arguments))
    replacement = _replace_node(source, type_, f"{source.text_of(name)}({arguments})")
    return source.make_edit(
        replacement, _expect_node(source, type_, replacement.text), correction.introduction
    )


def _has_plain_numbers(call: ast.Call) -> bool:
    """Whether the arguments of a type are its length, or precision and scale, alone."""
    names = {keyword.arg for keyword in call.keywords}
    values = (*call.args, *(keyword.value for keyword in call.keywords))
    return names <= {"length", "precision", "scale"} and all(
        isinstance(value, ast.Constant) and isinstance(value.value, int) for value in values
    )


def _replace_node(source: SourceText, node: ast.expr, text: str) -> Replacement:
    return Replacement(source.start_of(node), source.end_of(node), text)


def _append_argument(source: SourceText, call: ast.Call, argument: str) -> Replacement:
    """The argument behind the last one: on a line of its own, if the others have theirs."""
    arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    if not arguments:
        before_bracket = source.end_of(call) - 1
        return Replacement(before_bracket, before_bracket, argument)
    last = max(arguments, key=source.end_of)
    end = source.end_of(last)
    has_own_line = last.lineno > call.func.lineno and not source.rest_of_line(end).strip().strip(",")
    separator = f"\n{source.indentation_of(last)}" if has_own_line else " "
    return Replacement(end, end, f",{separator}{argument}")


def _expect_keyword(source: SourceText, call: ast.Call, keyword: str, value: str) -> ExpectedStatements:
    """The statement in which the call has one more keyword."""
    changed = source.copy_statement(call)
    copied = changed.node
    assert isinstance(copied, ast.Call)  # noqa: S101 - it is a copy of one
    copied.keywords.append(ast.keyword(arg=keyword, value=ast.parse(value, mode="eval").body))
    return ExpectedStatements(changed.original, (changed.statement,))


def _expect_node(source: SourceText, node: ast.expr, text: str) -> ExpectedStatements:
    """The statement with another expression in the place of `node`."""
    changed = source.copy_statement(node)
    new = ast.parse(text, mode="eval").body

    class _Exchange(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return new if visited is changed.node else super().visit(visited)

    exchanged = _Exchange().visit(changed.statement)
    assert isinstance(exchanged, ast.stmt)  # noqa: S101 - the top is not exchanged
    return ExpectedStatements(changed.original, (exchanged,))
