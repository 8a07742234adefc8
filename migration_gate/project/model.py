"""The project that was found: what to run, where, and with which interpreter."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Literal

from migration_gate.lazy_dataclass import dataclass

ConfigKind = Literal["ini", "toml", "flask", "hook"]


@dataclass(frozen=True, slots=True)
class ImportPath:
    """Where the project's modules are, beside what is installed."""

    front: tuple[str, ...] = ()
    """folders to look in before the interpreter's own, nearest first"""
    back: tuple[str, ...] = ()
    """folders to look in after these: packages, whose modules may have names of installed ones"""

    @property
    def folders(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.front, *self.back)


@dataclass(frozen=True, slots=True)
class Project:
    """An Alembic environment, ready to be handed to the worker. Paths are absolute."""

    name: str
    root: Path
    directory: Path
    """where it runs"""
    python: Path
    kind: ConfigKind
    """where its Alembic configuration comes from"""
    config: Path | None = None
    """alembic.ini, pyproject.toml, or Flask-Migrate's folder"""
    section: str = "alembic"
    script_location: Path | None = None
    """the folder of env.py, where what the configuration says would not lead there from `directory`"""
    flask_app: str | None = None
    hook: Path | None = None
    import_path: ImportPath = field(default_factory=ImportPath)
    """where its modules are"""
    notes: tuple[str, ...] = ()
    """how it was found, if that was not obvious"""
