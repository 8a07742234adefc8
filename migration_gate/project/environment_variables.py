"""Which environment variables a project reads, from its source: env.py and what it imports of the project."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from migration_gate.project.import_path import list_imported_names

READERS = frozenset({"getenv", "get", "config", "env", "str", "bool", "int", "url", "db", "getenv_or_raise"})
FILES = 80
"""of the project's own that are read, nearest to env.py first"""


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
        """Whether its name speaks of a database."""
        name = self.name.upper()
        words = ("DATABASE", "POSTGRES", "SQLALCHEMY", "PG", "DSN", "SQL")
        return any(word in name for word in words) or "DB" in name.split("_")


def find_variables(importer: Path, sys_path: Sequence[str]) -> tuple[EnvironmentVariable, ...]:
    """The variables that env.py (or a hook) and the project's modules around it read, each once."""
    found: dict[str, EnvironmentVariable] = {}
    waiting, seen = deque([importer]), {importer}
    while waiting and len(seen) <= FILES:
        file = waiting.popleft()
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue
        for variable in _variables(tree, file):
            found.setdefault(variable.name, variable)
        for near in _modules(tree, file, sys_path):
            if near not in seen:
                seen.add(near)
                waiting.append(near)
    return tuple(found.values())


def _modules(tree: ast.Module, file: Path, sys_path: Sequence[str]) -> Iterator[Path]:
    """Files of the project that a module imports."""
    here = {
        folder for folder in sys_path if any(_file(Path(folder), name) for name in list_imported_names(file))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = f"{node.module}." if node.module else ""
            names = [node.module or "", *(stem + alias.name for alias in node.names)]
            if node.level:
                base = file.parents[node.level - 1]
                yield from (found for name in names if (found := _file(base, name)))
                continue
        else:
            continue
        yield from (found for folder in here for name in names if (found := _file(Path(folder), name)))


def _file(folder: Path, dotted: str) -> Path | None:
    if not dotted:
        return None
    path = folder.joinpath(*dotted.split("."))
    module, package = path.with_name(f"{path.name}.py"), path / "__init__.py"
    return module if module.is_file() else package if package.is_file() else None


def _variables(tree: ast.Module, file: Path) -> Iterator[EnvironmentVariable]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _text(node.value).endswith("environ"):
            name = _literal(node.slice)
            if name and isinstance(node.ctx, ast.Load):
                yield EnvironmentVariable(name, file, node.lineno, required=True)
        elif isinstance(node, ast.Call) and node.args:
            name = _literal(node.args[0])
            function = _text(node.func)
            if name and name.isupper() and function.rpartition(".")[2] in READERS:
                plain = function.endswith(("environ.get", "getenv"))
                default = len(node.args) > 1 or any(k.arg == "default" for k in node.keywords)
                yield EnvironmentVariable(name, file, node.lineno, required=not plain and not default)
        elif isinstance(node, ast.ClassDef) and any(_text(base).endswith("Settings") for base in node.bases):
            yield from _fields(node, file)


def _fields(node: ast.ClassDef, file: Path) -> Iterator[EnvironmentVariable]:
    """The fields of a pydantic settings class, as the variables that fill them."""
    prefix = next((found for each in ast.walk(node) if (found := _prefix(each))), "")
    for field in node.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            name = field.target.id
            if name == "model_config" or "ClassVar" in _text(field.annotation):
                continue
            alias = next((found for each in ast.walk(field) if (found := _alias(each))), "")
            required = field.value is None or _needs_value(field.value)
            yield EnvironmentVariable(alias or (prefix + name).upper(), file, field.lineno, required)


def _needs_value(value: ast.expr) -> bool:
    """`Field(...)` and `Field(description=…)` give no default."""
    if not isinstance(value, ast.Call) or not _text(value.func).endswith("Field"):
        return isinstance(value, ast.Constant) and value.value is ...
    if value.args:
        return isinstance(value.args[0], ast.Constant) and value.args[0].value is ...
    return not any(keyword.arg in ("default", "default_factory") for keyword in value.keywords)


def _prefix(node: ast.AST) -> str:
    if isinstance(node, ast.keyword) and node.arg == "env_prefix":
        return _literal(node.value) or ""
    if isinstance(node, ast.Assign) and [_text(target) for target in node.targets] == ["env_prefix"]:
        return _literal(node.value) or ""
    return ""


def _alias(node: ast.AST) -> str:
    if isinstance(node, ast.keyword) and node.arg in ("alias", "validation_alias", "env"):
        return _literal(node.value) or ""
    return ""


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _text(node: ast.expr) -> str:
    """`os.environ.get`; what is no dotted name is unparsed."""
    return ast.unparse(node)
