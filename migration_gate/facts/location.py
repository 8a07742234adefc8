"""Lines of files, and the revision to which something is traced back."""

from __future__ import annotations

import re
from dataclasses import field

from migration_gate.lazy_dataclass import dataclass

_INSTALLED = re.compile(r"/(?:site|dist)-packages/([^/]+)")


@dataclass(frozen=True, slots=True)
class Location:
    """A line of a file; the path is relative to the repository where it lies in it, else absolute."""

    file: str
    line: int | None = None
    last_line: int | None = field(default=None, compare=False)
    """of the code that begins at `line`, if it is known to have several lines"""

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def installed_package(self) -> str | None:
        """The installed package that the file belongs to; None for any other file."""
        match = _INSTALLED.search(self.file)
        return match[1].removesuffix(".py") if match else None


@dataclass(frozen=True, slots=True)
class Origin:
    """The revision that made an object the way it is. It is false where no revision did, or none is known."""

    revision: str | None = None
    location: Location | None = None

    def __bool__(self) -> bool:
        return self.revision is not None
