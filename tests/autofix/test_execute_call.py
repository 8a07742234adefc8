"""`op.execute(…)` hands a statement on as it is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from migration_gate.autofix.execute_call import execute_call


@pytest.mark.parametrize(
    "statement", ["SELECT ':a', 'x'::text", "SELECT '\\:b'", 'SELECT 1 AS "%(a)s"', "SELECT 'a''b\n'"]
)
def test_a_statement_reaches_postgres_as_it_is(statement: str) -> None:
    executed: list[str] = []

    class Operations:
        @staticmethod
        def execute(text: str) -> None:
            compiled = sa.text(text).compile()
            assert not compiled.params
            executed.append(str(compiled))

    exec(execute_call(statement), {"op": Operations})
    assert executed == [statement]
