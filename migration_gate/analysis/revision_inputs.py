"""What a revision uses beside its own text, and has changed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from migration_gate.analysis.revision_code import count_constants, list_imported_paths
from migration_gate.lazy_dataclass import dataclass

LIBRARIES = frozenset({"alembic", "sqlalchemy"})
"""folders of the project's own may have these names"""


@dataclass(frozen=True, slots=True)
class ChangedInputs:
    """Changed files that a revision uses; nothing if there are none."""

    direct: tuple[str, ...] = ()
    """that it imports, or that its text names"""
    indirect: tuple[str, ...] = ()
    """of packages that it imports"""

    def __bool__(self) -> bool:
        return bool(self.direct or self.indirect)

    @property
    def files(self) -> tuple[str, ...]:
        """Those which it uses most likely."""
        return self.direct or self.indirect


def find_changed_inputs(text: str, file: str, changed_files: Iterable[str]) -> ChangedInputs:
    """The changed files that the code of a revision uses."""
    imported = list_imported_paths(text, file)
    packages = {path.partition("/")[0] for path in imported if path} - LIBRARIES
    constants = count_constants(text)
    direct, indirect = [], []
    for path in changed_files:
        if path == file:
            continue
        if _is_imported(path, imported) or _is_named(path, constants):
            direct.append(path)
        elif path.endswith(".py") and packages & {*posixpath.dirname(path).split("/")}:
            indirect.append(path)
    return ChangedInputs(tuple(direct), tuple(indirect))


def _is_imported(path: str, imported: Iterable[str]) -> bool:
    module = path.removesuffix(".py").removesuffix("/__init__")
    return path.endswith(".py") and any(
        module == name or module.endswith(f"/{name}") for name in imported if name
    )


def _is_named(path: str, constants: Iterable[str]) -> bool:
    """Whether a file that is no module is named in the text, as one that it reads."""
    name = posixpath.basename(path)
    return not path.endswith(".py") and any(name in constant for constant in constants)
