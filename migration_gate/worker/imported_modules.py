"""Which modules of the project had been imported when env.py ended, and which installed packages."""

from __future__ import annotations

import os
import sys
import sysconfig

from . import private_api
from .module_files import find_module_file
from .protocol.model_lines import ImportedModule
from .real_paths import resolve_path

INSTALLED_FOLDERS = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


def find_imported_modules() -> tuple[ImportedModule, ...]:
    """The modules that are neither Python's nor an installed package's, sorted.

    Modules of an installed package count if it maps classes: a project may have been installed as one.
    """
    standard_library = os.path.realpath(sysconfig.get_path("stdlib")) + os.sep
    model_packages = _find_model_packages()
    modules = []
    for name, module in list(sys.modules.items()):
        file = find_module_file(module)
        if file is None or not file.endswith(".py"):
            continue
        path = resolve_path(file)
        is_installed = any(folder in path for folder in INSTALLED_FOLDERS)
        if is_installed and name.partition(".")[0] not in model_packages:
            continue
        if is_installed or not path.startswith(standard_library):
            modules.append(ImportedModule(name, path))
    return tuple(sorted(modules, key=_module_name))


def list_installed_packages() -> tuple[str, ...]:
    """The installed packages of which something had been imported, by their top-level names, sorted."""
    names = set()
    for name, module in list(sys.modules.items()):
        file = find_module_file(module)
        if file is not None and any(folder in file for folder in INSTALLED_FOLDERS):
            names.add(name.partition(".")[0])
    return tuple(sorted(names))


def _module_name(module: ImportedModule) -> str:
    return module.name


def _find_model_packages() -> frozenset[str]:
    """Top-level packages with mapped classes."""
    return frozenset(
        str(mapper.class_.__module__).partition(".")[0]
        for registry in private_api.find_mapper_registries()
        for mapper in registry.mappers
    )
