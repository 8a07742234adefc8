"""Which module of the house imports which, read from the syntax trees: nothing is imported to find out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "migration_gate"


@dataclass(frozen=True, slots=True)
class Import:
    """One module that imports another; both by their dotted names."""

    importer: str
    imported: str

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"


@cache
def house_modules() -> dict[str, Path]:
    """Every module of the package by its dotted name, with the file that holds it."""
    files = [file for file in (ROOT / PACKAGE).rglob("*.py") if not file.is_symlink()]
    linked = [*(ROOT / "checks").glob("*.py"), ROOT / "entrypoint.py"]
    places = {file: file.relative_to(ROOT) for file in files if "examples" not in file.parts}
    places |= {file: PACKAGE / file.relative_to(ROOT) for file in linked}
    return {_dotted_name(place): file for file, place in sorted(places.items())}


def _dotted_name(place: Path) -> str:
    parts = place.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def folder_of(module: str) -> str:
    """The folder in the package, or the module itself where it lies directly in the package."""
    return module.split(".")[1] if "." in module else ""


def imported_names(file: Path, module: str) -> Iterator[str]:
    """Every dotted name that the file imports; `from a import b` gives `a.b`, relative ones are resolved."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute_base(node, package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _absolute_base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    above = parents[: len(parents) - node.level + 1]
    return ".".join([*above, node.module] if node.module else above)


@cache
def imports_inside() -> tuple[Import, ...]:
    """Every import of one module of the house by another, those inside functions too."""
    modules = house_modules()
    pairs = {
        (importer, _nearest_module(name, modules))
        for importer, file in modules.items()
        for name in imported_names(file, importer)
    }
    return tuple(
        Import(importer, imported) for importer, imported in sorted(pairs) if imported not in ("", importer)
    )


def _nearest_module(name: str, modules: dict[str, Path]) -> str:
    """`a.b.c` is the module a.b.c, or a name in a.b; empty where neither is the house's."""
    candidates = (name, name.rpartition(".")[0])
    return next((candidate for candidate in candidates if candidate in modules and candidate != PACKAGE), "")


def import_circles() -> list[list[str]]:
    """Groups of modules that reach each other by imports."""
    graph: dict[str, list[str]] = {module: [] for module in house_modules()}
    for item in imports_inside():
        graph[item.importer].append(item.imported)
    reachable = {module: _reachable_from(module, graph) for module in graph}
    groups = {
        tuple(sorted(other for other in reachable[module] if module in reachable[other])) for module in graph
    }
    return sorted(list(group) for group in groups if len(group) > 1)


def _reachable_from(start: str, graph: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        for target in graph[module]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen
