from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration_gate.sql.lexer import Lexer, Syntax, TokenKind, remove_comments, tokenize

HOSTILE_TEXTS = st.text(
    alphabet=st.sampled_from(list("'\"$;-/*{}%#\\`\n ab(),.E+=1:")) | st.characters(), max_size=200
)


def kinds_and_texts(text: str, syntax: Syntax = Syntax.POSTGRES) -> list[tuple[str, str]]:
    return [(token.kind.value, token.text) for token in tokenize(text, syntax)]


def texts(text: str, syntax: Syntax = Syntax.POSTGRES) -> list[str]:
    return [token.text for token in tokenize(text, syntax)]


@pytest.mark.parametrize(
    "text",
    [
        "'it''s'",
        r"E'it\'s; x'",
        r"e'two '' ways\\'",
        r"'c:\'",
        "B'01'",
        "X'1F'",
        "N'x'",
        r"U&'d\0061t'",
        "$$it's; -- a body$$",
        "$body$ $$ nested $$ $a$ $body$",
        "'two\nlines'",
    ],
)
def test_a_string_is_one_token(text: str) -> None:
    assert kinds_and_texts(f"{text}, x") == [("string", text), ("punctuation", ","), ("word", "x")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Users", "users"),
        ("naïve", "naïve"),
        ("a$b", "a$b"),
        ('"Users"', "Users"),
        ('"a""b"', 'a"b'),
        ('U&"d"', "d"),
        ("'text'", ""),
        ("12", ""),
    ],
)
def test_a_name_is_folded_or_without_its_quotes(text: str, name: str) -> None:
    assert [token.name for token in tokenize(text)] == [name]


def test_only_a_word_without_quotes_is_a_keyword() -> None:
    assert [token.keyword for token in tokenize("select \"select\" 'select'")] == ["SELECT", "", ""]


@pytest.mark.parametrize(
    "text",
    ["-- one; two", "/* a /* nested; */ 'b' */", "/* $$ */", "/**/", "/* never closed; '"],
)
def test_a_comment_is_one_token_that_tokenize_leaves_out(text: str) -> None:
    tokens = list(Lexer(f"a {text}\n"))
    assert [token.kind for token in tokens] == [TokenKind.WORD, TokenKind.COMMENT]
    assert tokens[1].text.strip() == text
    assert texts(f"a {text}\n") == ["a"]


def test_a_comment_is_not_looked_for_in_a_string() -> None:
    assert texts("'-- x' /* ' */ '/* y */'") == ["'-- x'", "'/* y */'"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a=-1", ["a", "=", "-", "1"]),
        ("a <@ b", ["a", "<@", "b"]),
        ("a @- b", ["a", "@-", "b"]),
        ("a->>'b'", ["a", "->>", "'b'"]),
        ("a+--comment\nb", ["a", "+", "b"]),
        ("a*/*comment*/b", ["a", "*", "b"]),
        ("a::text[]", ["a", "::", "text", "[", "]"]),
        ("f(a := 1)", ["f", "(", "a", ":=", "1", ")"]),
        ("s.t.*", ["s", ".", "t", ".", "*"]),
        ("a%b", ["a", "%", "b"]),
    ],
)
def test_operators_are_split_as_postgres_splits_them(text: str, tokens: list[str]) -> None:
    assert texts(text) == tokens


@pytest.mark.parametrize("text", ["1", "1.5", ".5", "1.", "1e3", "1.5e-3", "1_000", "0x1F", "0b01", "0o17"])
def test_a_number_is_one_token(text: str) -> None:
    assert kinds_and_texts(text) == [("number", text)]


def test_a_range_of_two_numbers_has_two() -> None:
    assert texts("1..10") == ["1", "..", "10"]


def test_a_parameter_is_not_a_dollar_quote() -> None:
    assert kinds_and_texts("$1 $2") == [("parameter", "$1"), ("parameter", "$2")]


@pytest.mark.parametrize("opener", ["'", '"', "$$", "$a$", "E'"])
def test_an_unclosed_quote_does_not_hide_what_follows(opener: str) -> None:
    assert "drop" in texts(f"select {opener} drop table a")


def test_template_tags_and_placeholders_are_read_in_files_only() -> None:
    text = "{% if x %}ALTER TABLE {{ schema }}.${name} {a} %(b)s{# no ; #}"
    assert kinds_and_texts(text, Syntax.FILE) == [
        ("word", "ALTER"),
        ("word", "TABLE"),
        ("placeholder", "{{ schema }}"),
        ("punctuation", "."),
        ("placeholder", "${name}"),
        ("placeholder", "{a}"),
        ("placeholder", "%(b)s"),
    ]
    assert texts("a %(b)") == ["a", "%", "(", "b", ")"]


def test_back_quotes_are_names_in_files_and_an_operator_in_postgres() -> None:
    assert kinds_and_texts("`a b`", Syntax.FILE) == [("quoted_name", "`a b`")]
    assert kinds_and_texts("` a")[0] == ("operator", "`")


def test_a_backslash_escapes_in_a_mysql_dump_only() -> None:
    assert texts(r"'it\'s' x", Syntax.MYSQL_DUMP) == [r"'it\'s'", "x"]
    assert texts(r"'it\' x", Syntax.FILE) == [r"'it\'", "x"]


def test_a_reader_can_jump_over_what_is_not_sql() -> None:
    lexer = Lexer("a SKIP 'it b")
    words = []
    for token in lexer:
        words.append(token.text)
        if token.text == "SKIP":
            lexer.position = len("a SKIP 'it ")
    assert words == ["a", "SKIP", "b"]


def test_each_removed_comment_leaves_a_blank() -> None:
    assert remove_comments("a/* x /* y */ */b -- c\nd '--e'") == "a b  \nd '--e'"


@given(HOSTILE_TEXTS, st.sampled_from(Syntax))
def test_tokens_are_the_text_without_its_white_space(text: str, syntax: Syntax) -> None:
    end = 0
    for token in Lexer(text, syntax):
        assert not text[end : token.start].strip()
        assert text[token.start : token.end] == token.text != ""
        end = token.end
    assert not text[end:].strip()


@pytest.mark.parametrize(
    "piece",
    ["{%", "$a$b", "/*", "'", "(", "$$", '"', "\\", "+", "=", "{", "{{", "E'\\", "`", "$", "--", "a$"],
)
def test_a_long_row_of_openers_is_read(piece: str) -> None:
    """Would take minutes if the end of each opener were searched in the whole text."""
    assert any(True for _ in Lexer(piece * (300_000 // len(piece)), Syntax.FILE))


def test_a_long_row_of_different_dollar_quotes_is_read() -> None:
    text = "".join(f"$a{number}$ " for number in range(40_000))
    assert sum(1 for _ in tokenize(text)) > 40_000
