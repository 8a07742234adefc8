"""All corrections of one file are made, whatever lines they share, and every other byte stays."""

from __future__ import annotations

from migration_gate.edits.corrected_file import correct_file
from migration_gate.facts import (
    COLUMN_FUNCTIONS,
    FOREIGN_KEY_FUNCTIONS,
    AddImports,
    Correction,
    Location,
    SetKeyword,
    SetVariable,
)

FILE = "app/models.py"
MODEL = (
    b"import sqlalchemy as sa\r\n\r\nclass Note(Base):\r\n    a = sa.Column(sa.Integer)\r\n"
    b"    owner_id = sa.Column(sa.ForeignKey('users.id'))\r\n    # \xff\r\n"
)
REVISION = '"""note\n\nRevises: a1\n"""\n\nrevision = "n1"\ndown_revision = "a1"\n'


def correct(content: bytes, *corrections: Correction) -> bytes:
    return correct_file(FILE, content, corrections).after


def set_on_line(line: int, keyword: str, value: str, column: str) -> SetKeyword:
    return SetKeyword(Location(FILE, line), COLUMN_FUNCTIONS, keyword, value, column)


def test_several_corrections_of_one_line_are_all_made() -> None:
    after = correct(
        MODEL,
        set_on_line(4, "nullable", "False", "a"),
        set_on_line(5, "nullable", "False", "owner_id"),
        SetKeyword(Location(FILE, 5), FOREIGN_KEY_FUNCTIONS, "ondelete", '"CASCADE"'),
        set_on_line(5, "index", "True", "owner_id"),
        set_on_line(5, "index", "True", "owner_id"),
    )
    assert after == MODEL.replace(b"sa.Integer)", b"sa.Integer, nullable=False)").replace(
        b"'users.id'))", b"'users.id', ondelete=\"CASCADE\"), nullable=False, index=True)"
    )


def test_imports_above_do_not_move_the_lines_of_other_corrections() -> None:
    text = b"import a\ntarget_metadata = 1\nclass A: x = Column(B)\n"
    after = correct(text, AddImports(FILE, ("b", "c")), set_on_line(3, "nullable", "False", "x"))
    assert after.decode().splitlines() == [
        "import a", "import b  # noqa: F401", "import c  # noqa: F401", "target_metadata = 1",
        "class A: x = Column(B, nullable=False)",
    ]  # fmt: skip


def test_the_docstring_of_a_revision_follows_its_parent() -> None:
    correction = SetVariable(FILE, "down_revision", "a1", "b2")
    assert correct(REVISION.encode(), correction) == REVISION.replace("a1", "b2").encode()
    marked = ("\ufeff" + REVISION.replace("\n", "\r\n")).encode()
    assert correct(marked, correction) == marked.replace(b"a1", b"b2")
    tuples = REVISION.replace('"a1"', '("a1", "c3")').encode()
    assert correct(tuples, correction) == tuples  # such a variable is left as it is


def test_a_mark_at_the_begin_of_a_file_is_no_part_of_its_first_line() -> None:
    text = "\ufeffdown_revision = 'a1'\n".encode()
    assert correct(text, SetVariable(FILE, "down_revision", "a1", "b2")) == text.replace(b"a1", b"b2")
