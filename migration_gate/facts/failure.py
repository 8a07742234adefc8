"""An error of the project's code, or of Postgres on its behalf."""

from __future__ import annotations

from typing import Literal

from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass

Direction = Literal["upgrade", "downgrade"]
ErrorSource = Literal["", "project", "package", "library"]
"""whose code raised an exception: the project's own, an installed package's, or Alembic's, SQLAlchemy's, a
driver's and Python's; '' if that is not known"""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error raised by the project's code, or by Postgres on its behalf."""

    message: str
    """Postgres's own message, where the error comes from Postgres"""
    exception_class: str = ""
    """name of the Python exception's class"""
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None
    statement: str | None = None
    revision: str | None = None
    direction: Direction = "upgrade"
    location: Location | None = None
    """the line of the migration (or of env.py) that was running"""
    traceback: tuple[str, ...] = ()
    """the project's own frames, outermost first, `file:line in function`"""
    source: ErrorSource = ""
    is_deliberate: bool = False
    """the project's own code raised it (`raise`, `assert`, `sys.exit`); no operation of it failed"""
    first_error: Failure | None = None
    """an earlier error of the same transaction that this one only follows from"""
