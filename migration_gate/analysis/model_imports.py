"""The imports that give env.py the models that it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.facts import ModelDefinition, Models


def list_imports(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[str, ...]:
    """A line of Python for each module of these definitions, by the name under which it can be imported."""
    prefixes = tuple(sorted(set(_find_prefixes(models)), key=len, reverse=True))
    names = {_name_for_import(definition.module, prefixes) for definition in definitions}
    return tuple(_write_import(name) for name in sorted(names))


def _find_prefixes(models: Models) -> Iterator[str]:
    """What stands in paths before the names of modules: `src.` if src/app/models.py is `app.models`."""
    for module in models.imported_modules:
        path = module.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if not module.file.startswith("/") and f".{path}".endswith(f".{module.name}"):
            yield path[: len(path) - len(module.name)]


def _name_for_import(module: str, prefixes: tuple[str, ...]) -> str:
    prefix = next((prefix for prefix in prefixes if module.startswith(prefix)), "")
    return module.removeprefix(prefix)


def _write_import(name: str) -> str:
    if all(part.isidentifier() for part in name.split(".")):
        return f"import {name}  # noqa: F401"
    return f'importlib.import_module("{name}")'
