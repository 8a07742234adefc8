"""What only the project's own comparison asks for, beside its models."""

from __future__ import annotations

from migration_gate.analysis.drift_messages import describe_fix
from migration_gate.analysis.evaluated_defaults import FROZEN
from migration_gate.drift.declared_differences import find_declared_differences
from migration_gate.facts import DeclaredOperation, Difference, Models, Replay, Snapshot

REFUSED = "cannot drop function touch() because other objects depend on it"


def test_an_operation_that_failed_is_wanted_as_such_and_its_error_is_the_reason() -> None:
    operation = DeclaredOperation("drop_entity PGFunction: public.touch()", error=REFUSED)
    models = Models(metadatas=1, declared_snapshot=Snapshot(), declared_operations=(operation,))
    (found,) = find_declared_differences(Replay(models=models), ())
    assert (found.models, found.fix_refused) == (operation.label, REFUSED)
    fix = describe_fix(found)
    assert "Correct what the project declares" in fix
    assert REFUSED in fix


def test_a_frozen_date_is_to_be_written_as_the_model_writes_it() -> None:
    frozen = Difference("default", "item.day", FROZEN, "CURRENT_DATE")
    assert 'not a string, but `sa.text("CURRENT_DATE")`' in describe_fix(frozen)
