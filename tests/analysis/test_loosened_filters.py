"""Filters of env.py that leave out more than at the base."""

from __future__ import annotations

import pytest

from migration_gate.analysis.loosened_filters import find_loosened_filters
from migration_gate.facts import ChangedFile, Failure, FilteredObject, LineRange, Models, Replay
from tests.support.fact_builders import join_tables, make_table

CATALOG = join_tables(make_table("users", "id integer"), make_table("logs", "id integer", "text text"))


def replay_with(*filtered: FilteredObject, catalog: object = CATALOG) -> Replay:
    models = Models(("public.users", "public.logs"), 1, filtered_objects=filtered, environment_file="env.py")
    lines = (ChangedFile("env.py", (LineRange(7, 8),)),)
    return Replay(models=models, catalog=catalog, changed_lines=lines)  # type: ignore[arg-type]


def leave_out(kind: str, table: str | None, name: str, option: str = "include_object") -> FilteredObject:
    return FilteredObject(kind, "public", table, name, option)


LOGS = leave_out("table", "logs", "logs")
TEXT = leave_out("column", "logs", "text", "include_name")


@pytest.mark.parametrize(
    ("filtered", "message"),
    [
        (LOGS, "`include_object` `table logs`"),
        (TEXT, "`include_name` `column logs.text`"),
        (leave_out("type", "logs", "id", "compare_type"), "`compare_type` `the type of logs.id`"),
        (FilteredObject("type", "*", "*", "*"), "`compare_type` `every type`"),
        (FilteredObject("default", "*", "*", "*"), "`compare_server_default` `every default`"),
    ],
)  # fmt: skip
def test_what_was_compared_at_the_base_and_is_left_out(filtered: FilteredObject, message: str) -> None:
    (found,) = find_loosened_filters(replay_with(), replay_with(filtered))
    assert (
        found.message
        == message.replace(" ", " of env.py leaves out ", 1) + ", which was compared at the base"
    )
    assert str(found.location) == "env.py:7"


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (replay_with(LOGS), replay_with(LOGS)),
        (replay_with(LOGS), replay_with(TEXT, LOGS)),
        (replay_with(LOGS, TEXT), replay_with()),
        (replay_with(catalog=make_table("x", "id integer")), replay_with(leave_out("table", "new", "new"))),
        (replay_with(), replay_with(leave_out("column", "logs", "new_column"))),
        (Replay(failure=Failure("x")), replay_with(LOGS)),
    ],
)  # fmt: skip
def test_old_filters_and_new_objects_are_no_finding(base: Replay, change: Replay) -> None:
    assert list(find_loosened_filters(base, change)) == []
