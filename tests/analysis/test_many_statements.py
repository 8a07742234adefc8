"""A revision may have ten thousand statements: twice as many are twice the work, and no more."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from migration_gate import checks
from migration_gate.analysis.observed_changes import TableChange, find_table_change
from migration_gate.check import Check, check_name
from migration_gate.facts import (
    ColumnState,
    DdlCommand,
    Facts,
    HeldLock,
    Location,
    LockMode,
    Observation,
    ObservedStatement,
    Replay,
    RowWork,
    StoredRelation,
    Subject,
    TableState,
    WorkKind,
)
from migration_gate.facts.statement_states import normalize_query
from tests.support.counted_work import count_lines

OBSERVED = [check for check in checks.ALL if check.SUBJECT is Subject.OBSERVED]
ALLOWED_GROWTH = 2.3
"""of the work, where there are twice as many statements"""
Maker = Callable[[int], Facts]


def make_command(number: int, table: str, oid: int, query: str) -> DdlCommand:
    columns = tuple(
        ColumnState(position, f"c{position}", "integer", nullable=number % 2 == 0, default=None)
        for position in (1, 2)
    )
    state = TableState("public", table)
    return DdlCommand(
        1 if number else 0, "ALTER TABLE", "table", f"public.{table}", oid, None, columns, (), (), state,
        None, False, query,
    )  # fmt: skip


def make_statement(number: int, table: str, sql: str) -> ObservedStatement:
    relation = StoredRelation("public", table)
    lock = HeldLock(relation, LockMode.ACCESS_EXCLUSIVE, number)
    works = (RowWork(WorkKind.VERIFICATION, relation),) if "SET NOT NULL" in sql else ()
    return ObservedStatement(
        number, 1, "b2", sql, "ALTER TABLE", "", Location("b2.py", 8), 1, True, (lock,), (lock,), works
    )


def make_facts(names: list[str], texts: list[str]) -> Facts:
    oids = {name: position + 1 for position, name in enumerate(dict.fromkeys(names))}
    commands = [make_command(0, name, oid, f"CREATE TABLE {name} (c1 int)") for name, oid in oids.items()]
    statements = []
    for number, (name, sql) in enumerate(zip(names, texts, strict=True), 1):
        commands.append(make_command(number, name, oids[name], sql))
        statements.append(make_statement(number, name, sql))
    observation = Observation(revisions=("b2",), statements=tuple(statements))
    return Facts("app", Replay(ddl_commands=tuple(commands), observation=observation))


def alter_one_table(number: int) -> Facts:
    """The same two texts again and again."""
    words = ("SET", "DROP")
    return make_facts(
        ["item"] * number, [f"ALTER TABLE item ALTER c1 {words[i % 2]} NOT NULL" for i in range(number)]
    )


def alter_one_column_after_the_other(number: int) -> Facts:
    return make_facts(["item"] * number, [f"ALTER TABLE item ALTER c{i} SET NOT NULL" for i in range(number)])


def alter_many_tables(number: int) -> Facts:
    names = [f"t{i}" for i in range(number)]
    return make_facts(names, [f"ALTER TABLE {name} ALTER c1 SET NOT NULL" for name in names])


def alter_if_exists(number: int) -> Facts:
    return make_facts(
        ["item"] * number, [f"ALTER TABLE item DROP COLUMN IF EXISTS x{i}" for i in range(number)]
    )


MAKERS = (alter_one_table, alter_one_column_after_the_other, alter_many_tables, alter_if_exists)


def count_work(check: Check, facts: Facts) -> int:
    return count_lines(lambda: list(check.check(facts)))


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("check", OBSERVED, ids=check_name)
def test_work_grows_no_faster_than_the_statements(check: Check, make: Maker) -> None:
    few, many = (count_work(check, make(number)) for number in (150, 300))
    assert many <= ALLOWED_GROWTH * few + 100, (few, many)


def test_the_states_of_a_statement_are_those_of_a_search_through_all_commands() -> None:
    chance = random.Random(7)
    for _ in range(60):
        commands = tuple(
            make_command(
                number, chance.choice("ab"), chance.choice((1, 2, 3)), chance.choice(("x;", " x", "y"))
            )
            for number in range(12)
        )
        replay = Replay(ddl_commands=commands)
        for table in "ab":
            for query in ("x", "y;", "z"):
                statement, relation = make_statement(1, table, query), StoredRelation("public", table)
                assert find_table_change(replay, statement, relation) == search(replay, query, table)


def search(replay: Replay, query: str, name: str) -> TableChange:
    """What `find_table_change` has to find, in the plainest way."""
    commands = replay.commands_on_named("public", name)
    own = [
        position
        for position, command in enumerate(commands)
        if command.step == 1 and normalize_query(command.query) == normalize_query(query)
    ]
    if not own:
        return TableChange()
    after = commands[own[-1]]
    before = [command for command in commands[: own[0]] if command.oid == after.oid]
    return TableChange(before[-1] if before else None, after)
