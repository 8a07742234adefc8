"""Which errors of a downgrade declare that a revision is one-way."""

from __future__ import annotations

import pytest

from migration_gate.analysis.refusals import describe_refusal, is_about_shared_role, refuses_rows
from migration_gate.facts import Failure


@pytest.mark.parametrize(
    ("exception_class", "message", "source", "is_declared"),
    [
        ("NotImplementedError", "NotImplementedError", "project", True),
        ("NotImplementedError", "NotImplementedError", "", True),
        ("RuntimeError", "RuntimeError: this cannot be undone", "project", True),
        ("IrreversibleError", "IrreversibleError", "package", True),
        ("NotImplementedError", "NotImplementedError: no downgrade of this one", "package", True),
        ("NotImplementedError", "NotImplementedError: no ALTER of constraints in SQLite", "library", False),
        ("NotImplementedError", "NotImplementedError: visit_thing", "package", False),
        ("RuntimeError", "RuntimeError: cannot be reversed", "library", False),
        ("ValueError", "ValueError: 3", "project", False),
    ],
)
def test_what_a_library_raises_is_no_declaration(
    exception_class: str, message: str, source: str, is_declared: bool
) -> None:
    failure = Failure(message, exception_class, source=source)  # type: ignore[arg-type]
    assert describe_refusal(failure) == (message if is_declared else "")


@pytest.mark.parametrize(
    ("failure", "is_meant"),
    [
        (Failure("two users have one name", "ValueError", is_deliberate=True), True),
        (Failure("Invalid literal for Decimal", "InvalidOperation", source="project"), False),
        (Failure("two names", "RaiseException", "P0001", statement="do $$begin raise 'two'; end$$"), True),
        (Failure("a trigger's", "RaiseException", "P0001", statement="UPDATE users SET name = 'a'"), False),
        (Failure("a key", "UniqueViolation", "23505", statement="do $$begin raise 'a'; end$$"), False),
    ],
)
def test_rows_are_refused_by_what_the_revision_raises_on_purpose(failure: Failure, is_meant: bool) -> None:
    assert refuses_rows(failure) is is_meant


def test_what_the_server_says_is_no_declaration() -> None:
    assert describe_refusal(Failure("cannot be undone", "RaiseException", "P0001", source="library")) == ""


@pytest.mark.parametrize(
    ("detail", "is_shared"),
    [
        ("1 object in database other", True),
        ("2 objects in database other\n1 object in database third", True),
        ("privileges for table tags\n1 object in database other", False),
    ],
)
def test_a_role_that_the_own_database_uses_as_well_is_the_downgrades_fault(
    detail: str, is_shared: bool
) -> None:
    message = 'role "app" cannot be dropped because some objects depend on it'
    failure = Failure(message, "DependentObjectsStillExist", "2BP01", detail=detail)
    assert is_about_shared_role(failure) is is_shared
