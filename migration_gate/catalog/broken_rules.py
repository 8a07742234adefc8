"""Whether the rows of a database keep its rules: also those that Postgres has not looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from migration_gate.facts import BrokenRule

if TYPE_CHECKING:
    import psycopg

# A table that inherits a CHECK has it by its parent, where the rows of both are looked at.
_RULES = """
select n.nspname::text, c.relname::text, r.conname::text, pg_catalog.pg_get_constraintdef(r.oid),
       r.convalidated
from pg_catalog.pg_constraint r join pg_catalog.pg_class c on c.oid = r.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where r.contype in ('c', 'f') and r.conparentid = 0 and r.coninhcount = 0
  and (%s or not r.convalidated)
  and coalesce((to_jsonb(r) ->> 'conenforced')::bool, true)
order by 1, 2, 3
"""
CIRCUMVENTION = re.compile(r"\bsession_replication_role\b|\bdisable\s+trigger\b", re.IGNORECASE)
"""statements after which a valid rule may not hold"""
_NOT_VALID = re.compile(r" NOT VALID$")
_OWN_NAME = "migration_gate_rule"


class _Rule(NamedTuple):
    """A CHECK or foreign key."""

    schema: str
    table: str
    constraint: str
    definition: str
    is_validated: bool


def find_broken_rules(
    connection: psycopg.Connection[Any], version_tables: Sequence[str], statements: Sequence[str]
) -> tuple[BrokenRule, ...]:
    """The CHECKs and foreign keys that rows break.

    Valid ones are looked at only if `statements` may have circumvented them.
    """
    looks_at_valid = any(CIRCUMVENTION.search(sql) for sql in statements)
    rules = [_Rule(*row) for row in connection.execute(_RULES, [looks_at_valid]).fetchall()]
    return tuple(
        broken
        for rule in rules
        if f"{rule.schema}.{rule.table}" not in version_tables
        for broken in _try_rule(connection, rule)
    )


def _try_rule(connection: psycopg.Connection[Any], rule: _Rule) -> Iterator[BrokenRule]:
    """Add the same rule once more, which makes Postgres look at all rows, and take it back."""
    import psycopg  # noqa: PLC0415 - loaded while the server starts
    from psycopg import sql  # noqa: PLC0415

    command = sql.SQL("alter table {} add constraint {} ").format(
        sql.Identifier(rule.schema, rule.table), sql.Identifier(_OWN_NAME)
    )
    text = _NOT_VALID.sub("", rule.definition).encode()
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(command.as_bytes(connection) + text)
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith("23"):
            message = error.diag.message_primary or str(error)
            yield BrokenRule(
                rule.schema,
                rule.table,
                rule.constraint,
                rule.definition,
                message.replace(_OWN_NAME, rule.constraint),
                error.diag.message_detail or "",
                rule.is_validated,
            )
