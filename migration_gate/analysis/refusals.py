"""Which errors of a downgrade say that the revision is one-way, and which are not the revision's."""

from __future__ import annotations

import re

from migration_gate.facts import Failure

_UNWRITTEN = "NotImplementedError"
"""what a revision raises, and libraries do for what they cannot do: a dialect, an abstract method"""
_ONE_WAY_CLASS = re.compile(r"NotImplemented|Irreversible|NotReversible|OneWay|DowngradeNot", re.IGNORECASE)
_ONE_WAY_TEXT = re.compile(
    r"irreversib|not reversible|non-reversible|one[- ]way"
    r"|(?:can ?not|can't|cannot|must not) (?:be )?(?:downgrad|revers|undo|undone|roll(?:ed)? ?back)"
    r"|(?:downgrad\w*|rollback|rolling back) (?:is |are )?"
    r"(?:not (?:supported|possible|allowed|implemented)|unsupported)"
    r"|no downgrade",
    re.IGNORECASE,
)
_RAISED_IN_SQL = "P0001"
"""raise_exception"""
_RAISING_BLOCK = re.compile(r"\s*DO\b.*\bRAISE\b", re.IGNORECASE | re.DOTALL)
_DEPENDENT_OBJECTS = "2BP01"
_DUPLICATE_OBJECT = "42710"
_IN_OTHER_DATABASE = re.compile(r"\d+ objects? in database ")
"""how Postgres counts what it does not name"""


def describe_refusal(failure: Failure) -> str:
    """How a revision says that it is one-way; '' if the error is another one.

    The revision or a helper of the project's says so. What Alembic, SQLAlchemy, a dialect or a driver raises
    is an error; so is the NotImplementedError of a package.
    """
    if failure.sqlstate is not None or failure.source == "library":
        return ""
    if failure.source == "package" and failure.exception_class == _UNWRITTEN:
        return failure.message if _ONE_WAY_TEXT.search(failure.message) else ""
    if _ONE_WAY_CLASS.search(failure.exception_class) or _ONE_WAY_TEXT.search(failure.message):
        return failure.message
    return ""


def refuses_rows(failure: Failure) -> bool:
    """Whether the revision's own code, or a DO block of it, has looked at the rows and ends it on purpose."""
    if failure.sqlstate is not None:
        return failure.sqlstate == _RAISED_IN_SQL and bool(_RAISING_BLOCK.match(failure.statement or ""))
    return failure.is_deliberate


def is_about_shared_role(failure: Failure) -> bool:
    """Whether a role cannot be dropped because another database of the server uses it, and only for that."""
    uses = (failure.detail or "").splitlines()
    return (
        failure.sqlstate == _DEPENDENT_OBJECTS
        and failure.message.startswith("role ")
        and all(map(_IN_OTHER_DATABASE.match, uses))
    )


def makes_shared_object_again(failure: Failure) -> bool:
    """Whether a role or a tablespace is there already: all databases of the server have it."""
    return failure.sqlstate == _DUPLICATE_OBJECT and failure.message.startswith(("role ", "tablespace "))
