"""How objects of a catalog are named: in a schema, or as a part of a table."""

from __future__ import annotations


def display_name(schema: str, name: str) -> str:
    """The name as reports show it: with its schema, unless that is `public`."""
    return name if schema == "public" else f"{schema}.{name}"


class SchemaObject:
    """An object with a name of its own in a schema."""

    __slots__ = ()
    schema: str
    name: str

    @property
    def full_name(self) -> str:
        """`schema.name`, also of those in `public`; nothing is quoted."""
        return f"{self.schema}.{self.name}"

    def __str__(self) -> str:
        return display_name(self.schema, self.name)


class TablePart:
    """An object that belongs to a table."""

    __slots__ = ()
    schema: str
    table: str
    name: str

    @property
    def full_table_name(self) -> str:
        """`schema.table`, also of those in `public`; nothing is quoted."""
        return f"{self.schema}.{self.table}"

    def __str__(self) -> str:
        return f"{display_name(self.schema, self.table)}.{self.name}"
