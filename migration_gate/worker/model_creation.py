"""Creates the models in a database: all at once, or if Postgres refuses that, part by part."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Iterable, Optional

from . import private_api
from .ddl_pipeline import pipelined_ddl
from .deferred_methods import dataclass
from .error_report import describe_error
from .model_types import MappedType, find_mapped_types
from .protocol.model_lines import UncreatedKind
from .replaced_objects import LostRoutines


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


def create_models(
    connection: Any, metadatas: Iterable[Any], lost_routines: LostRoutines
) -> list[RefusedPart]:
    """Create everything that Postgres allows; what it refused.

    `lost_routines`: functions that went with what was dropped, which indexes and constraints may need.
    """
    refused: list[RefusedPart] = []
    for metadata in metadatas:
        _create_without_concurrently(metadata)
        mapped_types = find_mapped_types(metadata, connection.dialect)
        refused += _create_other_types(connection, mapped_types)
        lost_routines.restore(connection)
        if not _create_at_once(connection, metadata):
            creator = PartCreator(connection, mapped_types, lost_routines)
            refused += creator.create_parts(metadata)
    return refused


def _create_without_concurrently(metadata: Any) -> None:
    """Have indexes created in the transaction; what comes of it is the same."""
    for table in metadata.tables.values():
        for index in table.indexes:
            options = index.dialect_options["postgresql"]
            if options["concurrently"]:
                options["concurrently"] = False


def _create_other_types(connection: Any, mapped_types: Iterable[MappedType]) -> list[RefusedPart]:
    """Create the types that create_all does not create."""
    refused = []
    for mapped in mapped_types:
        message = None
        if not mapped.has_own_creator:
            create = partial(mapped.type.create, connection, checkfirst=True)
            message = _attempt_creation(connection, create)
        if message is not None:
            refused.append(RefusedPart("type", str(mapped.type.name), (), None, message))
    return refused


def _create_at_once(connection: Any, metadata: Any) -> bool:
    """Whether create_all could create everything.

    Everything was dropped, so nothing need be looked for; but if that fails it is tried again with a look,
    for a type that only a project's own type class knows of, for example.
    """
    create = partial(metadata.create_all, connection)
    attempts = (
        partial(_create_in_pipeline, connection, partial(create, checkfirst=False)),
        partial(create, checkfirst=False),
        partial(create, checkfirst=True),
    )
    return any(_attempt_creation(connection, attempt) is None for attempt in attempts)


def _create_in_pipeline(connection: Any, create: Callable[[], Any]) -> None:
    with pipelined_ddl(connection):
        create()


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

    def __init__(
        self, connection: Any, mapped_types: Iterable[MappedType], lost_routines: LostRoutines
    ) -> None:
        self._connection = connection
        self._mapped_types = mapped_types
        self._lost_routines = lost_routines
        self._refused: list[RefusedPart] = []
        self._separate_constraints: dict[Any, list[Any]] = {}

    def create_parts(self, metadata: Any) -> list[RefusedPart]:
        """Types and sequences, tables alone, then their constraints, indexes, comments and keys."""
        connection = self._connection
        for mapped in self._mapped_types:
            if mapped.has_own_creator:
                create = partial(mapped.type.create, connection, checkfirst=True)
                self._create_part("type", mapped.type, None, create)
        for sequence in private_api.find_sequences(metadata):
            self._create_part(
                "sequence", sequence, None, partial(sequence.create, connection, checkfirst=True)
            )
        self._lost_routines.restore(connection)
        created = [table for table in metadata.tables.values() if self._create_table(table)]
        self._lost_routines.restore(connection)
        for table in created:
            self._create_separate_constraints(table)
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
        from sqlalchemy.schema import CheckConstraint, CreateTable, UniqueConstraint

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
        self._separate_constraints[table] = separate
        return True

    def _create_separate_constraints(self, table: Any) -> None:
        """Those that the table was created without: they may need a function that takes its rows."""
        from sqlalchemy.schema import AddConstraint, CheckConstraint

        for constraint in self._separate_constraints.get(table, ()):
            kind: UncreatedKind = "check" if isinstance(constraint, CheckConstraint) else "unique"
            self._execute_part(kind, constraint, table, AddConstraint(constraint))

    def _create_table_alone(self, table: Any, create_table: Any) -> None:
        self._connection.execute(create_table(table, include_foreign_key_constraints=[]))

    def _create_indexes(self, table: Any) -> None:
        created: list[Any] = []
        for index in sorted(table.indexes, key=_name_as_text):
            if any(_is_same_index(index, other) for other in created):
                continue  # `index=True` beside an Index of that name: one says what the other one says
            created.append(index)
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


def _is_same_index(index: Any, other: Any) -> bool:
    """Whether both have the same name, columns and options."""
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.schema import CreateIndex

    if index.name != other.name:
        return False
    dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
    try:
        first, second = (str(CreateIndex(item).compile(dialect=dialect)) for item in (index, other))
    except SQLAlchemyError:  # the creation says why
        return False
    return first == second


def _name_as_text(item: Any) -> str:
    return str(item.name)


def _column_names(item: Any) -> tuple[str, ...]:
    """Of a key or an index; an index may have expressions among its columns, which have no name."""
    columns = getattr(item, "columns", ())
    return tuple(str(column.name) for column in columns if getattr(column, "name", None))
