"""The row that holds the NULL which a message of Postgres is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_NULLS = re.compile(r'column "(?P<column>.+?)" of relation "(?P<table>.+?)" contains null values')
_FIND_SCHEMA = """
select n.nspname::text from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = %s and not a.attisdropped
where c.relname = %s and c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
order by 1 limit 1
"""


def find_row_with_null(connection: psycopg.Connection[Any], message: str) -> str:
    """Such a row, as Postgres prints it; '' if the message is about something else."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts
    from psycopg import sql  # noqa: PLC0415

    match = _NULLS.search(message)
    if match is None:
        return ""
    try:
        schema = connection.execute(_FIND_SCHEMA, [match["column"], match["table"]]).fetchone()
        if schema is None:
            return ""  # earlier revisions have renamed it
        query = sql.SQL("select t::text from {} t where {} is null limit 1").format(
            sql.Identifier(schema[0], match["table"]), sql.Identifier(match["column"])
        )
        row = connection.execute(query).fetchone()
    except psycopg.Error:
        return ""
    return str(row[0]) if row is not None else ""
