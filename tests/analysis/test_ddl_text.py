"""The end of a transaction, read from the text of a statement."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration_gate.analysis.ddl_text import find_transaction_end


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("COMMIT AND NO CHAIN", "COMMIT"),
        ("rollback work", "ROLLBACK"),
        ("SELECT 1; abort", "ABORT"),
        ("COMMIT PREPARED 'x'", None),
        ("ROLLBACK TO a", None),
        ("SELECT 'COMMIT'", None),
    ],
)
def test_a_statement_that_ends_the_transaction_is_named_by_its_first_word(sql: str, word: str | None) -> None:
    assert find_transaction_end(sql) == word


@settings(deadline=None)
@given(st.lists(st.sampled_from(["COMMIT", "END", "ABORT", ";", "t", ".", "(", ")", ",", '"', "$$", "'"])))
def test_no_text_raises(words: list[str]) -> None:
    find_transaction_end(" ".join(words))
