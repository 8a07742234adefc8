"""A failure before the first revision, and what is known of the time before it."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator
from pathlib import Path

from migration_gate.facts import Failure
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project import Project
from migration_gate.project.python_source import parse_source
from migration_gate.worker.protocol.project_requests import MissingSetting, SettingSupplied

FRAME = re.compile(r"(?P<file>.+):(?P<line>\d+) in ")


@dataclass(frozen=True, slots=True)
class EarlyEnd:
    """A failure that ended a worker, and what the answer says about the time before it."""

    project: Project
    stage: str
    """interpreter, driver, prepare, import, revisions, replay or models"""
    failure: Failure
    output: str
    """the end of what the project's code printed"""
    python_version: str | None = None
    """of the project's interpreter; None if it did not come so far as to say"""
    has_finished_steps: bool = False
    has_refused_connection: bool = False
    """the project asked for a database that no PostgreSQL URL stands for"""
    missing: tuple[MissingSetting, ...] = ()
    """settings that the project asked for in vain"""
    supplied: tuple[SettingSupplied, ...] = ()
    """settings that had dummy values"""
    x_arguments: tuple[str, ...] = ()
    """of the user's, `name=value`"""
    heads: tuple[str, ...] = ()
    """of the history, if it was read"""

    @property
    def text(self) -> str:
        """What the exception says, after its class."""
        return f"{self.failure.exception_class}: {self.failure.message}"

    @property
    def is_in_env_py(self) -> bool:
        """Whether env.py itself failed, and nothing that it imports."""
        location = self.failure.location
        return location is not None and Path(location.file).name == "env.py"

    @property
    def source_line(self) -> str:
        """The line of the project's that failed; '' if it cannot be read."""
        location = self.failure.location
        if location is None or location.line is None:
            return ""
        return linecache.getline(str(self.project.root / location.file), location.line)

    @property
    def tree(self) -> ast.Module | None:
        """The file of the project's that failed; None if it cannot be read as Python."""
        location = self.failure.location
        return self.parse_file(location.file) if location else None

    def parse_file(self, file: str) -> ast.Module | None:
        """A file of a frame's; None if it cannot be read as Python."""
        return parse_source(self.project.root / file)

    @property
    def frames(self) -> Iterator[tuple[str, int]]:
        """File and line of the project's own frames, outermost first."""
        for frame in self.failure.traceback:
            match = FRAME.match(frame)
            if match is not None:
                yield match["file"], int(match["line"])

    @property
    def config_file(self) -> str:
        """The Alembic configuration, as its owner would call it."""
        config, directory = self.project.config, self.project.directory
        if config is None:
            return "alembic.ini"
        return str(config.relative_to(directory)) if config.is_relative_to(directory) else str(config)


def name_failed_line(failure: Failure) -> str:
    """The line of the project's that failed, for messages."""
    return f"`{failure.location}`" if failure.location else "The project"
