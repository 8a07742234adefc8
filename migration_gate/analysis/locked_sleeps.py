"""Statements that call `pg_sleep` while a lock blocks others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from migration_gate.analysis.blocking_works import WorkUnderLock
from migration_gate.analysis.observed_changes import list_judged
from migration_gate.facts import Facts, HeldLock, ObservedStatement

SLEEP = re.compile(r"\bpg_sleep(_for|_until)?\s*\(", re.IGNORECASE)
STRINGS_AND_COMMENTS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""not those in dollars: the bodies of DO blocks are such"""


def find_sleeps(facts: Facts) -> Iterator[WorkUnderLock]:
    """Texts of the client's that call `pg_sleep` while locks block others: the last statement of each.

    A text that takes the lock itself sleeps under it if the call stands after the statement that takes it.
    """
    for statement, following in pairwise([*list_judged(facts), None]):
        if statement is None or _is_same_text(statement, following):
            continue
        sleep = find_sleep(statement.client_sql or statement.sql)
        if sleep < 0:
            continue
        text = statement.client_sql or statement.sql
        locks = tuple(
            lock
            for lock in statement.locks
            if lock.blocks_writes and lock.relation.is_table and _is_before(facts, lock, text, sleep)
        )
        if locks:
            yield WorkUnderLock(statement, (), locks)


def _is_same_text(statement: ObservedStatement, following: ObservedStatement | None) -> bool:
    """Whether the next statement is of the same text, and knows more locks."""
    if following is None or not statement.client_sql:
        return False
    same_place = (statement.location, statement.transaction) == (following.location, following.transaction)
    return same_place and statement.client_sql == following.client_sql


def _is_before(facts: Facts, lock: HeldLock, text: str, sleep: int) -> bool:
    """Whether the lock was there before the sleep at this place of the text."""
    start = facts.replay.observation.find_statement(lock.since)
    if start is None or text not in (start.client_sql, start.sql):
        return True
    if start.sql == text:  # a DO block, which took it by a command of which the server says nothing
        return lock.relation.name in text[:sleep]
    return text.find(start.sql) < sleep


def find_sleep(sql: str) -> int:
    """Where the text last calls `pg_sleep`, from 0; -1 if it does not. Comments and strings do not count."""
    plain = STRINGS_AND_COMMENTS.sub(lambda match: " " * len(match[0]), sql)
    return max((match.start() for match in SLEEP.finditer(plain)), default=-1)
