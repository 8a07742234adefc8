"""A schema change that stands in a source file."""

from __future__ import annotations

from migration_gate.facts import CreatedObject, SchemaChangeKind
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CodeChange:
    """One place in a file that changes a schema when it runs."""

    line: int
    statement: str
    """the SQL on one line, or the Python call"""
    kind: SchemaChangeKind
    tables: tuple[str, ...] = ()
    """tables it names, as written"""
    scopes: tuple[str, ...] = ()
    """names of the functions, classes and constants in which it stands"""
    function: str = ""
    """the innermost function of these"""
    metadata: str = ""
    """the expression of the MetaData of create_all and drop_all"""
    stamps_head: bool = False
    """its function also stamps the version table"""
    engine_url: str = ""
    """the expression of the URL, if the engine is made on the spot"""
    created: CreatedObject | None = None
    """of SQL that create_all runs"""
