"""A transaction locks several tables one after the other, or one that no statement names.

The application locks the same tables in another order: then one of the two is ended as the victim of a
deadlock. And while the migration waits for its next table, everybody waits for those that it has.

Instead, lock one table in a transaction: in revisions of their own, with `transaction_per_migration=True`.
"""

from collections.abc import Iterator

from migration_gate.analysis import lock_messages
from migration_gate.analysis.lock_hygiene import (
    LockingStatement,
    find_several_tables,
    find_unnamed_tables,
)
from migration_gate.analysis.short_locks import describe_short_lock
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.WARNING
SUBJECT = Subject.OBSERVED
KINDS = ("several-tables", "unnamed-table")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each transaction of the first kind, and each statement of the second."""
    for items in find_several_tables(facts):
        yield _describe_several(items)
    for item in find_unnamed_tables(facts):
        yield _describe_unnamed(facts, item)


def _describe_several(items: list[LockingStatement]) -> Finding:
    locks = [lock for item in items for lock in item.locks if lock.relation.is_table]
    tables = list(dict.fromkeys(lock.relation.table_name for lock in locks))
    first, last = items[0].statement, items[-1].statement
    return Finding(
        object=tables[0],
        message=f"{_name_some(tables)} are locked one after the other in one transaction, and held to "
        "its end",
        location=last.location,
        revision=last.revision,
        evidence=tuple(
            Evidence("statement", lock_messages.describe_statement(item.statement))
            for item in items[: lock_messages.SHOWN_LOCKS]
        ),
        fix="Let the first go before the next is locked, in a revision of its own with "
        "`transaction_per_migration=True`, or by a block that commits between them:"
        + code_block("with op.get_context().autocommit_block():\n    pass"),
        kind="several-tables",
        other_locations=tuple(filter(None, (first.location,))),
    )


def _name_some(tables: list[str]) -> str:
    """The first six, and how many there are beside them."""
    more = len(tables) - lock_messages.SHOWN_LOCKS
    if more <= 0:
        return join_words(tables)
    first = ", ".join(f"`{name}`" for name in tables[: lock_messages.SHOWN_LOCKS])
    return f"{first} and {more} more tables"


def _describe_unnamed(facts: Facts, item: LockingStatement) -> Finding:
    tables = list(dict.fromkeys(lock.relation.table_name for lock in item.locks))
    pronoun = "it" if len(tables) == 1 else "them"
    statement = item.statement
    return Finding(
        object=tables[0],
        message=f"{join_words(tables)}: {lock_messages.describe_waiting(item.locks[0])} for a statement "
        f"that does not name {pronoun} ({item.locks[0].mode})",
        location=statement.location,
        revision=statement.revision,
        evidence=tuple(lock_messages.collect_evidence(facts.replay.observation, statement, item.locks)),
        fix=describe_short_lock(statement.sql),
        kind="unnamed-table",
    )
