"""The variables that fill the fields of pydantic's settings classes, read from their text."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from migration_gate.project.python_source import unparse_code
from migration_gate.project.variable_reads import VariableRead

BASE = "BaseSettings"


def find_settings_classes(trees: Sequence[ast.Module]) -> list[list[ast.ClassDef]]:
    """The settings classes of each module: those that inherit from BaseSettings, by way of others too."""
    classes = [[node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)] for tree in trees]
    parents = _collect_parents([node for group in classes for node in group])
    return [[node for node in group if _inherits(node, parents)] for group in classes]


def _collect_parents(classes: Sequence[ast.ClassDef]) -> set[str]:
    """The names of BaseSettings and of all classes that inherit from it."""
    parents = {BASE}
    while new := {node.name for node in classes if node.name not in parents and _inherits(node, parents)}:
        parents |= new
    return parents


def _inherits(node: ast.ClassDef, parents: set[str]) -> bool:
    """Whether the class names one of them as its base, by whatever path: `pydantic_settings.BaseSettings`."""
    return any(unparse_code(base).rpartition(".")[2] in parents for base in node.bases)


def find_fields(settings_class: ast.ClassDef) -> Iterator[VariableRead]:
    """The fields of the class, as the variables that fill them."""
    prefix = _find_text(settings_class, ("env_prefix",))
    for node in settings_class.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) if not _is_no_field(name, node):
                alias = _find_text(node, ("alias", "validation_alias", "env"))
                yield VariableRead(alias or f"{prefix}{name}".upper(), node.lineno, _needs_value(node.value))


def _is_no_field(name: str, node: ast.AnnAssign) -> bool:
    return name == "model_config" or name.startswith("_") or "ClassVar" in unparse_code(node.annotation)


def _needs_value(default: ast.expr | None) -> bool:
    """Whether a field has no default: `Field(...)` and `Field(description=…)` give none either."""
    if default is None or _is_ellipsis(default):
        return True
    if not isinstance(default, ast.Call) or not unparse_code(default.func).endswith("Field"):
        return False
    if default.args:
        return _is_ellipsis(default.args[0])
    return not any(keyword.arg in ("default", "default_factory") for keyword in default.keywords)


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _find_text(node: ast.AST, names: Sequence[str]) -> str:
    """The first text given to one of these names, as keyword (`alias="X"`) or assigned; '' without one.

    Of `AliasChoices("X", "Y")` it is the first, too.
    """
    for child in ast.walk(node):
        match child:
            case ast.keyword(arg=str(name), value=ast.Call(args=[ast.Constant(value=str(text)), *_])):
                if name in names and text:
                    return text
            case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
                if name in names and text:
                    return text
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                if name in names and text:
                    return text
    return ""
