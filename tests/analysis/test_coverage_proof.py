"""Which tables of the models count as compared."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.analysis.coverage_proof import find_gaps, measure_coverage
from migration_gate.facts import FilteredObject, LeftOut, Models, Replay, View
from tests.support.fact_builders import join_tables, make_table


def test_the_model_of_a_view_that_a_filter_leaves_out_was_not_compared() -> None:
    tables = join_tables(make_table("item", "id integer"), make_table("summary", "id integer"))
    filtered = FilteredObject("table", "public", "summary", "summary", "include_object")
    models = Models(("public.item", "public.summary"), 1, snapshot=tables, filtered_objects=(filtered,))
    item = make_table("item", "id integer")
    catalog = replace(item, views=(View("public", "summary", "view", "SELECT 1"),))
    replay = Replay(catalog=catalog, models=models)
    coverage = measure_coverage(replay)
    assert (coverage.compared_tables, coverage.mapped_tables) == (1, 2)
    assert coverage.left_out == (LeftOut("summary", "include_object"),)
    assert "summary" not in [gap.object for gap in find_gaps(replay)], "it may be meant"
