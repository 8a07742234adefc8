"""What is to be changed in a source file to correct a finding, and the lines that do it.

A check knows what should be changed, and not the text of the file: it gives a `Correction`. `edits` makes an
exact `SourceEdit` of it, where it can.
"""

from __future__ import annotations

from dataclasses import field

from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass

COLUMN_FUNCTIONS = ("Column", "mapped_column", "MappedColumn", "Field")
"""functions that make a column, in models and in revisions"""
FOREIGN_KEY_FUNCTIONS = ("ForeignKey", "ForeignKeyConstraint", "create_foreign_key")


@dataclass(frozen=True, slots=True)
class SetKeyword:
    """A keyword argument of the one call at a location: `nullable=False`."""

    location: Location
    functions: tuple[str, ...]
    """the function is one of these, by the last part of its name"""
    keyword: str
    value: str
    """an expression of Python; `sa.` stands for SQLAlchemy, by whatever name the file has it"""
    column: str = ""
    """the call makes this column; empty if it makes something else"""
    introduction: str = ""
    """a sentence that ends with a colon, for a reader of the edit"""


@dataclass(frozen=True, slots=True)
class SetTypeArguments:
    """The arguments of the type of a column: `String(250)`."""

    location: Location
    """of the column"""
    column: str
    types: tuple[str, ...]
    """the type is one of these, by the last part of its name"""
    arguments: tuple[int, ...]
    introduction: str = ""


@dataclass(frozen=True, slots=True)
class SetVariable:
    """The string that a variable of a module has: `down_revision = "3f2a"`."""

    file: str
    name: str
    old_value: str
    new_value: str
    introduction: str = ""


@dataclass(frozen=True, slots=True)
class AddImports:
    """Imports of modules for what these do when they are imported, above `target_metadata`."""

    file: str
    modules: tuple[str, ...]
    introduction: str = ""


Correction = SetKeyword | SetTypeArguments | SetVariable | AddImports


@dataclass(frozen=True, slots=True)
class SourceEdit:
    """Lines of a file, and those that replace them; neither have line ends."""

    file: str
    """relative to the repository"""
    first_line: int
    """counted from 1"""
    old_lines: tuple[str, ...]
    """at least one"""
    new_lines: tuple[str, ...]
    introduction: str = ""
    """a sentence that ends with a colon"""
    lines_above: tuple[str, ...] = field(default=(), compare=False)
    """a few, the last of which is the one above the first line"""
    lines_below: tuple[str, ...] = field(default=(), compare=False)
    """a few, the first of which is the one below the last line"""

    @property
    def last_line(self) -> int:
        """The last line that is replaced."""
        return self.first_line + len(self.old_lines) - 1
