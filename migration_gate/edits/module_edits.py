"""Edits of a module's own statements: the string of a variable, and imports."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator, Sequence

from migration_gate.edits.source_text import ExpectedStatements, Replacement, SourceText
from migration_gate.facts import AddImports, SetVariable, SourceEdit

UNUSED_MARK = "  # noqa: F401"
"""for linters: the module is imported for what it does"""


def set_variable(source: SourceText, correction: SetVariable) -> SourceEdit | None:
    """The edit that gives a variable its string; None if that cannot be done exactly.

    It has to be assigned once, and to be the old string: no tuple, no call, no other value.
    """
    assignments = [statement for statement in source.tree.body if _assigns(statement, correction.name)]
    if len(assignments) != 1:
        return None
    value = _read_value(assignments[0])
    if not isinstance(value, ast.Constant) or value.value != correction.old_value:
        return None
    quote = "'" if source.text_of(value).startswith("'") else '"'
    literal = _write_literal(correction.new_value, quote)
    changed = source.copy_statement(value)
    assert isinstance(changed.node, ast.Constant)  # noqa: S101 - it is a copy of one
    changed.node.value = correction.new_value
    expected = ExpectedStatements(changed.original, (changed.statement,))
    replacement = Replacement(source.start_of(value), source.end_of(value), literal)
    return source.make_edit(replacement, expected, correction.introduction)


def _assigns(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Name) and target.id == name for target in targets)
        case ast.AnnAssign(target=ast.Name(id=target_name)):
            return target_name == name
        case _:
            return False


def _read_value(statement: ast.stmt) -> ast.expr | None:
    return statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None


def _write_literal(text: str, quote: str) -> str:
    literal = repr(text)
    return f'"{literal[1:-1]}"' if quote == '"' and '"' not in literal and "'" not in text else literal


def add_imports(source: SourceText, correction: AddImports) -> SourceEdit | None:
    """The edit that imports the modules below the last import above `target_metadata`; None if it cannot.

    An import binds the first part of the module's name: it must not be a variable of the file already.
    """
    anchor = _find_last_import(source.tree)
    if anchor is None or not _can_import(source.tree, correction.modules):
        return None
    end = source.end_of(anchor)
    if source.rest_of_line(end).strip()[:1] not in ("", "#"):
        return None  # another statement on the same line
    end = source.end_of_line(anchor.end_lineno or anchor.lineno)
    lines = [f"import {module}{UNUSED_MARK}" for module in correction.modules]
    imports = (ast.Import(names=[ast.alias(name=module)]) for module in correction.modules)
    expected = ExpectedStatements(anchor, (anchor, *imports))
    text = "".join(f"\n{line}" for line in lines)
    return source.make_edit(Replacement(end, end, text), expected, correction.introduction)


def _can_import(tree: ast.Module, modules: Sequence[str]) -> bool:
    """Whether Python can, and no variable of the file is overwritten."""
    names = {module.partition(".")[0] for module in modules}
    return bool(names) and all(map(_is_module_name, modules)) and names.isdisjoint(_bound_names(tree))


def _is_module_name(name: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))


def _find_last_import(tree: ast.Module) -> ast.stmt | None:
    """The last import of the module's own body that stands above `target_metadata`."""
    last: ast.stmt | None = None
    for statement in tree.body:
        if _assigns(statement, "target_metadata"):
            break
        if isinstance(statement, ast.Import | ast.ImportFrom):
            last = statement
    return last


def _bound_names(tree: ast.Module) -> set[str]:
    """The names that the file gives to something else than to a package that it imports by its own name."""
    return {name for node in ast.walk(tree) for name in _list_bindings(node)}


def _list_bindings(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)
        case ast.Import(names=aliases):
            yield from (alias.asname for alias in aliases if alias.asname)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
