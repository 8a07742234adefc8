"""Edits are exact: the text that results has the very syntax tree that was meant, and nothing else moves."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from migration_gate.edits.suggested_edits import MAX_EDITS, EditMaker
from migration_gate.facts import (
    COLUMN_FUNCTIONS,
    FOREIGN_KEY_FUNCTIONS,
    AddImports,
    Correction,
    Location,
    SetKeyword,
    SetTypeArguments,
    SetVariable,
    SourceEdit,
)

FILE = "app/models.py"


def make_edit(text: str, correction: Correction) -> SourceEdit | None:
    """The edit of a file that is dedented first."""
    return next(EditMaker({FILE: dedent(text)}).make_edits([correction]), None)


def change(text: str, correction: Correction) -> str | None:
    """The lines that replace others, joined; None if there is no edit."""
    edit = make_edit(text, correction)
    if edit is None:
        return None
    lines = dedent(text).split("\n")
    assert tuple(lines[edit.first_line - 1 : edit.last_line]) == edit.old_lines
    lines[edit.first_line - 1 : edit.last_line] = edit.new_lines
    ast.parse("\n".join(lines))
    return "\n".join(edit.new_lines)


def not_null(line: int, last_line: int | None = None, column: str = "email") -> SetKeyword:
    return SetKeyword(Location(FILE, line, last_line), COLUMN_FUNCTIONS, "nullable", "False", column)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("email = Column(String)", "email = Column(String, nullable=False)"),
        ("email = Column(String, nullable=True)", "email = Column(String, nullable=False)"),
        ("email = sa.Column(String,)", "email = sa.Column(String, nullable=False,)"),
        ("email = Column()", "email = Column(nullable=False)"),
        (
            "email: Mapped[str] = mapped_column(String(9), unique=True)",
            "email: Mapped[str] = mapped_column(String(9), unique=True, nullable=False)",
        ),
        ('Column("email", A), Column("b", A)', 'Column("email", A, nullable=False), Column("b", A)'),
        ('x = db.Column("email", Text)', 'x = db.Column("email", Text, nullable=False)'),
        ('x = Column(Text, name="email")', 'x = Column(Text, name="email", nullable=False)'),
        ('e = "é😀"; sa.Column("email")', 'e = "é😀"; sa.Column("email", nullable=False)'),
        ("email = deferred(Column(Text))", "email = deferred(Column(Text, nullable=False))"),
        ("email: str = Field(default=None)", "email: str = Field(default=None, nullable=False)"),
        ("email = Column(String, nullable=False)", None),  # it is so already
        ("name = Column(String)", None),
        ('email = Column("mail", String)', None),
        ("email = Column(NAME, String)", "email = Column(NAME, String, nullable=False)"),
        ("email = Column(String, **options)", None),
        ("email = other(String)", None),
        ("email: Mapped[str]", None),
        ('Column("email"); Column("email")', None),
    ],
)  # fmt: skip
def test_a_keyword_is_set_on_the_column_of_that_name(line: str, expected: str | None) -> None:
    text = f"class User(Base):\n    {line}\n"
    changed = change(text, not_null(2))
    assert changed == (None if expected is None else f"    {expected}")


def test_an_argument_gets_a_line_of_its_own_where_the_others_have_one() -> None:
    text = """\
    class User(Base):
        email = Column(
            String,
            ForeignKey("a.b"),
        )
    """
    edit = make_edit(text, not_null(2, 5))
    assert edit == SourceEdit(
        FILE, 4, ('        ForeignKey("a.b"),',), ('        ForeignKey("a.b"),', "        nullable=False,")
    )


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("String\n    )", "        String,\n        nullable=False"),
        ("String,  # why\n    )", "        String, nullable=False,  # why"),
        ("String)", "        String, nullable=False)"),
        ('String(\n            9,\n        ),\n    )', "        ),\n        nullable=False,"),
    ],
)  # fmt: skip
def test_comments_and_brackets_stay_where_they_are(end: str, expected: str) -> None:
    assert change(f"class User(Base):\n    email = Column(\n        {end}\n", not_null(2, 9)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('op.alter_column("u", "email", nullable=True)', 'op.alter_column("u", "email", nullable=False)'),
        ('batch_op.alter_column("email", nullable=True)', 'batch_op.alter_column("email", nullable=False)'),
        ('op.alter_column("email", "other", nullable=True)', None),
        ('op.alter_column("u", "email", True)', None),
        ('op.alter_column(*names, "email")', None),
    ],
)  # fmt: skip
def test_the_column_of_an_operation_is_its_second_name(text: str, expected: str | None) -> None:
    correction = SetKeyword(Location(FILE, 1), ("Column", "alter_column"), "nullable", "False", "email")
    assert change(text, correction) == expected


@pytest.mark.parametrize(
    ("head", "column", "expected"),
    [
        ("import sqlalchemy as sa", "Column", "sa.func.now()"),
        ("import sqlalchemy", "Column", "sqlalchemy.func.now()"),
        ("from sqlalchemy import Column, func", "Column", "func.now()"),
        ("from sqlalchemy import func as f", "mapped_column", "f.now()"),
        ("from app import db", "db.Column", "db.func.now()"),
        ("from app import db", "db.mapped_column", "db.func.now()"),
        ("from sqlalchemy.sql import func", "Column", "func.now()"),
        ("from sqlalchemy.sql.expression import func", "Column", "func.now()"),
        ("from sqlalchemy import orm", "orm.mapped_column", None),
        ("import sqlalchemy.orm as so", "so.mapped_column", None),
        ("from sqlalchemy import Column", "Column", None),
        ("from other import func", "Column", None),
    ],
)
def test_a_call_is_written_by_the_names_that_the_file_has(
    head: str, column: str, expected: str | None
) -> None:
    text = f'{head}\nclass User(Base):\n    made = {column}(DateTime, server_default="now()")\n'
    functions = ("Column", "mapped_column")
    correction = SetKeyword(Location(FILE, 3), functions, "server_default", "sa.func.now()", "made")
    line = f"    made = {column}(DateTime, server_default={expected})"
    assert change(text, correction) == (line if expected else None)


@pytest.mark.parametrize(
    ("head", "annotation", "expected"),
    [
        ("from sqlalchemy.orm import Mapped, mapped_column", "Mapped[str | None]", "mapped_column"),
        ("from sqlalchemy.orm import Mapped, mapped_column as m", "Mapped[str]", "m"),
        ("from sqlalchemy import orm", "orm.Mapped[str]", "orm.mapped_column"),
        ("from sqlalchemy.orm import Mapped", "Mapped[str]", None),
        ("from sqlalchemy.orm import mapped_column", "str", None),
    ],
)
def test_an_annotation_alone_gets_a_call(head: str, annotation: str, expected: str | None) -> None:
    text = f"{head}\nclass User(Base):\n    email: {annotation}  # why\n"
    line = f"    email: {annotation} = {expected}(nullable=False)  # why"
    assert change(text, not_null(3)) == (line if expected else None)


@pytest.mark.parametrize(
    ("head", "expected"), [("from sqlalchemy import func", "func.now()"), ("from app import stamp", None)]
)
def test_the_call_of_an_annotation_is_written_by_the_names_of_the_file(
    head: str, expected: str | None
) -> None:
    imports = f"{head}\nfrom sqlalchemy.orm import Mapped, mapped_column"
    text = f"{imports}\nclass User(Base):\n    at: Mapped[stamp]\n"
    correction = SetKeyword(Location(FILE, 4), ("mapped_column",), "server_default", "sa.func.now()", "at")
    line = f"    at: Mapped[stamp] = mapped_column(server_default={expected})"
    assert change(text, correction) == (line if expected else None)


def test_a_foreign_key_is_edited_alone() -> None:
    correction = SetKeyword(Location(FILE, 2), FOREIGN_KEY_FUNCTIONS, "ondelete", '"CASCADE"')
    text = 'class Note(Base):\n    owner_id = Column(ForeignKey("users.id", name="k"), index=True)\n'
    expected = '    owner_id = Column(ForeignKey("users.id", name="k", ondelete="CASCADE"), index=True)'
    assert change(text, correction) == expected
    two = 'class Note(Base):\n    a = Column(ForeignKey("a.id")), Column(ForeignKey("b.id"))\n'
    assert change(two, correction) is None


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('ForeignKey("a.id", None, False, "k")', 'ForeignKey("a.id", None, False, "k", ondelete="SET NULL")'),
        (
            'ForeignKey("a.id", None, False, "k", None, "CASCADE")',
            'ForeignKey("a.id", None, False, "k", None, "SET NULL")',
        ),
        (
            'ForeignKeyConstraint(["a"], ["b.id"], "k", None, RULE, True)',
            'ForeignKeyConstraint(["a"], ["b.id"], "k", None, "SET NULL", True)',
        ),
        (
            'op.create_foreign_key("k", "a", "b", ["x"], ["id"], None, "CASCADE")',
            'op.create_foreign_key("k", "a", "b", ["x"], ["id"], None, "SET NULL")',
        ),
        ('ForeignKey("a.id", *rest)', None),
        ('ForeignKey("a.id", None, False, *rest, "k", "CASCADE")', None),
        ('ForeignKey(*rest, ondelete="CASCADE")', 'ForeignKey(*rest, ondelete="SET NULL")'),
        ('ForeignKey("a.id", **rest)', None),
        ('ForeignKey("a.id", ondelete="CASCADE", **rest)', 'ForeignKey("a.id", ondelete="SET NULL", **rest)'),
    ],
)
def test_what_a_call_gives_without_its_name_is_not_given_twice(call: str, expected: str | None) -> None:
    correction = SetKeyword(Location(FILE, 1), FOREIGN_KEY_FUNCTIONS, "ondelete", '"SET NULL"')
    assert change(f"{call}\n", correction) == expected


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("String(200)", "String(250)"),
        ("String(length=200)", "String(250)"),
        ("sa.String", "sa.String(250)"),
        ("sa.VARCHAR()", "sa.VARCHAR(250)"),
        ("String(200, collation='C')", None),
        ("String(LENGTH)", None),
        ("Text", None),
        ("String(200), String(1)", None),
    ],
)
def test_a_type_gets_its_length(type_: str, expected: str | None) -> None:
    correction = SetTypeArguments(Location(FILE, 2), "email", ("String", "VARCHAR"), (250,))
    changed = change(f"class User(Base):\n    email = Column({type_}, unique=True)\n", correction)
    assert changed == (f"    email = Column({expected}, unique=True)" if expected else None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("down_revision = 'a1'", "down_revision = 'b2'"),
        ('down_revision: Union[str, None] = "a1"  # why', 'down_revision: Union[str, None] = "b2"  # why'),
        ('down_revision = ("a1", "c3")', None),
        ('down_revision = "c3"', None),
        ("down_revision = PARENT", None),
        ('down_revision = "a1"; other = 1', None),
        ('other = 1; down_revision = "a1"', None),
        ('other = [\n]; down_revision = "a1"', None),
        ('down_revision = "a1"\ndown_revision = "a1"', None),
        ('if True:\n    down_revision = "a1"', None),
    ],
)
def test_a_variable_gets_another_string(line: str, expected: str | None) -> None:
    assert change(f"{line}\n", SetVariable(FILE, "down_revision", "a1", "b2")) == expected


ENV_PY = """\
import sys
from alembic import context

sys.path.append(".")
from app.db import (
    Base,
)  # noqa: E402

target_metadata = Base.metadata
from logging.config import fileConfig
"""


def test_imports_are_added_below_the_last_one_above_target_metadata() -> None:
    edit = make_edit(ENV_PY, AddImports(FILE, ("app.models", "app.other")))
    assert edit == SourceEdit(
        FILE,
        7,
        (")  # noqa: E402",),
        (")  # noqa: E402", "import app.models  # noqa: F401", "import app.other  # noqa: F401"),
    )


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("target_metadata = None\n", "app.models"),
        ("from app.main import app\n", "app.models"),
        ("import other as app\n", "app.models"),
        ("import a\napp = a.make()\n", "app.models"),
        ("import a; a.run()\n", "app.models"),
        ("import a\n", "app.class.models"),
        ("import a\n", "2024.models"),
        ("try:\n    import a\nexcept ImportError:\n    a = None\n", "app.models"),
    ],
)
def test_no_import_is_offered_where_it_could_break_something(text: str, module: str) -> None:
    assert change(text, AddImports(FILE, (module,))) is None


@pytest.mark.parametrize(
    "text",
    [
        "class User(Base:\n",
        "\0",
        "x = 1\n",
        'class User(Base):\n    email = Column("email", comment="\ufffd")\n',
        'class User(Base):\n    email = Column("email", comment="\u202e")\n',
        'class User(Base):\n    email = Column("email", comment="\x1b")\n',
        f'class User(Base):\n    email = Column("email", comment="{"x" * 600}")\n',
        f"x = {'(' * 300}1{')' * 300}\n",
    ],
)
def test_no_edit_is_offered_of_what_is_no_python_or_cannot_be_shown(text: str) -> None:
    assert make_edit(text, not_null(2)) is None


def test_no_edit_is_offered_of_an_unknown_file_or_one_outside_of_the_repository() -> None:
    text = "class User(Base):\n    email = Column(String)\n"
    outside = SetKeyword(Location("/usr/lib/a.py", 2), COLUMN_FUNCTIONS, "nullable", "False", "email")
    assert list(EditMaker({"other.py": text, "/usr/lib/a.py": text}).make_edits([not_null(2), outside])) == []
    assert len(list(EditMaker({FILE: text}).make_edits([not_null(2)]))) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_python_whatever_ends_them(end: str) -> None:
    text = end.join(("# \x0c \x1c \u2028", "class User(Base):", "    email = Column(String)", ""))
    (edit,) = EditMaker({FILE: text}).make_edits([not_null(3)])
    assert edit == SourceEdit(
        FILE, 3, ("    email = Column(String)",), ("    email = Column(String, nullable=False)",)
    )


@pytest.mark.slow
def test_a_run_has_a_limited_number_of_edits() -> None:
    names = [f"c{number}" for number in range(MAX_EDITS + 9)]
    text = "\n".join(("class User(Base):", *(f"    {name} = Column(String)" for name in names)))
    corrections = [not_null(number, column=name) for number, name in enumerate(names, 2)]
    assert len(list(EditMaker({FILE: text}).make_edits(corrections))) == MAX_EDITS


def test_a_decorated_class_and_what_stands_around_it_stay_as_they_are() -> None:
    text = "import a\n@mapper(\n    Column(1))\nclass User(Base):\n    email = Column(String)\nx = 1\n"
    assert change(text, not_null(5)) == "    email = Column(String, nullable=False)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("try:\n    x = 1\nexcept E: email = Column(A)\n", "except E: email = Column(A, nullable=False)"),
        (
            "if A:\n    pass\nelse: email = Column(A)  # why\n",
            "else: email = Column(A, nullable=False)  # why",
        ),
        ("if A:\n    x = 1;\\\n    email = Column(A)\n", "    email = Column(A, nullable=False)"),
        ("match A:\n    case 1:\n        email = Column(A)\n", "        email = Column(A, nullable=False)"),
        ("async def f():\n    email = Column(await A)\n", "    email = Column(await A, nullable=False)"),
    ],
)
def test_the_statement_may_stand_in_any_block(text: str, expected: str) -> None:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    changed = change(f"class User(Base):\n    pass\n{lines}", not_null(3, 9, column=""))
    assert changed == f"    {expected}"


def test_a_long_file_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    parse = ast.parse

    def count(source: str, *arguments: str, **options: str) -> ast.AST:
        lengths.append(len(source))
        return parse(source, *arguments, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(ast, "parse", count)
    text = "\n".join(("class User(Base):", *(f"    c{number} = Column(String)" for number in range(30))))
    corrections = [not_null(number + 2, column=f"c{number}") for number in range(30)]
    assert len(list(EditMaker({FILE: text}).make_edits(corrections))) == 30
    assert lengths.pop(0) == len(text)
    assert max(lengths) < 80


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('op.drop_constraint(None, "note")', 'op.drop_constraint("note_key", "note")'),
        ('op.drop_constraint(op.f(None), "note")', 'op.drop_constraint("note_key", "note")'),
        (
            'op.drop_constraint(constraint_name=None, table_name="note")',
            'op.drop_constraint(constraint_name="note_key", table_name="note")',
        ),
        ('batch.drop_constraint(None, type_="unique")', 'batch.drop_constraint("note_key", type_="unique")'),
        ("op.drop_constraint(*arguments)", None),
    ],
)
def test_a_constraint_gets_its_name_where_none_stands(line: str, expected: str | None) -> None:
    name = SetKeyword(Location(FILE, 1), ("drop_constraint",), "constraint_name", '"note_key"')
    assert change(line, name) == expected
