"""Which errors of a downgrade declare that a revision is one-way."""

from __future__ import annotations

import pytest

from migration_gate.analysis.refusals import describe_refusal, refuses_rows
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
    ("exception_class", "source", "is_meant"),
    [
        ("RuntimeError", "project", True),
        ("DuplicateUsers", "project", True),
        ("AttributeError", "project", False),
        ("ValueError", "project", False),
        ("JSONDecodeError", "library", False),
        ("RuntimeError", "", False),
    ],
)
def test_rows_are_refused_by_an_error_that_the_project_raises_on_purpose(
    exception_class: str, source: str, is_meant: bool
) -> None:
    failure = Failure("two users have one name", exception_class, source=source)  # type: ignore[arg-type]
    assert refuses_rows(failure) is is_meant


def test_what_the_server_says_is_no_declaration() -> None:
    assert describe_refusal(Failure("cannot be undone", "RaiseException", "P0001", source="library")) == ""
