"""Why an upgrade fails after its downgrade: what that one left behind, or did not bring back."""

from __future__ import annotations

import re

from migration_gate.facts import RevisionRollback, RollbackDifference

_DUPLICATE = ("42710", "42P07", "42701", "42P06", "42723")
"""SQLSTATEs: an object, relation, column, schema or function of that name exists"""
_UNDEFINED = ("42704", "42P01", "42703", "3F000", "42883")
"""SQLSTATEs: there is no object, relation, column, schema or function of that name"""
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
_FUNCTION = re.compile(r"function ([^\s(]+)\(")
_NAME_PART = re.compile(r'[^\s.,()"]+')


def find_reupgrade_cause(rollback: RevisionRollback) -> RollbackDifference | None:
    """The object over which the second upgrade failed, as the downgrade left it; else None."""
    failure = rollback.reupgrade_failure
    if failure is None:
        return None
    error = failure.first_error or failure
    name = _find_named_object(error.message)
    for difference in rollback.leftovers:
        is_left = difference.expected is None and error.sqlstate in _DUPLICATE
        is_lost = difference.found is None and error.sqlstate in _UNDEFINED
        if (is_left or is_lost) and name in _list_names(difference.object):
            return difference
    return None


def _find_named_object(message: str) -> str:
    """The name of the object that Postgres' message is about, without its schema."""
    match = _QUOTED.search(message) or _FUNCTION.search(message)
    return match[1].rpartition(".")[2] if match is not None else ""


def _list_names(shown: str) -> frozenset[str]:
    """The names in an object as reports show it: `shop.item.price`, `refuse_change()`."""
    return frozenset(_NAME_PART.findall(shown))
