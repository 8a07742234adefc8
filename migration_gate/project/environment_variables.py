"""Finds the environment variables that a project reads, in the source of env.py and of what it imports."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from migration_gate.project.import_path import list_imported_names

READING_FUNCTIONS = frozenset({
    "getenv", "get", "config", "env", "str", "bool", "int", "url", "db", "getenv_or_raise",
})  # fmt: skip
"""last names of functions whose first argument may be a variable's name: `os.getenv`, `env.url`"""
MOST_FILES = 80
"""of the project's own that are read, nearest to env.py first"""
DATABASE_WORDS = ("DATABASE", "POSTGRES", "SQLALCHEMY", "PG", "DSN", "SQL")


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """One variable that the project's code reads."""

    name: str
    file: Path
    line: int
    required: bool
    """reading it fails when it is not set"""

    @property
    def is_database_setting(self) -> bool:
        """Whether its name is that of a setting for a database."""
        name = self.name.upper()
        return any(word in name for word in DATABASE_WORDS) or "DB" in name.split("_")


def find_variables(entry_file: Path, sys_path: Sequence[str]) -> tuple[EnvironmentVariable, ...]:
    """The variables that env.py (or a hook) and the project's modules around it read, each once."""
    variables: dict[str, EnvironmentVariable] = {}
    waiting, seen = deque([entry_file]), {entry_file}
    while waiting and len(seen) <= MOST_FILES:
        file = waiting.popleft()
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue
        for variable in _find_in_module(tree, file):
            variables.setdefault(variable.name, variable)
        for module in _find_imported_files(tree, file, sys_path):
            if module not in seen:
                seen.add(module)
                waiting.append(module)
    return tuple(variables.values())


def _find_imported_files(tree: ast.Module, file: Path, sys_path: Sequence[str]) -> Iterator[Path]:
    """Files of the project that a module imports."""
    names = list_imported_names(file)
    own_folders = [
        folder for folder in map(Path, sys_path) if any(_find_module_file(folder, name) for name in names)
    ]
    for node in ast.walk(tree):
        folders = own_folders
        if isinstance(node, ast.ImportFrom) and node.level:
            folders = [file.parents[node.level - 1]]
        for name in _list_possible_modules(node):
            for folder in folders:
                module = _find_module_file(folder, name)
                if module is not None:
                    yield module


def _list_possible_modules(node: ast.AST) -> list[str]:
    """What an import may import, with dots: in `from a import b`, `a` and `a.b` may be modules."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(module)):
            return [module, *(f"{module}.{alias.name}" for alias in node.names)]
        case ast.ImportFrom():
            return [alias.name for alias in node.names]
        case _:
            return []


def _find_module_file(folder: Path, dotted_name: str) -> Path | None:
    path = folder.joinpath(*dotted_name.split("."))
    for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _find_in_module(tree: ast.Module, file: Path) -> Iterator[EnvironmentVariable]:
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
                if name and ast.unparse(value).endswith("environ"):
                    yield EnvironmentVariable(name, file, node.lineno, required=True)
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
                function = ast.unparse(func)
                if name.isupper() and function.rpartition(".")[2] in READING_FUNCTIONS:
                    yield EnvironmentVariable(name, file, node.lineno, _fails_when_unset(node, function))
            case ast.ClassDef(bases=bases):
                if any(ast.unparse(base).endswith("Settings") for base in bases):
                    yield from _find_in_settings_class(node, file)


def _fails_when_unset(call: ast.Call, function: str) -> bool:
    """Whether a call raises when its variable is not set: it is neither `os.getenv`, nor has a default."""
    has_default = len(call.args) > 1 or any(keyword.arg == "default" for keyword in call.keywords)
    return not function.endswith(("environ.get", "getenv")) and not has_default


def _find_in_settings_class(settings_class: ast.ClassDef, file: Path) -> Iterator[EnvironmentVariable]:
    """The fields of a pydantic settings class, as the variables that fill them."""
    prefix = _find_text(settings_class, ("env_prefix",))
    for field in settings_class.body:
        match field:
            case ast.AnnAssign(target=ast.Name(id=name)) if not _is_no_field(name, field):
                alias = _find_text(field, ("alias", "validation_alias", "env"))
                variable = alias or f"{prefix}{name}".upper()
                yield EnvironmentVariable(variable, file, field.lineno, _needs_value(field.value))


def _is_no_field(name: str, field: ast.AnnAssign) -> bool:
    return name == "model_config" or "ClassVar" in ast.unparse(field.annotation)


def _needs_value(default: ast.expr | None) -> bool:
    """Whether a field has no default: `Field(...)` and `Field(description=…)` give none either."""
    if default is None or _is_ellipsis(default):
        return True
    if not isinstance(default, ast.Call) or not ast.unparse(default.func).endswith("Field"):
        return False
    if default.args:
        return _is_ellipsis(default.args[0])
    return not any(keyword.arg in ("default", "default_factory") for keyword in default.keywords)


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _find_text(node: ast.AST, names: Sequence[str]) -> str:
    """The first text given to one of these names, as keyword (`alias="X"`) or assigned; '' without one."""
    for child in ast.walk(node):
        match child:
            case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
                if name in names and text:
                    return text
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                if name in names and text:
                    return text
    return ""
