"""Finds the environment variables that a project reads, in the source of env.py and of what it imports."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.dynaconf_validators import find_dynaconf_settings, find_validated_values
from migration_gate.project.import_path import list_imported_names
from migration_gate.project.python_source import parse_source
from migration_gate.project.settings_classes import find_fields, find_settings_classes
from migration_gate.project.variable_reads import ModuleNames, collect_names, find_reads

MOST_FILES = 80
"""of the project's own that are read, nearest to env.py first"""
DATABASE_WORDS = frozenset({
    "DATABASE", "POSTGRES", "POSTGRESQL", "SQLALCHEMY", "DSN", "SQL", "PG", "DB", "ALEMBIC",
    "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE",
})  # fmt: skip
"""words of a name, between underscores"""


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
        return bool(DATABASE_WORDS & set(self.name.upper().split("_")))


def find_variables(
    entry_file: Path, sys_path: Sequence[str], flask_app: str | None = None
) -> tuple[EnvironmentVariable, ...]:
    """The variables that env.py (or a hook) and the project's modules around it read, each once.

    Flask-Migrate's env.py imports nothing of the project: it runs in the application, `module:factory`.
    """
    entry_files = [entry_file]
    if flask_app:
        module = flask_app.partition(":")[0]
        entry_files += filter(None, (_find_module_file(Path(folder), module) for folder in sys_path))
    modules = _read_modules(entry_files, sys_path)
    names_by_file: dict[Path, ModuleNames] = {}
    names_by_module: dict[str, ModuleNames] = {}
    for file, tree in reversed(modules.items()):  # what a module imports is collected before it
        names_by_file[file] = collect_names(tree, names_by_module)
        names_by_module[_module_name(file)] = names_by_file[file]
    classes = find_settings_classes(list(modules.values()))
    dynaconf = find_dynaconf_settings(modules)
    variables: dict[str, EnvironmentVariable] = {}
    for (file, tree), settings_classes in zip(modules.items(), classes, strict=True):
        reads = [*find_reads(tree, names_by_file[file])]
        reads += [read for settings_class in settings_classes for read in find_fields(settings_class)]
        reads += find_validated_values(tree, dynaconf) if dynaconf else ()
        for read in reads:
            variable = EnvironmentVariable(read.name, file, read.line, read.required)
            known = variables.setdefault(read.name, variable)
            if read.required and not known.required:
                variables[read.name] = variable
    return tuple(variables.values())


def _module_name(file: Path) -> str:
    """The last part of the module's name."""
    return file.parent.name if file.name == "__init__.py" else file.stem


def _read_modules(entry_files: Sequence[Path], sys_path: Sequence[str]) -> dict[Path, ast.Module]:
    """env.py, and the project's modules that it imports, nearest first."""
    modules: dict[Path, ast.Module] = {}
    waiting, seen = deque(dict.fromkeys(entry_files)), set(entry_files)
    while waiting and len(seen) <= MOST_FILES:
        file = waiting.popleft()
        tree = parse_source(file)
        if tree is None:
            continue
        modules[file] = tree
        for module in _find_imported_files(tree, file, sys_path):
            if module not in seen:
                seen.add(module)
                waiting.append(module)
    return modules


def _find_imported_files(tree: ast.Module, file: Path, sys_path: Sequence[str]) -> Iterator[Path]:
    """Files of the project that a module imports."""
    names = list_imported_names(file)
    own_folders = [
        folder for folder in map(Path, sys_path) if any(_find_module_file(folder, name) for name in names)
    ]
    for node in ast.walk(tree):
        folders = own_folders
        if isinstance(node, ast.ImportFrom) and node.level:
            folders = list(file.parents)[node.level - 1 : node.level]
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
