"""What is advised for a statement that locks a table which it does not name."""

from __future__ import annotations

import pytest

from migration_gate.analysis.short_locks import describe_short_lock


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP INDEX ix", 'op.execute("DROP INDEX CONCURRENTLY ix")'),
        ("drop index if exists s.ix restrict;", 'op.execute("DROP INDEX CONCURRENTLY if exists s.ix")'),
        ("DROP INDEX a, b", "A foreign key"),
        ("DROP INDEX ix CASCADE", "A foreign key"),
        ("ALTER TABLE a DROP CONSTRAINT fk", "In a revision of its own"),
        ("DROP TABLE a", "A foreign key"),
    ],
)
def test_the_advice_fits_the_statement(sql: str, words: str) -> None:
    assert words in describe_short_lock(sql)
