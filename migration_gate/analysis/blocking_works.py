"""Statements that go through the rows of a table while others wait for it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from migration_gate.analysis.observed_changes import TableChange, find_table_change, list_judged
from migration_gate.analysis.query_extent import reads_little
from migration_gate.analysis.referencing_rows import ReferencingRows
from migration_gate.analysis.row_loops import list_loop_statements
from migration_gate.analysis.standing_parts import StandingParts
from migration_gate.facts import Facts, HeldLock, ObservedStatement, Replay, RowWork, WorkKind, find_locks
from migration_gate.lazy_dataclass import dataclass

VALIDATION = re.compile(r"^(?!\s*ALTER\s+DOMAIN\b).*\bVALIDATE\s+CONSTRAINT\b", re.IGNORECASE | re.DOTALL)
"""of a table's, which lets others read and write; that of a domain's does so from PostgreSQL 18 on"""
ATTACHMENT = re.compile(r"\bATTACH\s+PARTITION\b|\bPARTITION\s+OF\b", re.IGNORECASE)
USING_INDEX = re.compile(r"\bPRIMARY\s+KEY\s+USING\s+INDEX\b", re.IGNORECASE)
REPLACED_KEY = re.compile(r"\bDROP\s+CONSTRAINT\b.*\bADD\b", re.IGNORECASE | re.DOTALL)
STORAGE_CHANGE = re.compile(
    r"\bSET\s+(LOGGED|UNLOGGED|TABLESPACE|ACCESS\s+METHOD)\b|^\s*(VACUUM|CLUSTER|REINDEX|REPACK)\b",
    re.IGNORECASE,
)
SORTED = re.compile(r"\bUSING btree\b")
"""an index that gives its rows in an order"""
KINDS = (
    "table-rewrite",
    "index-build",
    "index-rebuild",
    "constraint-index",
    "not-null-scan",
    "check-scan",
    "foreign-key-scan",
    "partition-scan",
    "maintenance",
    "materialized-view-refresh",
)
"""of the work that a statement does under a lock of its own"""


@dataclass(frozen=True, slots=True)
class BlockingWork:
    """Work of a statement under a lock that it needs for itself."""

    statement: ObservedStatement
    kind: str
    work: RowWork
    lock: HeldLock
    change: TableChange


@dataclass(frozen=True, slots=True)
class WorkUnderLock:
    """Work of a statement while locks of earlier statements are held."""

    statement: ObservedStatement
    works: tuple[RowWork, ...]
    locks: tuple[HeldLock, ...]
    is_loop: bool = False
    """the statement is one of many that code runs, some rows at a time"""
    takes_locks: bool = False
    """the locks are of what runs inside of it: a function, or a block"""

    @property
    def kind(self) -> str:
        """Whether it changes rows, only reads them, or does nothing but sleep."""
        if not self.works:
            return "sleep"
        if self.is_loop:
            return "loop"
        return "backfill" if self.statement.written else "scan"


def find_blocking_works(facts: Facts) -> Iterator[BlockingWork]:
    """One for each kind of work and each table of a statement."""
    for statement in list_judged(facts):
        yield from _find_works_of(facts.replay, statement)


def _find_works_of(replay: Replay, statement: ObservedStatement) -> Iterator[BlockingWork]:
    seen: set[tuple[str, str]] = set()
    rewritten = {work.relation for work in statement.works if work.kind is WorkKind.REWRITE}
    for work in statement.works:
        lock = find_blocking_lock(statement, work)
        if lock is None or work.kind is WorkKind.ROWS or _is_earlier_lock(statement, lock):
            continue
        if work.relation in rewritten and work.kind is not WorkKind.REWRITE:
            continue
        change = find_table_change(replay, statement, work.relation)
        kind = _name_kind(statement, work, change)
        has_key = ("constraint-index", str(work.relation)) in seen and _are_all_of_key(change)
        if kind == "not-null-scan" and has_key:
            continue  # what is written in the place of the primary key makes its columns NOT NULL
        if kind and (kind, str(work.relation)) not in seen:
            seen.add((kind, str(work.relation)))
            yield BlockingWork(statement, kind, work, lock, change)


def _are_all_of_key(change: TableChange) -> bool:
    """Whether all columns that accept NULL no more are of the primary key."""
    rules = change.after.constraints if change.after is not None else ()
    keys = {name for rule in rules if rule.definition.startswith("PRIMARY KEY") for name in rule.columns}
    return keys.issuperset(column.name for column in change.new_not_null)


def _is_earlier_lock(statement: ObservedStatement, lock: HeldLock) -> bool:
    """Whether a validation, which needs no such lock, runs under one of an earlier statement.

    Another part of the same ALTER TABLE may take one for itself: then the rows are read under that.
    """
    return lock.since < statement.number and VALIDATION.search(statement.sql) is not None


def find_blocking_lock(statement: ObservedStatement, work: RowWork) -> HeldLock | None:
    """The lock on the table itself for which others wait."""
    locks = find_locks(statement.locks, work.relation)
    return next((lock for lock in locks if lock.blocks_writes), None)


def _name_kind(statement: ObservedStatement, work: RowWork, change: TableChange) -> str:
    """What the work is called; '' if the statement cannot succeed with rows anyway."""
    if work.kind is WorkKind.REWRITE:
        if work.relation.kind == "materialized view":
            return "materialized-view-refresh"
        return "maintenance" if STORAGE_CHANGE.search(statement.sql) else "table-rewrite"
    if work.kind is WorkKind.FOREIGN_KEY:
        return "foreign-key-scan"
    if work.kind is WorkKind.INDEX_BUILD:
        return _name_build(statement)
    if work.kind is WorkKind.INDEX_REBUILD:
        return _name_rebuild(statement)
    return _name_scan(statement, change)


def _name_build(statement: ObservedStatement) -> str:
    if ATTACHMENT.search(statement.sql):
        return "partition-scan"
    if STORAGE_CHANGE.search(statement.sql):
        return "maintenance"  # of an index that the change itself has made
    return "index-build" if statement.tag.startswith("CREATE INDEX") else "constraint-index"


def _name_rebuild(statement: ObservedStatement) -> str:
    if STORAGE_CHANGE.search(statement.sql):
        return "maintenance"
    return "constraint-index" if REPLACED_KEY.search(statement.sql) else "index-rebuild"


def _name_scan(statement: ObservedStatement, change: TableChange) -> str:
    if ATTACHMENT.search(statement.sql):
        return "partition-scan"
    if change.new_not_null or USING_INDEX.search(statement.sql):
        return "not-null-scan"
    if is_required_column_only(change):
        return ""
    return "check-scan"


def is_required_column_only(change: TableChange) -> bool:
    """Whether a statement reads rows only to find that a new NOT NULL column has no value in them."""
    has_required = any(
        not column.nullable and not (column.default or column.generated or column.identity)
        for column in change.new_columns
    )
    return has_required and not change.new_constraints


def find_works_under_lock(facts: Facts) -> Iterator[WorkUnderLock]:
    """Statements whose own locks block nobody, and that run while earlier locks do."""
    drops = [item for item in facts.replay.observation.statements if item.tag == "DROP TABLE"]
    judged = tuple(list_judged(facts))
    loops = tuple(list_loop_statements(facts, judged))
    inner: dict[str, set[int]] = defaultdict(set)
    for item in facts.replay.observation.statements:
        inner[item.client_sql].add(item.number)
    standing = StandingParts(facts.replay)
    referencing = ReferencingRows(facts.replay, standing)
    for statement in (*judged, *loops):
        works = tuple(work for work in statement.works if not _is_little(standing, statement, work))
        works = works or referencing.list_works(statement)
        if not works or any(True for _ in _find_works_of(facts.replay, statement)):
            continue
        locks = tuple(
            lock
            for lock in statement.locks
            if lock.blocks_writes
            and (lock.since < statement.number or _runs_others(statement))
            and lock.relation.kind != "index"
            and not _is_dropped(drops, statement, lock)
        )
        if locks and not _only_fails(facts.replay, statement):
            own = {statement.number, *(inner[statement.sql] if statement.sql else ())}
            takes_locks = any(lock.since in own for lock in locks)
            yield WorkUnderLock(statement, works, locks, is_loop=statement in loops, takes_locks=takes_locks)


def _runs_others(statement: ObservedStatement) -> bool:
    """Whether it takes no such lock by itself: one that it has is of a LOCK TABLE inside of it."""
    return statement.tag in ("DO", "CALL", "SELECT")


def _is_dropped(drops: Iterable[ObservedStatement], statement: ObservedStatement, lock: HeldLock) -> bool:
    """Whether the table was dropped before, in the same transaction: who waits gets an error anyway."""
    return any(
        drop.transaction == statement.transaction
        and drop.number < statement.number
        and re.search(rf"(?<!\w){re.escape(lock.relation.name)}(?!\w)", drop.sql) is not None
        for drop in drops
    )


def _is_little(standing: StandingParts, statement: ObservedStatement, work: RowWork) -> bool:
    """Whether a query stops at the first row, as far as its text and the indexes tell."""
    if work.kind is not WorkKind.ROWS or statement.written:
        return False
    read = {(other.relation.schema, other.relation.name) for other in statement.works}
    indexes = (index for schema, table in read for index in standing.list_indexes(schema, table, statement))
    ordered = (index for index in indexes if not index.partial and SORTED.search(index.definition))
    return reads_little(statement.sql, [index.columns for index in ordered])


def _only_fails(replay: Replay, statement: ObservedStatement) -> bool:
    return any(
        is_required_column_only(find_table_change(replay, statement, work.relation))
        for work in statement.works
        if work.kind is WorkKind.VERIFICATION
    )
