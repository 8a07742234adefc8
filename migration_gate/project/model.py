"""The project that was found: what to run, where, and with which interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from migration_gate.lazy_dataclass import dataclass

ConfigKind = Literal["ini", "toml", "flask", "hook"]


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
    sys_path: tuple[str, ...] = ()
    """folders to put in front of the interpreter's own"""
    notes: tuple[str, ...] = ()
    """how it was found, if that was not obvious"""
