"""create_all, and where it fails, object by object: what cannot be made is named, the rest is made."""

from __future__ import annotations

from typing import Any, Callable

from .failure import describe

RELATIONS = """
select quote_ident(n.nspname) || '.' || quote_ident(c.relname), cast(c.relkind as text)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'migration_gate')
and c.relkind in ('r', 'p', 'v', 'm', 'f')
and not exists (select 1 from pg_depend e
  where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
"""
WORDS = {"v": "view", "m": "materialized view", "f": "foreign table"}


def drop_all(connection: Any, metadatas: list[Any]) -> None:
    """Drop every table and view, and the sequences and types that the metadata creates; the rest stays."""
    connection.exec_driver_sql("drop schema if exists migration_gate cascade")  # our event triggers with it
    for name, kind in connection.exec_driver_sql(RELATIONS).fetchall():
        connection.exec_driver_sql("drop %s if exists %s cascade" % (WORDS.get(kind, "table"), name))
    preparer = connection.dialect.identifier_preparer
    for metadata in metadatas:
        for sequence in list(metadata._sequences.values()):
            connection.exec_driver_sql(
                "drop sequence if exists %s cascade" % preparer.format_sequence(sequence)
            )
        for kind in named_types(metadata, connection.dialect):
            schema = preparer.quote_schema(kind.schema) + "." if kind.schema else ""
            connection.exec_driver_sql(
                "drop type if exists %s%s cascade" % (schema, preparer.quote(kind.name))
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


def create_all(connection: Any, metadatas: list[Any]) -> list[dict[str, Any]]:
    """Create everything; rows `table, object, says, whole` for what Postgres refused."""
    refused: list[dict[str, Any]] = []
    for metadata in metadatas:
        try:
            with connection.begin_nested():
                metadata.create_all(connection)
        except Exception:  # told object by object below
            _one_by_one(connection, metadata, refused)
    return refused


def _attempt(connection: Any, refused: list[dict[str, Any]], work: Callable[[], Any], **row: Any) -> bool:
    try:
        with connection.begin_nested():
            work()
    except Exception as error:
        refused.append(dict(row, says=describe(error)["says"]))
        return False
    return True


def _one_by_one(connection: Any, metadata: Any, refused: list[dict[str, Any]]) -> None:
    """Types and sequences first, tables without their foreign keys, then keys and indexes alone."""
    from sqlalchemy.schema import AddConstraint, CreateTable

    for kind in named_types(metadata, connection.dialect):
        _attempt(
            connection, refused, lambda k=kind: k.create(connection, checkfirst=True),
            table=None, object="type %s" % kind.name, whole=False,
        )  # fmt: skip
    for sequence in metadata._sequences.values():
        _attempt(
            connection, refused, lambda s=sequence: s.create(connection, checkfirst=True),
            table=None, object="sequence %s" % sequence.name, whole=False,
        )  # fmt: skip
    made = []
    for table in metadata.tables.values():
        create = CreateTable(table, include_foreign_key_constraints=[])
        if _attempt(
            connection,
            refused,
            lambda c=create: connection.execute(c),
            table=table,
            object=str(table),
            whole=True,
        ):
            made.append(table)
    for table in made:
        for key in sorted(table.foreign_key_constraints, key=lambda k: str(k.name)):
            _attempt(
                connection, refused, lambda k=key: connection.execute(AddConstraint(k)),
                table=table, object="foreign key %s of %s" % (key.name or "", table), whole=False,
            )  # fmt: skip
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            _attempt(
                connection, refused, lambda i=index: i.create(connection),
                table=table, object="index %s of %s" % (index.name, table), whole=False,
            )  # fmt: skip
        _comments(connection, table, refused)


def _comments(connection: Any, table: Any, refused: list[dict[str, Any]]) -> None:
    """create_all would have set them; CreateTable alone does not."""
    from sqlalchemy.schema import SetColumnComment, SetTableComment

    elements = [SetTableComment(table)] if table.comment else []
    elements += [SetColumnComment(column) for column in table.columns if column.comment]
    for element in elements:
        _attempt(
            connection, refused, lambda e=element: connection.execute(e),
            table=table, object="comment of %s" % table, whole=False,
        )  # fmt: skip
