"""Commands in the server's log are tied to the statements of their step by text and order."""

from __future__ import annotations

from migration_gate.facts import CursorStatement, DdlCommand, Step
from migration_gate.replay.statement_lines import add_statement_lines
from tests.support.fact_builders import make_statement

ADD = "ALTER TABLE users ADD x int"
DROP = "ALTER TABLE users DROP x"


def find_lines(queries: list[str], *statements: tuple[str, int | None], failed: str = "") -> list[int | None]:
    """The line of each query; a query that begins with `+` is one more command of the one before."""
    commands = []
    number = 0
    for query in queries:
        number += not query.startswith("+")
        commands.append(DdlCommand(1, "", "", "x", query=query.lstrip("+"), query_number=number))
    recorded = tuple(
        make_statement(sql, line=line, error="no" if sql == failed else "") for sql, line in statements
    )
    return [command.line for command in add_statement_lines(commands, [Step(1, "a1", 0.0, recorded)])]


def test_the_same_text_belongs_to_its_statements_in_their_order() -> None:
    statements = ((ADD, 5), ("SELECT 1", 6), (DROP, 7), (ADD, 8))
    assert find_lines([ADD, f"+{ADD}", DROP, ADD, f"+{ADD}"], *statements) == [5, 5, 7, 8, 8]


def test_a_statement_that_failed_made_nothing() -> None:
    assert find_lines([DROP], (ADD, 5), (DROP, 7), failed=ADD) == [7]
    assert find_lines([ADD], (ADD, 5), failed=ADD) == [None]


def test_what_the_driver_changes_in_a_text_makes_no_difference() -> None:
    assert find_lines(["SELECT  'a%'\n"], ("SELECT 'a%%';", 5)) == [5]
    assert find_lines(["SELECT f('x')"], ("SELECT f(%(name)s)", 5)) == [5]
    assert find_lines(["SELECT f('x')"], ("SELECT f($1)", 5)) == [5]
    assert find_lines(["SELECT g('x')"], ("SELECT f($1)", 5)) == [None]


def test_values_and_the_text_around_them_are_told_apart() -> None:
    assert find_lines(["SELECT f(1, 2)"], ("SELECT f(%s)", 5)) == [5]
    assert find_lines(["SELECT ab ab"], ("SELECT %sb%sb", 5)) == [5]
    assert find_lines(["SELECT 1"], ("SELECT %s%s", 5)) == [None]
    assert find_lines(["SELECT ()"], ("SELECT (%s)", 5)) == [None]
    assert find_lines(["SELECT (1)"], ("SELECT (%s) (1)", 5)) == [None]


def test_a_statement_with_many_parameters_is_compared_at_once() -> None:
    statement = f"INSERT INTO t VALUES ({', '.join(['%s'] * 40)}) RETURNING x"
    values = ", ".join(["1"] * 100)
    assert find_lines([f"INSERT INTO t VALUES ({values})"], (statement, 5)) == [None]
    assert find_lines([f"INSERT INTO t VALUES ({values}) RETURNING x"], (statement, 5)) == [5]


def test_a_long_text_is_compared_as_far_as_it_was_recorded() -> None:
    long = ADD + " -- " + "x" * 9000
    assert find_lines([long[:4000]], (long, 5)) == [5]


def test_a_statement_that_was_not_recorded_has_no_line() -> None:
    assert find_lines(["DROP TABLE by_another_cursor", ADD], (ADD, 5)) == [None, 5]
    assert find_lines([""], ("", 5)) == [None]


def test_steps_are_not_mixed() -> None:
    commands = [DdlCommand(2, "", "", "x", query=ADD, query_number=1)]
    steps = [
        Step(1, "a1", 0.0, (make_statement(ADD, line=5),)),
        Step(2, "b2", 0.0, (make_statement(ADD, line=9),)),
    ]
    assert add_statement_lines(commands, steps)[0].line == 9


def test_a_command_after_a_rollback_belongs_to_the_step_that_ran_its_statement() -> None:
    commands = [
        DdlCommand(1, "", "", "x", query=ADD, query_number=1),
        DdlCommand(1, "", "", "x", query=DROP, query_number=2),
        DdlCommand(3, "", "", "x", query=ADD, query_number=3),
    ]
    texts = (ADD, DROP, ADD)
    steps = [
        Step(number, f"{number}", 0.0, (make_statement(text, line=number),))
        for number, text in enumerate(texts, 1)
    ]
    assert [command.step for command in add_statement_lines(commands, steps)] == [1, 2, 3]


def test_what_a_drivers_cursor_ran_stands_between_the_other_statements() -> None:
    """The same text twice, once by each; what failed there made nothing."""
    commands = [DdlCommand(1, "", "", "x", query=ADD, query_number=number) for number in (1, 2)]
    commands.append(DdlCommand(1, "", "", "x", query=DROP, query_number=3))
    own = (
        CursorStatement(DROP, 6, 1, has_failed=True),
        CursorStatement(ADD, 7, 1),
        CursorStatement(DROP, 9, 2),
    )
    recorded = (make_statement("SELECT 1", line=5), make_statement(ADD, line=8))
    located = add_statement_lines(commands, [Step(1, "a1", 0.0, recorded, cursor_statements=own)])
    assert [command.line for command in located] == [7, 8, 9]
