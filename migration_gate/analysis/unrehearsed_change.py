"""A change of which the rehearsal says nothing: no revision ran with rows, or no table had any."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.facts import Observation, ObservedStatement, Rehearsal, Unchecked

SUBJECT = "rehearsal"
UNKNOWN = "what the new revisions do to rows is not known"
ADVICE = "Add rows of your own with `rehearsal`, or see by hand what the revisions do to rows"
MOST_TABLES = 3
"""of which the refusal is quoted"""


def find_unrehearsed(rehearsal: Rehearsal, observation: Observation) -> Iterator[Unchecked]:
    """What was not rehearsed, if the new revisions touch tables that stood before.

    Nothing where an env.py of that kind is never rehearsed: each change would have it.
    """
    why = "" if rehearsal.is_impossible else _explain_emptiness(rehearsal)
    if why and _touches_tables(observation):
        # Tables that refuse rows are the project's own rule, and block nothing; a run that failed does.
        is_foreseen = rehearsal.is_limit or not rehearsal.unproven
        yield Unchecked(SUBJECT, f"{UNKNOWN}: {why}", ADVICE, is_foreseen=is_foreseen)


def _explain_emptiness(rehearsal: Rehearsal) -> str:
    """Why nothing was rehearsed, as a clause; '' if something was, or if there was nothing to rehearse."""
    if rehearsal.unproven:
        return "" if rehearsal.revisions else rehearsal.unproven
    if not rehearsal.rowless or len(rehearsal.rowless) < rehearsal.tables:
        return ""
    quoted = ", ".join(f"`{table}` ({table.refusal})" for table in rehearsal.rowless[:MOST_TABLES])
    others = len(rehearsal.rowless) - MOST_TABLES
    more = f" and {others} more" if others > 0 else ""
    return f"no row could be made for any table: {quoted}{more}"


def _touches_tables(observation: Observation) -> bool:
    """Whether the revisions did something to a table that stood before; also if that could not be seen."""
    return bool(observation.remarks) or any(map(_touches_table, observation.statements))


def _touches_table(statement: ObservedStatement) -> bool:
    has_lock = any(lock.blocks_writes and lock.relation.is_table for lock in statement.taken)
    return has_lock or bool(statement.written or statement.emptied)
