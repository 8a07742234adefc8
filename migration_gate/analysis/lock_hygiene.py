"""How the looked-at revisions deal with locks: time limits, transactions, tables that nobody named."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from migration_gate.analysis.observed_changes import find_table_change, list_judged
from migration_gate.facts import (
    DdlCommand,
    Facts,
    HeldLock,
    LockMode,
    ObservedStatement,
    Replay,
    StoredRelation,
    find_locks,
)
from migration_gate.lazy_dataclass import dataclass

LONG_TIMEOUT = 10_000
"""milliseconds that everybody may have to wait"""
NO_CHANGE = re.compile(r"\bIF\s+(NOT\s+)?EXISTS\b", re.IGNORECASE)
WIDE_MODES = (LockMode.SHARE_ROW_EXCLUSIVE, LockMode.EXCLUSIVE, LockMode.ACCESS_EXCLUSIVE)


@dataclass(frozen=True, slots=True)
class LockingStatement:
    """A statement with locks that it took and for which others wait."""

    statement: ObservedStatement
    locks: tuple[HeldLock, ...]


@dataclass(frozen=True, slots=True)
class SharedTransaction:
    """Several revisions in one transaction, and what the earlier ones hold while the later ones run."""

    revisions: tuple[str, ...]
    locks: tuple[HeldLock, ...]
    last: ObservedStatement


def list_locking_statements(facts: Facts) -> Iterator[LockingStatement]:
    """The statements that took locks for which others wait, on tables, views or sequences.

    Not those that their transaction needed not wait for: it held as much already.
    """
    for statement in list_judged(facts):
        locks = tuple(
            lock
            for lock in statement.taken
            if lock.blocks_writes and lock.relation.kind != "index" and not _was_held(statement, lock)
        )
        if locks:
            yield LockingStatement(statement, locks)


def _was_held(statement: ObservedStatement, lock: HeldLock) -> bool:
    """Whether an earlier statement took a lock on the relation with which the same others are in conflict.

    From SHARE on, each mode is in conflict with all that the weaker ones are in conflict with.
    """
    return any(
        held.since < statement.number and held.mode.strength >= lock.mode.strength
        for held in find_locks(statement.locks, lock.relation)
    )


def list_without_timeout(facts: Facts) -> list[LockingStatement]:
    """Those that wait for their locks without an end."""
    return [item for item in list_locking_statements(facts) if item.statement.lock_timeout == 0]


def list_with_long_timeout(facts: Facts) -> list[LockingStatement]:
    """Those that wait for ACCESS EXCLUSIVE longer than others should have to."""
    return [
        item
        for item in list_locking_statements(facts)
        if item.statement.lock_timeout > LONG_TIMEOUT and any(lock.blocks_reads for lock in item.locks)
    ]


def find_shared_transactions(facts: Facts) -> Iterator[SharedTransaction]:
    """Transactions of several revisions, of which an earlier one holds a lock for which others wait."""
    by_transaction: dict[int, list[ObservedStatement]] = defaultdict(list)
    for statement in list_judged(facts):
        by_transaction[statement.transaction].append(statement)
    for statements in by_transaction.values():
        revisions = tuple(dict.fromkeys(statement.revision for statement in statements))
        last = statements[-1]
        locks = [
            lock
            for lock in last.locks
            if lock.blocks_writes
            and lock.relation.kind != "index"
            and _is_of_earlier_revision(facts.replay, lock, last)
        ]
        if len(revisions) > 1 and locks:
            yield SharedTransaction(revisions, tuple(locks), last)


def _is_of_earlier_revision(replay: Replay, lock: HeldLock, statement: ObservedStatement) -> bool:
    taker = replay.observation.find_statement(lock.since)
    return taker is not None and taker.revision != statement.revision


def find_several_tables(facts: Facts) -> Iterator[list[LockingStatement]]:
    """For each transaction, the statements each of which locks a further table for as long as it lasts."""
    by_transaction: dict[int, list[LockingStatement]] = defaultdict(list)
    seen: set[tuple[int, StoredRelation]] = set()
    for item in list_locking_statements(facts):
        transaction = item.statement.transaction
        tables = [lock.relation for lock in item.locks if lock.relation.is_table and lock.mode in WIDE_MODES]
        if any((transaction, table) not in seen for table in tables):
            by_transaction[transaction].append(item)
        seen.update((transaction, table) for table in tables)
    yield from (items for items in by_transaction.values() if len(items) > 1)


def find_unnamed_tables(facts: Facts) -> Iterator[LockingStatement]:
    """Statements that lock tables which their text does not name, nor their parent."""
    for item in list_locking_statements(facts):
        unnamed = tuple(
            lock
            for lock in item.locks
            if lock.relation.kind in ("table", "partitioned table")
            and not _is_named(facts.replay, lock.relation, item.statement)
        )
        if unnamed:
            yield LockingStatement(item.statement, unnamed)


def _is_named(replay: Replay, relation: StoredRelation, statement: ObservedStatement) -> bool:
    table = replay.catalog.find_table(relation.schema, relation.name)
    parents = [name.rpartition(".")[2] for name in table.inherits] if table is not None else []
    return any(
        _mentions(text, name)
        for name in (relation.name, *parents)
        for text in (statement.sql, statement.client_sql)
    )


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None


def find_explicit_locks(facts: Facts) -> Iterator[LockingStatement]:
    """LOCK TABLE."""
    return (item for item in list_locking_statements(facts) if item.statement.tag.startswith("LOCK"))


def find_needless_locks(facts: Facts) -> Iterator[LockingStatement]:
    """Statements with IF EXISTS or IF NOT EXISTS that changed nothing, and took their lock all the same."""
    made_nothing = {
        (command.step, command.statement.strip())
        for command in facts.replay.ddl_commands
        if command.statement is not None
    }
    for item in list_locking_statements(facts):
        if NO_CHANGE.search(item.statement.sql) and not item.statement.works:
            relations = [lock.relation for lock in item.locks if lock.relation.is_table]
            if relations and not _has_changed(facts.replay, item.statement, relations, made_nothing):
                yield item


def _has_changed(
    replay: Replay,
    statement: ObservedStatement,
    relations: Sequence[StoredRelation],
    made_nothing: Collection[tuple[int, str]],
) -> bool:
    """Whether one of the tables is another one after the statement; True if that is not known."""
    for relation in relations:
        change = find_table_change(replay, statement, relation)
        if change.before is None or change.after is None:
            return (statement.step, statement.sql) not in made_nothing
        if _describe_state(change.before) != _describe_state(change.after):
            return True
    return False


def _describe_state(command: DdlCommand) -> tuple[object, ...]:
    return command.table, command.columns, command.constraints, command.indexes
