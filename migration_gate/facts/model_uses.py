"""What the migrations built from the models while the history ran."""

from __future__ import annotations

from typing import Literal

from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass

RunStage = Literal["prepare", "import", "replay", "models"]
ModelObjectKind = Literal["table", "column", "part", "labels", "type"]
"""what was taken from the models; a part is an index, a constraint or a sequence"""


@dataclass(frozen=True, slots=True)
class ModelObject:
    """Something that was built from the models."""

    kind: ModelObjectKind
    name: str
    """`users`, `users.email`: with its schema, where the models name one"""
    source: str = ""
    """of labels: the Python class that has them"""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ModelStatement:
    """DDL that SQLAlchemy compiled from the project's own models while the history ran, at one place."""

    step: int
    """the number of the step that ran, or of the last one before; 0 before the first"""
    revision: str | None
    """None if no revision ran: in env.py, on import, in `prepare:`"""
    stage: RunStage
    objects: tuple[ModelObject, ...]
    is_executed: bool
    """SQLAlchemy executed it; else only its text was made, which the code may have used in any way"""
    location: Location | None = None
    """in the revision where one ran, else in env.py or what it imports"""
    code: str = ""
    """the line of source there"""
    traceback: tuple[str, ...] = ()
    """the project's own frames, outermost first, `file:line in function`"""
