"""The imports that give env.py the models that it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.facts import AddImports, Correction, ModelDefinition, Models

_IN_ENVIRONMENT = "In env.py:"


def list_imports(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[str, ...]:
    """A line of Python for each module of these definitions, by the name under which it can be imported."""
    return tuple(map(_write_import, _list_modules(models, definitions)))


def correct_environment(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[Correction, ...]:
    """The imports that env.py lacks, if there is an env.py, as a correction."""
    modules = _list_modules(models, definitions)
    if models.environment_file is None or not modules:
        return ()
    return (AddImports(models.environment_file, modules, _IN_ENVIRONMENT),)


def _list_modules(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[str, ...]:
    prefixes = tuple(sorted(set(_find_prefixes(models)), key=len, reverse=True))
    return tuple(sorted({_name_for_import(definition.module, prefixes) for definition in definitions}))


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
