"""Moves sequences behind the values that rows have already, as those of a database in use are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration_gate.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    import psycopg

OWNED_SEQUENCES = """
select sn.nspname::text, s.relname::text, n.nspname::text, t.relname::text, a.attname::text, q.seqmax
from pg_catalog.pg_depend d
join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
join pg_catalog.pg_sequence q on q.seqrelid = s.oid and q.seqincrement > 0
join pg_catalog.pg_class t on t.oid = d.refobjid and t.relkind in ('r', 'p')
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
  and d.deptype in ('a', 'i') and a.atttypid in
      ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
"""
"""of serial and identity columns"""


def advance_sequences(connection: psycopg.Connection[Any]) -> None:
    """Have the next value of each be one that no row of its column has.

    Rows that were inserted with their ids leave the sequence behind, which production's never is.
    """
    rows = connection.execute(OWNED_SEQUENCES.encode()).fetchall()
    for sequence_schema, sequence, schema, table, column, most in rows:
        query = f"select max({quote_identifier(column)}) from {qualified_name(schema, table)}"  # noqa: S608
        ((largest,),) = connection.execute(query.encode()).fetchall()
        if largest is not None and 0 < largest < most:
            name = qualified_name(sequence_schema, sequence)
            command = f"select setval(%s::regclass, %s) from {name} where last_value <= %s"  # noqa: S608
            connection.execute(command.encode(), [name, largest, largest])
