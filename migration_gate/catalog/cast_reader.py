"""The casts that a server knows (`pg_cast`), those of extensions and of the migrations too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration_gate.facts import TypeCast

if TYPE_CHECKING:
    import psycopg

CASTS = """
select format_type(castsource, null), format_type(casttarget, null), castcontext = 'i'
from pg_catalog.pg_cast where castsource <> casttarget
"""


def read_casts(connection: psycopg.Connection[Any]) -> tuple[TypeCast, ...]:
    """All of them, in no order; types are named as `format_type` prints them without a length."""
    return tuple(TypeCast(*row) for row in connection.execute(CASTS))
