"""An empty temporary copy of a table, into which rows are inserted to see what Postgres refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from migration_gate.facts import Constraint, Snapshot, Table

if TYPE_CHECKING:
    import psycopg

Row: TypeAlias = Mapping[str, str | None]
"""values of columns, as Postgres reads them; None is NULL"""

COPY = "pg_temp.migration_gate_copy"
CREATE_COPY = "create temporary table migration_gate_copy (like {} including constraints including generated)"
IS_SUPERUSER = "select rolsuper from pg_catalog.pg_roles where rolname = current_user"
COLUMN_TYPES = """
select a.attname, t.typtype, format_type(a.atttypid, a.atttypmod),
       case t.typtype when 'e' then array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid
                                          order by e.enumsortorder)
            else case a.atttypid when 'bool'::regtype then array['t', 'f'] end end,
       a.attgenerated <> ''
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped
"""


class ColumnType(NamedTuple):
    """What the catalog says about a column's type."""

    kind: str
    """as in pg_type.typtype: d for a domain, e for an enum"""
    name: str
    labels: Sequence[str] | None
    """every value that the type has; None if they cannot be listed"""
    is_generated: bool

    @property
    def is_domain(self) -> bool:
        """Whether it is a domain, which may refuse NULL by itself."""
        return self.kind == "d"


def read_column_types(connection: psycopg.Connection[Any], table: Table) -> dict[str, ColumnType]:
    """The types of the table's columns, by the names of the columns."""
    rows = connection.execute(COLUMN_TYPES, [table.oid])
    return {name: ColumnType(*column_type) for name, *column_type in rows}


class TableCopy:
    """A temporary table with the columns, types and some of the CHECKs of a table.

    It has no rows, no triggers, no keys, and no NOT NULL on columns that take no part.
    """

    def __init__(self, connection: psycopg.Connection[Any], types: Mapping[str, ColumnType]) -> None:
        """`types` are those of the table's columns."""
        self._connection = connection
        self._types = types

    def create(
        self, snapshot: Snapshot, table: Table, columns: Sequence[str], checks: Sequence[Constraint]
    ) -> None:
        """Create it in the open transaction, with the rules of these columns only. Raises psycopg.Error."""
        from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

        self._silence_event_triggers()
        original = sql.Identifier(table.schema, table.name)
        self._connection.execute(sql.SQL(CREATE_COPY).format(original))
        alter = sql.SQL(f"alter table {COPY} ")
        for column in snapshot.columns_of(table):
            if column.name not in columns and not column.nullable:
                change = sql.SQL("alter column {} drop not null").format(sql.Identifier(column.name))
                self._connection.execute(alter + change)
        kept = {check.name for check in checks}
        for constraint in snapshot.constraints_of(table):
            if constraint.kind == "check" and constraint.name not in kept:
                change = sql.SQL("drop constraint {}").format(sql.Identifier(constraint.name))
                self._connection.execute(alter + change)

    def _silence_event_triggers(self) -> None:
        """The project's event triggers are no rules of the table; only a superuser can turn them off."""
        if self._connection.execute(IS_SUPERUSER).fetchone() == (True,):
            self._connection.execute("set local session_replication_role = replica")

    def select_accepted(self, name: str, values: Sequence[str]) -> tuple[str, ...]:
        """The values that the column's type accepts, with the rules of a domain."""
        query = f"select cast(%s as {self._types[name].name})"  # the type's name comes from format_type
        return tuple(value for value in values if not self._find_refusal(query, [value]))

    def insert(self, row: Row) -> str:
        """What refuses the row: the name of a constraint, or the message; empty if it is accepted."""
        from psycopg import sql  # noqa: PLC0415 - loaded while the server starts

        names = [name for name in row if not self._types[name].is_generated]
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        values = sql.SQL(", ").join(
            sql.SQL("NULL") if row[name] is None else sql.Literal(row[name]) for name in names
        )
        query = sql.SQL(f"insert into {COPY} ({{}}) values ({{}})").format(columns, values)  # noqa: S608
        return self._find_refusal(query)

    def _find_refusal(self, query: Any, parameters: Sequence[str] | None = None) -> str:
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        try:
            # A savepoint: after an error Postgres runs nothing more in the transaction around it.
            with self._connection.transaction():
                self._connection.execute(query, parameters)
        except psycopg.Error as error:
            return error.diag.constraint_name or error.diag.message_primary or str(error)
        return ""
