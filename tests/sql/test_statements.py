from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.sql.lexer import Syntax
from migration_gate.sql.statements import MAX_TEXT, split_statements


def first_words_and_lines(text: str, syntax: Syntax = Syntax.FILE) -> list[tuple[str, int]]:
    return [(statement.tokens[0].text, statement.line) for statement in split_statements(text, syntax)]


def statement_texts(text: str, syntax: Syntax = Syntax.FILE) -> list[str]:
    return [statement.text for statement in split_statements(text, syntax)]


@pytest.mark.parametrize("syntax", Syntax)
def test_semicolons_inside_strings_comments_and_bodies_end_nothing(syntax: Syntax) -> None:
    text = """
    -- one; two
    /* a /* nested; */ DROP TABLE no; */
    INSERT INTO a VALUES (';''', E'it\\'s;', "x;");
    CREATE FUNCTION f() RETURNS int AS $body$ SELECT 1; SELECT ';' $body$ LANGUAGE sql;
    CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
    SELECT 1
    """
    assert first_words_and_lines(text, syntax) == [("INSERT", 4), ("CREATE", 5), ("CREATE", 6), ("SELECT", 7)]


def test_empty_statements_are_left_out() -> None:
    assert statement_texts(" ;; -- nothing\n ; SELECT 1 ;; ") == ["SELECT 1 "]


def test_begin_outside_of_a_routine_is_a_statement_of_its_own() -> None:
    assert statement_texts("BEGIN; SELECT 1; END;") == ["BEGIN", "SELECT 1", "END"]


def test_commands_of_psql_and_copied_rows_are_not_statements() -> None:
    text = "\\connect db\n\\i other.sql\n"
    text += "COPY a (b) FROM stdin;\n1\t; it's DROP TABLE x;\n\\.\nSELECT 1 \\gexec\nSELECT 2;"
    assert first_words_and_lines(text) == [("COPY", 3), ("SELECT", 6), ("SELECT", 7)]


def test_copy_from_stdin_without_an_end_takes_the_rest_of_the_file() -> None:
    assert first_words_and_lines("COPY a FROM stdin;\n1\nDROP TABLE x;") == [("COPY", 1)]


def test_a_mysql_delimiter_is_in_force_until_the_next_one() -> None:
    text = "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;\nDROP TABLE `a`;"
    assert statement_texts(text) == ["CREATE PROCEDURE p() BEGIN SELECT 1; END", "DROP TABLE `a`"]


def test_go_on_a_line_of_its_own_ends_a_batch_in_files_only() -> None:
    text = "SELECT 1\nGO\nSELECT go FROM x\nGO"
    assert statement_texts(text) == ["SELECT 1\n", "SELECT go FROM x\n"]
    assert statement_texts(text, Syntax.POSTGRES) == [text]


def test_a_long_statement_is_kept_in_part() -> None:
    rows = ", ".join(["(1, 'x')"] * 10_000)
    insert, query = split_statements(f"INSERT INTO a VALUES {rows}; SELECT 1")
    assert len(insert.text) == MAX_TEXT
    assert query.text == "SELECT 1"


@given(
    st.text(alphabet=st.sampled_from(list("'\"$;-/*{}%#\\`\n ab(),.E")) | st.characters(), max_size=200),
    st.sampled_from(Syntax),
)
def test_every_text_can_be_split(text: str, syntax: Syntax) -> None:
    for statement in split_statements(text, syntax):
        assert text[statement.tokens[0].start :].startswith(statement.text)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["insert into a values (1);\n", "create begin ", "\\g\n", "copy stdin;\n"])
def test_a_long_row_of_short_statements_is_split(piece: str) -> None:
    assert statement_texts(piece * (300_000 // len(piece)) + "\\.\nselect 1")
