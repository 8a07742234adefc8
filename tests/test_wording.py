"""Lists in sentences."""

from __future__ import annotations

from migration_gate.wording import MOST_WORDS, join_words


def test_a_list_of_ten_thousand_names_ends_with_how_many_more_there_are() -> None:
    names = [f"t{number}" for number in range(10_000)]
    assert join_words(names[:3]) == "`t0`, `t1` and `t2`"
    assert join_words(names[:MOST_WORDS]).endswith("`t48` and `t49`")
    assert join_words(names).endswith("`t48`, `t49` and 9950 more")
