"""The parent of a revision is replaced where it stands, and no other byte changes."""

from __future__ import annotations

import pytest

from migration_gate.edits.revision_header import NotEditable, put_on_top

HEAD = '"""pin\n\nRevision ID: c3c3c3\nRevises: {line}\nCreate Date: 2026-01-01\n\n"""\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('down_revision = "a1a1a1"', 'down_revision = "b2b2b2"'),
        ("down_revision='a1a1a1'  # a1a1a1", "down_revision='b2b2b2'  # a1a1a1"),
        (
            "down_revision: Union[str, Sequence[str], None] = 'a1a1a1'",
            "down_revision: Union[str, Sequence[str], None] = 'b2b2b2'",
        ),
        ('down_revision = ("a1a1a1",)', 'down_revision = ("b2b2b2",)'),
        (
            'down_revision = (\n    "d4d4d4",\n    "a1a1a1",\n)',
            'down_revision = (\n    "d4d4d4",\n    "b2b2b2",\n)',
        ),
        ("down_revision = ['a1a1a1']", "down_revision = ['b2b2b2']"),
        ('down_revision = """a1a1a1"""', 'down_revision = """b2b2b2"""'),
        ('down_revision = ("a1a1" "a1")', 'down_revision = ("b2b2b2")'),
        ('revision = "c3"; down_revision = "a1a1a1"', 'revision = "c3"; down_revision = "b2b2b2"'),
        ('down_revision = "a1a1"', 'down_revision = "b2b2b2"'),
    ],
)
def test_the_parent_is_replaced_in_whatever_form_it_has(before: str, after: str) -> None:
    text = put_on_top((before + "\r\nx = 1").encode(), "a1a1a1", "b2b2b2")
    assert text == (after + "\r\nx = 1").encode()


@pytest.mark.parametrize(
    ("line", "new_line"),
    [
        ("a1a1a1", "b2b2b2"),
        ("d4d4d4, a1a1a1", "d4d4d4, b2b2b2"),
        ("", ""),
        ("something else", "something else"),
    ],
)
def test_the_line_of_the_docstring_follows(line: str, new_line: str) -> None:
    code = 'down_revision = "{}"\n# Revises: a1a1a1\n'
    before = HEAD.format(line=line) + code.format("a1a1a1")
    after = HEAD.format(line=new_line) + code.format("b2b2b2")
    assert put_on_top(before.encode(), "a1a1a1", "b2b2b2").decode() == after


def test_encodings_line_ends_and_marks_stay_as_they_are() -> None:
    for data in (
        b'\xef\xbb\xbfdown_revision = "a1a1a1"\r\n',
        b'# coding: latin-1\n"""caf\xe9"""\rdown_revision = "a1a1a1"',
        'x = "\u2028 é"; down_revision = "a1a1a1"\n\f\n'.encode(),
    ):
        assert put_on_top(data, "a1a1a1", "b2b2b2") == data.replace(b"a1a1a1", b"b2b2b2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("down_revision = PARENT", "does not name"),
        ("down_revision = None", "does not name"),
        ('down_revision = f"a1a1a{1}"', "does not name"),
        ("revision = 1", "assigned 0 times"),
        ('down_revision = "a1a1a1"\ndown_revision = "a1a1a1"', "assigned 2 times"),
        ("down_revision = ", "no valid Python"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(NotEditable, match=reason):
        put_on_top(text.encode(), "a1a1a1", "b2b2b2")


def test_an_encoding_that_lies_is_refused() -> None:
    with pytest.raises(NotEditable):
        put_on_top(b'# coding: ascii\n"\xff"\ndown_revision = "a1a1a1"', "a1a1a1", "b2b2b2")
