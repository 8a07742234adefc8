"""create_all, and where it fails, object by object: what cannot be made is named, the rest is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Optional

from .error_report import describe_error
from .protocol import UncreatedKind

RELATIONS = """
select quote_ident(n.nspname) || '.' || quote_ident(c.relname), cast(c.relkind as text)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
and c.relkind in ('r', 'p', 'v', 'm', 'f')
and not exists (select 1 from pg_depend e
  where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
"""
WORDS = {"v": "view", "m": "materialized view", "f": "foreign table"}


def drop_tables(connection: Any) -> None:
    """Drop every table and view; the rest stays."""
    connection.exec_driver_sql("drop schema if exists migration_gate cascade")  # our event triggers with it
    kinds: dict[str, list[str]] = {}
    for name, kind in connection.exec_driver_sql(RELATIONS).fetchall():
        kinds.setdefault(WORDS.get(kind, "table"), []).append(name)
    for kind, names in kinds.items():  # one statement for all: the server then looks for dependents once
        connection.exec_driver_sql("drop %s if exists %s cascade" % (kind, ", ".join(names)))


def drop_named(connection: Any, metadatas: list[Any], translate: Optional[dict[Any, Any]]) -> None:
    """Drop the sequences and types that the metadata creates, where its names lead with this search_path."""
    preparer = connection.dialect.identifier_preparer
    for metadata in metadatas:
        named = [("sequence", each) for each in list(metadata._sequences.values())]
        named += [("type", each) for each in named_types(metadata, connection.dialect)]
        for noun, each in named:
            schema = (translate or {}).get(each.schema, each.schema)
            prefix = preparer.quote_schema(schema) + "." if schema else ""
            connection.exec_driver_sql(
                "drop %s if exists %s%s cascade" % (noun, prefix, preparer.quote(each.name))
            )


def named_types(metadata: Any, dialect: Any) -> list[Any]:
    """The enums and domains that create_all would create."""
    from sqlalchemy.dialects import postgresql

    kinds = tuple(getattr(postgresql, name) for name in ("ENUM", "DOMAIN") if hasattr(postgresql, name))
    found: dict[tuple[Any, Any], Any] = {}
    for table in metadata.tables.values():
        for column in table.columns:
            kind = column.type
            while hasattr(kind, "item_type"):
                kind = kind.item_type
            native = kind.dialect_impl(dialect)
            native = native if isinstance(native, kinds) else getattr(native, "impl", native)
            made = getattr(native, "create_type", True) and getattr(kind, "native_enum", True)
            if isinstance(native, kinds) and made and native.name:
                found[(native.schema, native.name)] = native
    return list(found.values())


@dataclass(frozen=True)
class RefusedPart:
    """A part of the models that Postgres refused."""

    kind: UncreatedKind
    name: Optional[str]
    columns: tuple[str, ...]
    table: Any
    """the Table that it belongs to; None for a type or a sequence"""
    message: str

    @property
    def label(self) -> str:
        """`index ix_a of a`; the name alone for a table."""
        if self.kind == "table":
            return str(self.table)
        label = "%s %s" % (self.kind, self.name or "(%s)" % ", ".join(self.columns))
        return label if self.table is None else "%s of %s" % (label, self.table)


def create_all(connection: Any, metadatas: list[Any]) -> list[RefusedPart]:
    """Create everything; a row for each part that Postgres refused."""
    made = _Made(connection)
    for metadata in metadatas:
        # Everything was dropped, so nothing need be looked for; but for a type that only a project's own
        # type class knows of, for example.
        if not any(made.whole(metadata, checkfirst=checkfirst) for checkfirst in (False, True)):
            made.part_by_part(metadata)
    return made.refused


class _Made:
    """Creates part by part, and keeps a row for each that is refused."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.refused: list[RefusedPart] = []

    def _attempt(self, work: Callable[[], Any]) -> Optional[str]:
        """None, or why it was refused."""
        try:
            with self._connection.begin_nested():
                work()
        except Exception as error:
            return describe_error(error).message
        return None

    def _part(self, work: Callable[[], Any], kind: UncreatedKind, item: Any, table: Any = None) -> None:
        says = self._attempt(work)
        if says is None:
            return
        name = getattr(item, "name", None)
        columns = tuple(
            str(column.name) for column in getattr(item, "columns", ()) if getattr(column, "name", None)
        )
        self.refused.append(RefusedPart(kind, str(name) if name else None, columns, table, says))

    def whole(self, metadata: Any, checkfirst: bool) -> bool:
        """Whether all of it could be created at once."""
        return self._attempt(partial(metadata.create_all, self._connection, checkfirst=checkfirst)) is None

    def part_by_part(self, metadata: Any) -> None:
        """Types and sequences, tables alone, then their constraints, indexes, comments and keys."""
        from sqlalchemy.schema import AddConstraint

        connection = self._connection
        for kind in named_types(metadata, connection.dialect):
            self._part(partial(kind.create, connection, checkfirst=True), "type", kind)
        for sequence in metadata._sequences.values():
            self._part(partial(sequence.create, connection, checkfirst=True), "sequence", sequence)
        made = [table for table in metadata.tables.values() if self._table(table)]
        for table in made:
            for index in sorted(table.indexes, key=lambda i: str(i.name)):
                self._part(partial(index.create, connection), "index", index, table)
            self._comments(table)
        for table in made:  # a key may need the unique index of another table
            for key in sorted(table.foreign_key_constraints, key=lambda k: str(k.name)):
                self._part(partial(connection.execute, AddConstraint(key)), "foreign key", key, table)

    def _table(self, table: Any) -> bool:
        """The table without foreign keys; where even that is refused, without its other constraints too."""
        from sqlalchemy.schema import AddConstraint, CheckConstraint, CreateTable, UniqueConstraint

        connection = self._connection

        def create() -> None:
            connection.execute(CreateTable(table, include_foreign_key_constraints=[]))

        if self._attempt(create) is None:
            return True
        apart = [each for each in table.constraints if isinstance(each, (CheckConstraint, UniqueConstraint))]
        table.constraints.difference_update(apart)
        says = self._attempt(create)
        table.constraints.update(apart)
        if says is not None:
            self.refused.append(RefusedPart("table", str(table.name), (), table, says))
            return False
        for each in apart:
            kind: UncreatedKind = "check" if isinstance(each, CheckConstraint) else "unique"
            self._part(partial(connection.execute, AddConstraint(each)), kind, each, table)
        return True

    def _comments(self, table: Any) -> None:
        """create_all would have set them; CreateTable alone does not."""
        from sqlalchemy.schema import SetColumnComment, SetTableComment

        elements: list[Any] = [SetTableComment(table)] if table.comment else []
        elements += [SetColumnComment(column) for column in table.columns if column.comment]
        for element in elements:
            self._part(partial(self._connection.execute, element), "comment", element.element, table)
