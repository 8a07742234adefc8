"""Finds the file and line of the mapped class of each table."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from typing import Any, Optional

from . import private_api
from .protocol.model_lines import MappedClass


def find_mapped_classes(table_names: dict[int, str]) -> tuple[MappedClass, ...]:
    """The mapped classes of these tables (by `id()` of the Table: its qualified name), sorted."""
    rows = set()
    for registry in private_api.find_mapper_registries():
        for mapper in registry.mappers:
            name = table_names.get(id(mapper.local_table))
            file = _module_file(mapper.class_)
            if name and file:
                rows.add((name, file, mapper.class_.__name__))
    return tuple(MappedClass(name, file, _find_class_line(file, cls)) for name, file, cls in sorted(rows))


def _module_file(class_: Any) -> Optional[str]:
    file = getattr(sys.modules.get(class_.__module__), "__file__", None)
    return os.path.abspath(file) if file else None


def _find_class_line(file: str, name: str) -> Optional[int]:
    """The line of `class name`, found as text: a class that a decorator made has no line of its own."""
    text = _read_source(file)
    match = re.search(r"^[ \t]*class[ \t]+%s\b" % re.escape(name), text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else None


@lru_cache(maxsize=None)
def _read_source(file: str) -> str:
    """The text of a file, '' if it cannot be read."""
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
