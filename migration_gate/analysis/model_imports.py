"""The imports that give env.py the models that it lacks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from migration_gate.facts import AddImports, Correction, ModelDefinition, Models

_IN_ENVIRONMENT = "In env.py:"
USUAL_PREFIX = "src."
METADATA_NAME = re.compile(r"[a-z\d_]*meta(?:_?data)?(?:_[a-z\d_]+)?|[A-Z\d_]*META(?:_?DATA)?(?:_[A-Z\d_]+)?")
"""a variable that holds a MetaData; a class that has one is written with a capital"""


def list_imports(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[str, ...]:
    """A line of Python for each module of these definitions, by the name under which it can be imported."""
    return tuple(map(_write_import, _list_modules(models, definitions)))


def correct_environment(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[Correction, ...]:
    """The imports that env.py lacks, if there is an env.py, as a correction."""
    modules = _list_modules(models, definitions)
    if models.environment_file is None or not modules:
        return ()
    return (AddImports(models.environment_file, modules, _IN_ENVIRONMENT),)


def write_target_metadata(models: Models, definitions: Sequence[ModelDefinition]) -> str | None:
    """The lines that set `target_metadata` to the MetaData of most of these models, with all of its modules.

    None if no model's text tells its MetaData.
    """
    counts = Counter(definition.metadata for definition in definitions if definition.metadata)
    if not counts:
        return None
    metadata = counts.most_common(1)[0][0]
    module, _, name = metadata.partition(":")
    others = [item for item in definitions if item.metadata == metadata and item.module != module]
    module = _name_for_import(module, _list_prefixes(models, definitions))
    imports = [f"from {module} import {name}", *list_imports(models, others)]
    value = name if METADATA_NAME.fullmatch(name) else f"{name}.metadata"
    return "\n".join([*imports, "", f"target_metadata = {value}"])


def _list_modules(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[str, ...]:
    definitions = tuple(definitions)
    prefixes = _list_prefixes(models, definitions)
    return tuple(sorted({_name_for_import(definition.module, prefixes) for definition in definitions}))


def _list_prefixes(models: Models, definitions: Iterable[ModelDefinition]) -> tuple[str, ...]:
    """What stands in paths before names of modules, the longest first; `src.` if nothing says otherwise."""
    found = set(_find_prefixes(models))
    is_package = any(item.is_below_package and item.module.startswith(USUAL_PREFIX) for item in definitions)
    if not is_package and not any(item.name.startswith(USUAL_PREFIX) for item in models.imported_modules):
        found.add(USUAL_PREFIX)
    return tuple(sorted(found, key=len, reverse=True))


def _find_prefixes(models: Models) -> Iterator[str]:
    """`src.` if src/app/models.py was imported as `app.models`."""
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
