"""Creates the models in a database: all at once, or where Postgres refuses that, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Iterable, Optional

from . import private_api
from .env_context import EnvContext
from .error_report import describe_error
from .protocol import UncreatedKind

FIND_RELATIONS = """
select quote_ident(n.nspname) || '.' || quote_ident(c.relname), cast(c.relkind as text)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
and c.relkind in ('r', 'p', 'v', 'm', 'f')
and not exists (select 1 from pg_depend e
  where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
"""
RELATION_NOUNS = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "f": "foreign table"}
"""what DROP calls a relation, by its relkind"""


# Making room.


def drop_relations(connection: Any) -> None:
    """Drop every table and view, and the DDL log; types, sequences, functions and extensions stay."""
    connection.exec_driver_sql("drop schema if exists migration_gate cascade")
    names: dict[str, list[str]] = {}
    for name, relkind in connection.exec_driver_sql(FIND_RELATIONS).fetchall():
        names.setdefault(RELATION_NOUNS[relkind], []).append(name)
    for noun, relations in names.items():
        # One statement for all: the server then looks for dependent objects once.
        connection.exec_driver_sql("drop %s if exists %s cascade" % (noun, ", ".join(relations)))


def drop_types_and_sequences(connection: Any, context: EnvContext) -> None:
    """Drop the types and sequences that the models create, found with the session's search_path."""
    preparer = connection.dialect.identifier_preparer
    for metadata in context.metadatas:
        items = [("sequence", sequence) for sequence in private_api.find_sequences(metadata)]
        items += [("type", type_) for type_ in _find_named_types(metadata, connection.dialect)]
        for noun, item in items:
            schema = context.translate_schema(item.schema)
            prefix = preparer.quote_schema(schema) + "." if schema else ""
            connection.exec_driver_sql(
                "drop %s if exists %s%s cascade" % (noun, prefix, preparer.quote(item.name))
            )


def _find_named_types(metadata: Any, dialect: Any) -> list[Any]:
    """The enums and domains that create_all would create, in PostgreSQL's own classes."""
    types: dict[tuple[Any, Any], Any] = {}
    for table in metadata.tables.values():
        for column in table.columns:
            type_ = _named_type(column.type, dialect)
            if type_ is not None:
                types[(type_.schema, type_.name)] = type_
    return list(types.values())


def _named_type(type_: Any, dialect: Any) -> Optional[Any]:
    """The enum or domain of a column's type, or of its elements; None for another type."""
    from sqlalchemy.dialects import postgresql

    # DOMAIN: since SQLAlchemy 2.0.
    classes = tuple(getattr(postgresql, name) for name in ("ENUM", "DOMAIN") if hasattr(postgresql, name))
    while hasattr(type_, "item_type"):
        type_ = type_.item_type
    implementation = type_.dialect_impl(dialect)
    if not isinstance(implementation, classes):
        implementation = getattr(implementation, "impl", implementation)  # of a TypeDecorator
    if not isinstance(implementation, classes) or not implementation.name:
        return None
    is_created = getattr(implementation, "create_type", True) and getattr(type_, "native_enum", True)
    return implementation if is_created else None


# Creating.


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


def create_models(connection: Any, metadatas: Iterable[Any]) -> list[RefusedPart]:
    """Create everything that Postgres allows; what it refused."""
    refused: list[RefusedPart] = []
    for metadata in metadatas:
        if not _create_at_once(connection, metadata):
            refused += PartCreator(connection).create(metadata)
    return refused


def _create_at_once(connection: Any, metadata: Any) -> bool:
    """Whether create_all could create everything.

    Everything was dropped, so nothing need be looked for; but where that fails it is tried again with a look,
    for a type that only a project's own type class knows of, for example.
    """
    for checkfirst in (False, True):
        create = partial(metadata.create_all, connection, checkfirst=checkfirst)
        if _attempt_creation(connection, create) is None:
            return True
    return False


def _attempt_creation(connection: Any, create: Callable[[], Any]) -> Optional[str]:
    """None, or why it was refused; what was done before stays."""
    try:
        with connection.begin_nested():
            create()
    except Exception as error:
        return describe_error(error).message
    return None


class PartCreator:
    """Creates part by part, and notes each that is refused."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._refused: list[RefusedPart] = []

    def create(self, metadata: Any) -> list[RefusedPart]:
        """Types and sequences, tables alone, then their constraints, indexes, comments and keys."""
        connection = self._connection
        for type_ in _find_named_types(metadata, connection.dialect):
            self._create_part("type", type_, None, partial(type_.create, connection, checkfirst=True))
        for sequence in private_api.find_sequences(metadata):
            self._create_part(
                "sequence", sequence, None, partial(sequence.create, connection, checkfirst=True)
            )
        created = [table for table in metadata.tables.values() if self._create_table(table)]
        for table in created:
            self._create_indexes(table)
            self._create_comments(table)
        for table in created:  # a key may need the unique index of another table
            self._create_foreign_keys(table)
        return self._refused

    def _create_part(
        self, kind: UncreatedKind, item: Any, table: Optional[Any], create: Callable[[], Any]
    ) -> None:
        message = _attempt_creation(self._connection, create)
        if message is not None:
            name = getattr(item, "name", None)
            self._refused.append(
                RefusedPart(kind, str(name) if name else None, _column_names(item), table, message)
            )

    def _execute_part(self, kind: UncreatedKind, item: Any, table: Any, element: Any) -> None:
        self._create_part(kind, item, table, partial(self._connection.execute, element))

    def _create_table(self, table: Any) -> bool:
        """Whether it could be created without foreign keys, or at least without its other constraints too."""
        from sqlalchemy.schema import AddConstraint, CheckConstraint, CreateTable, UniqueConstraint

        create = partial(self._create_table_alone, table, CreateTable)
        if _attempt_creation(self._connection, create) is None:
            return True
        separate = [c for c in table.constraints if isinstance(c, (CheckConstraint, UniqueConstraint))]
        table.constraints.difference_update(separate)
        message = _attempt_creation(self._connection, create)
        table.constraints.update(separate)
        if message is not None:
            self._refused.append(RefusedPart("table", str(table.name), (), table, message))
            return False
        for constraint in separate:
            kind: UncreatedKind = "check" if isinstance(constraint, CheckConstraint) else "unique"
            self._execute_part(kind, constraint, table, AddConstraint(constraint))
        return True

    def _create_table_alone(self, table: Any, create_table: Any) -> None:
        self._connection.execute(create_table(table, include_foreign_key_constraints=[]))

    def _create_indexes(self, table: Any) -> None:
        for index in sorted(table.indexes, key=_name_as_text):
            self._create_part("index", index, table, partial(index.create, self._connection))

    def _create_comments(self, table: Any) -> None:
        """create_all would have set them; CreateTable alone does not."""
        from sqlalchemy.schema import SetColumnComment, SetTableComment

        if table.comment:
            self._execute_part("comment", table, table, SetTableComment(table))
        for column in table.columns:
            if column.comment:
                self._execute_part("comment", column, table, SetColumnComment(column))

    def _create_foreign_keys(self, table: Any) -> None:
        from sqlalchemy.schema import AddConstraint

        for key in sorted(table.foreign_key_constraints, key=_name_as_text):
            self._execute_part("foreign key", key, table, AddConstraint(key))


def _name_as_text(item: Any) -> str:
    return str(item.name)


def _column_names(item: Any) -> tuple[str, ...]:
    """Of a key or an index; an index may have expressions among its columns, which have no name."""
    columns = getattr(item, "columns", ())
    return tuple(str(column.name) for column in columns if getattr(column, "name", None))
