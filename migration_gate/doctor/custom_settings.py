"""What env.py reads of Alembic's configuration that only a command of the project's own sets."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import NamedTuple

from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.python_source import parse_source, unparse_code
from migration_gate.project.search import SKIPPED, read_text_file
from migration_gate.python_parser import walk_nodes

MOST_FILES = 3000
"""of the repository's Python that are searched for what the project's command sets"""
OWN_ATTRIBUTES = frozenset({
    "attributes", "config_file_name", "config_ini_section", "cmd_opts", "file_config", "stdout",
    "output_buffer", "messaging_opts", "memo", "get_main_option", "set_main_option", "get_section",
    "set_section_option", "get_section_option", "get_template_directory", "print_stdout",
    "get_alembic_option", "get_alembic_boolean_option", "get_prepend_sys_paths_list",
    "get_version_locations_list", "toml_file_name", "toml_alembic_config",
})  # fmt: skip
"""of Alembic's `Config`: what else env.py reads there, the project's own command has set"""


@dataclass(frozen=True, slots=True)
class CustomSetting:
    """What env.py reads of the configuration, and Alembic's own command does not set."""

    expression: str
    """`cfg.attributes["engine"]`, `cfg.engine`"""
    name: str
    line: int
    """of env.py"""
    is_required: bool
    set_at: str = ""
    """`app/db.py:31`, where the project sets it; empty if that was not found"""
    value: str = ""
    """the code that the project sets it to"""
    parts: Mapping[str, bool] = field(default_factory=dict)
    """attributes that env.py reads of it, and whether each is called"""


class _ConfigRead(NamedTuple):
    """An expression of env.py that reads the configuration."""

    expression: str
    """the same in a hook"""
    name: str
    is_required: bool
    """env.py fails without it"""


class _Assignment(NamedTuple):
    """A place where the project sets something on a configuration."""

    location: str
    """`app/db.py:31`"""
    code: str


def find_custom_settings(env_py: Path, root: Path) -> Iterator[CustomSetting]:
    """What env.py reads of `config`, each once, with the place where the project sets it."""
    tree = parse_source(env_py)
    if tree is None:
        return
    assignments = _find_assignments(root, env_py)
    untested = _list_untested(tree)
    reads: dict[str, list[tuple[ast.AST, _ConfigRead]]] = {}
    for node in ast.walk(tree):
        read = _read_of_config(node, untested)
        if read is not None:
            reads.setdefault(read.expression, []).append((node, read))
    for expression, found in reads.items():
        first_node, first = found[0]
        assignment = assignments.get(first.name, _Assignment("", ""))
        yield CustomSetting(
            expression,
            first.name,
            line=getattr(first_node, "lineno", 1),
            is_required=any(read.is_required for _, read in found),
            set_at=assignment.location,
            value=assignment.code,
            parts=_list_parts(tree, {node for node, _ in found}),
        )


def _list_parts(tree: ast.Module, values: set[ast.AST]) -> dict[str, bool]:
    """The attributes that are read of a value, or of a variable that it is assigned to."""
    nodes = list(ast.walk(tree))
    holders = {
        node.targets[0].id
        for node in nodes
        if isinstance(node, ast.Assign) and node.value in values and isinstance(node.targets[0], ast.Name)
    }
    called = {node.func for node in nodes if isinstance(node, ast.Call)}
    return {
        node.attr: node in called
        for node in nodes
        if isinstance(node, ast.Attribute)
        and (node.value in values or (isinstance(node.value, ast.Name) and node.value.id in holders))
    }


def _list_untested(tree: ast.Module) -> set[ast.AST]:
    """Calls of whose value something is read, though nothing asks whether it is None: `get("a").b`."""
    parts = [node.value for node in walk_nodes(tree) if isinstance(node, (ast.Attribute, ast.Subscript))]
    read_names = {part.id for part in parts if isinstance(part, ast.Name)}
    tested_names = {
        part.id
        for node in walk_nodes(tree)
        for test in _list_tests(node)
        for part in walk_nodes(test)
        if isinstance(part, ast.Name)
    }
    untested: set[ast.AST] = {part for part in parts if isinstance(part, ast.Call)}
    for node in walk_nodes(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                if name in read_names - tested_names:
                    untested.add(call)
    return untested


def _list_tests(node: ast.AST) -> Sequence[ast.AST]:
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) | ast.Assert(test=test):
            return [test]
        case ast.BoolOp() | ast.Compare():
            return [node]
    return []


def _read_of_config(node: ast.AST, untested: set[ast.AST]) -> _ConfigRead | None:
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            if unparse_code(value) in ("config.attributes", "context.config.attributes"):
                return _ConfigRead(f'cfg.attributes["{name}"]', name, is_required=True)
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *default]):
            if unparse_code(func) in ("config.attributes.get", "context.config.attributes.get"):
                is_none = all(isinstance(value, ast.Constant) and value.value is None for value in default)
                return _ConfigRead(
                    f'cfg.attributes["{name}"]', name, is_required=is_none and node in untested
                )
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()):
            if unparse_code(value) in ("config", "context.config") and name not in OWN_ATTRIBUTES:
                return _ConfigRead(f"cfg.{name}", name, is_required=True)
    return None


def _find_assignments(root: Path, env_py: Path) -> dict[str, _Assignment]:
    """What the repository's Python sets on a configuration, by name; the first place of each."""
    assignments: dict[str, _Assignment] = {}
    for number, file in enumerate(find_files(root, ".py")):
        if number >= MOST_FILES:
            break
        # Parsing all files would take long; nearly all of them say nothing about a configuration.
        if file == env_py or "onfig" not in read_text_file(file):
            continue
        tree = parse_source(file)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Assign) and (name := _assigned_name(node.targets[0])):
                location = f"{relative_path(file, root)}:{node.lineno}"
                assignments.setdefault(name, _Assignment(location, unparse_code(node.value)))
    return assignments


def _assigned_name(target: ast.expr) -> str:
    match target:
        case ast.Subscript(value=ast.Attribute(attr="attributes"), slice=ast.Constant(value=str(name))):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if "cfg" in owner or "config" in owner:
            return name
        case _:
            return ""


def find_files(top: Path, ending: str) -> Iterator[Path]:
    """The project's own files whose names end so; no virtual environments and no hidden folders."""
    for folder, folder_names, file_names in os.walk(top):
        if "pyvenv.cfg" in file_names:
            folder_names.clear()
            continue
        # os.walk goes into what is left in its list; a folder `env` often holds env.py.
        folder_names[:] = sorted(name for name in folder_names if _is_searched(name))
        for name in sorted(file_names):
            if name.endswith(ending):
                yield Path(folder) / name


def _is_searched(folder_name: str) -> bool:
    return folder_name not in SKIPPED - {"env"} and not folder_name.startswith(".")


def relative_path(path: Path, root: Path) -> str:
    """The path from the project's top; absolute where it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
