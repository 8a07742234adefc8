"""The command that made an object what it is: the log says so, or nobody is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migration_gate.analysis import object_history
from migration_gate.analysis.object_history import LoggedObject
from migration_gate.analysis.origin import find_origin, find_removal
from migration_gate.facts import (
    AttachedObject,
    Column,
    DdlCommand,
    Index,
    NamedDefinition,
    Replay,
    Routine,
    TableState,
)
from tests.support import fact_builders

IN_ONE_TABLE = "CREATE INDEX {} ON public.users USING btree ({})"


def make_replay(*commands: DdlCommand, columns: tuple[str, ...] = ("id integer",)) -> Replay:
    """The end of a history a1, b2, c3 with the table `users`, whose oid is 7."""
    history = fact_builders.make_chain("a1", "b2", "c3")
    return Replay(
        history=history,
        steps=fact_builders.make_steps(history),
        ddl_commands=commands,
        catalog=fact_builders.make_table("users", *columns, oid=7),
    )


def touch_users(step: int, *columns: str) -> DdlCommand:
    return fact_builders.make_ddl_command(step, "users", *columns, oid=7)


def index_state(name: str, keys: str, *, oid: int = 50, structure: str = "s") -> NamedDefinition:
    columns = tuple(keys.split(", "))
    return NamedDefinition(name, IN_ONE_TABLE.format(name, keys), oid, columns, structure)


def index_fact(name: str, keys: str) -> Index:
    definition = IN_ONE_TABLE.format(name, keys)
    return Index("public", "users", name, definition, tuple(keys.split(", ")), oid=50)


def test_nobody_is_named_where_the_log_ends_with_another_value() -> None:
    replay = make_replay(touch_users(1, "id integer"), columns=("id bigint",))
    assert not find_origin(replay, replay.catalog.columns[0])
    assert find_origin(replay, replay.catalog.columns[0], ("name",)).revision == "a1"


def test_each_property_has_an_origin_of_its_own() -> None:
    commands = (
        touch_users(1, "id integer"),
        touch_users(2, "id bigint"),
        touch_users(3, "id bigint NOT NULL"),
    )
    replay = make_replay(*commands, columns=("id bigint NOT NULL",))
    (column,) = replay.catalog.columns
    origins = [find_origin(replay, column, (name,)).revision for name in ("name", "type", "nullable")]
    assert origins == ["a1", "b2", "c3"]


def test_a_value_that_was_lost_and_came_back_is_the_last_revisions() -> None:
    replay = make_replay(
        touch_users(1, "id bigint"),
        touch_users(2, "id integer"),
        touch_users(3, "id bigint"),
        columns=("id bigint",),
    )
    assert find_origin(replay, replay.catalog.columns[0], ("type",)).revision == "c3"


def test_an_index_that_a_new_type_made_anew_keeps_its_origin() -> None:
    first = replace(touch_users(1, "id integer"), indexes=(index_state("ix", "id"),))
    second = replace(touch_users(2, "id bigint"), indexes=(index_state("ix", "id", oid=51, structure="t"),))
    replay = make_replay(first, second, columns=("id bigint",))
    assert find_origin(replay, replace(index_fact("ix", "id"), oid=51)).revision == "a1"


def test_the_rename_of_a_column_is_no_change_of_its_index() -> None:
    first = replace(touch_users(1, "id integer"), indexes=(index_state("ix", "id"),))
    second = replace(touch_users(2, "nr integer"), indexes=(index_state("ix", "nr"),))
    replay = make_replay(first, second, columns=("nr integer",))
    assert find_origin(replay, index_fact("ix", "nr")).revision == "a1"
    changed = replace(touch_users(2, "nr integer"), indexes=(index_state("ix", "nr", structure="t"),))
    assert (
        find_origin(make_replay(first, changed, columns=("nr integer",)), index_fact("ix", "nr")).revision
        == "b2"
    )


def test_what_was_dropped_under_another_name_was_dropped_by_that_revision() -> None:
    replay = make_replay(
        touch_users(1, "id integer", "email text"),
        touch_users(2, "id integer", "mail text"),
        touch_users(3, "id integer"),
    )
    assert find_removal(replay, Column("public", "users", "email", "text")).revision == "c3"


def test_what_only_got_another_name_was_removed_by_the_rename() -> None:
    replay = make_replay(
        touch_users(1, "email text"), touch_users(2, "mail text"), touch_users(3, "mail text")
    )
    assert find_removal(replay, Column("public", "users", "email", "text")).revision == "b2"


def test_what_no_revision_made_was_removed_by_none() -> None:
    replay = make_replay(touch_users(1, "id integer"))
    assert not find_removal(replay, Column("public", "users", "email", "text"))
    assert not find_removal(replay, Column("public", "other", "id", "text"))


@pytest.mark.parametrize(
    ("missing", "kind", "identity"),
    [
        (AttachedObject("app", "Users", "touch", "trigger", ""), "trigger", 'touch on app."Users"'),
        (AttachedObject("public", "users", "own", "policy", ""), "policy", "own on public.users"),
        (Routine("app", "F", "", "function", ""), "function", 'app."F"()'),
        (
            Routine("app", "f", "id integer, text, at timestamp with time zone", "function", ""),
            "function",
            "app.f(integer,pg_catalog.text,timestamp with time zone)",
        ),
    ],
)
def test_what_has_no_state_in_the_log_was_dropped_by_its_last_command(
    missing: AttachedObject | Routine, kind: str, identity: str
) -> None:
    made = DdlCommand(1, f"CREATE {kind.upper()}", kind, identity, 9)
    dropped = DdlCommand(3, f"DROP {kind.upper()}", kind, identity, 9, dropped=True)
    assert find_removal(make_replay(made, dropped), missing).revision == "c3"
    assert not find_removal(make_replay(made, dropped, replace(made, step=3)), missing)
    other = replace(dropped, identity=identity.replace("on ", "on other.").replace("(", "(xml,"))
    assert not find_removal(make_replay(made, other), missing)


def test_an_index_without_its_name_is_found_by_what_it_does() -> None:
    first = replace(touch_users(1, "id integer"), indexes=(index_state("old", "id"),))
    replay = make_replay(first, touch_users(2, "id integer"))
    assert find_removal(replay, index_fact("new", "id")).revision == "b2"


def test_a_table_of_the_same_name_takes_the_place_of_one_that_is_dropped() -> None:
    made = touch_users(1, "email text")
    again = replace(touch_users(2, "email text"), oid=8)
    gone = DdlCommand(3, "DROP TABLE", "table", "public.users", 7, dropped=True)

    def find_users(command: DdlCommand) -> LoggedObject | None:
        return object_history.find_table_named(command, "public", "users")

    assert object_history.find_loss((made, again, gone), find_users) is None
    assert object_history.find_loss((made, gone), find_users) == gone
    moved = replace(again, table=TableState("archive", "users"))
    assert object_history.find_loss((made, gone, moved), find_users) == gone
