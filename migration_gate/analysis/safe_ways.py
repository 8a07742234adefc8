"""How a statement that blocks others can be written so that it does not, in words and operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.blocking_works import BlockingWork, WorkUnderLock
from migration_gate.analysis.safe_constraints import scan_check, scan_foreign_key, scan_not_null
from migration_gate.analysis.safe_indexes import add_index_constraint, build_index
from migration_gate.analysis.safe_maintenance import maintain, refresh_view
from migration_gate.analysis.safe_partitions import attach_partition
from migration_gate.analysis.safe_rewrites import change_types, rebuild_indexes, rewrite_table
from migration_gate.analysis.safe_way_request import (
    SafeWay,
    SafeWayRequest,
    join_words_of,
    lift_to_parent,
    with_earlier_columns,
    with_quick_actions,
)
from migration_gate.analysis.sized_facts import SizedFacts
from migration_gate.facts import WorkKind

QUERY = re.compile(r"^\s*\(*\s*(?:select|with|values|table|declare|fetch)\b", re.IGNORECASE)
PARAMETER = re.compile(r"\$\d")
AGAIN = ("index-rebuild", "check-scan", "foreign-key-scan")
"""work that a new type of a column makes necessary, though no row is written"""
_WAYS: Mapping[str, Callable[[SafeWayRequest], SafeWay]] = {
    "table-rewrite": rewrite_table,
    "index-build": build_index,
    "index-rebuild": rebuild_indexes,
    "constraint-index": add_index_constraint,
    "not-null-scan": scan_not_null,
    "check-scan": scan_check,
    "foreign-key-scan": scan_foreign_key,
    "partition-scan": attach_partition,
    "maintenance": maintain,
    "materialized-view-refresh": refresh_view,
}


def describe_safe_way(sized: SizedFacts, item: BlockingWork) -> str:
    """What to write instead."""
    lifted = lift_to_parent(sized, item)
    request = SafeWayRequest(sized.facts.replay, lifted)
    way = with_quick_actions(request, _find_way(request))
    return with_earlier_columns(sized, lifted, way).describe()


def _find_way(request: SafeWayRequest) -> SafeWay:
    """By the kind of the work; a column of which both indexes and rules are gone through needs a new one."""
    item = request.item
    kinds = {work.kind for work in item.statement.works if work.relation == item.work.relation}
    if item.kind in AGAIN and item.change.type_changes and len(kinds - {WorkKind.ROWS}) > 1:
        return change_types(request, item.change.type_changes)
    return _WAYS[item.kind](request)


def describe_release(item: WorkUnderLock) -> str:
    """How the work is done when the locks are gone."""
    if item.takes_locks:
        return (
            "What runs inside of one statement is one transaction: take the work with rows out of the "
            "function or block, and do it behind that, when the locks are gone, some rows at a time."
        )
    return SafeWay(
        "Let the locks go first: in a block that commits what was done before it, or in a revision of its "
        "own, if `env.py` gives each revision a transaction (`transaction_per_migration=True`). Change many "
        "rows some at a time.",
        code.in_autocommit(_repeat_statement(item)),
    ).describe()


def _repeat_statement(item: WorkUnderLock) -> str:
    """The call that runs it; its place in the revision where code reads its rows, or gives it values."""
    statement, location = item.statement, item.statement.location
    is_read = not statement.written and QUERY.match(statement.sql) is not None
    if is_read or not statement.sql or PARAMETER.search(statement.sql):
        return (
            f"...  # the code of line {location.line}"
            if location is not None
            else "...  # the code that runs it"
        )
    return code.execute(join_words_of(statement))
