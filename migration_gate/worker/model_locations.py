"""Finds the file and line of the mapped class of each table."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from typing import Any, Optional

from . import private_api
from .protocol.model_lines import MappedClass

CLASS = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.MULTILINE)


def find_mapped_classes(table_names: dict[int, str]) -> tuple[MappedClass, ...]:
    """The mapped classes of these tables (by `id()` of the Table: its qualified name), sorted."""
    rows = set()
    for registry in private_api.find_mapper_registries():
        for mapper in registry.mappers:
            name = table_names.get(id(mapper.local_table))
            file = _module_file(mapper.class_)
            if name and file:
                rows.add((name, file, mapper.class_.__name__))
    return tuple(
        MappedClass(name, file, _find_class_lines(file).get(cls)) for name, file, cls in sorted(rows)
    )


def _module_file(class_: Any) -> Optional[str]:
    file = getattr(sys.modules.get(class_.__module__), "__file__", None)
    return os.path.abspath(file) if file else None


@lru_cache(maxsize=None)
def _find_class_lines(file: str) -> dict[str, int]:
    """The first line of each `class name`, found as text: what a decorator made has no line of its own."""
    text = _read_source(file)
    lines: dict[str, int] = {}
    line, position = 1, 0
    for match in CLASS.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        lines.setdefault(match.group(1), line)
    return lines


def _read_source(file: str) -> str:
    """The text of a file, '' if it cannot be read."""
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
