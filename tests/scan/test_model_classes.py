"""Mapped classes and Tables, read from text: their table, their MetaData, and the line of each part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from migration_gate.facts import ModelDefinition, ModelPartKind
from migration_gate.scan.model_classes import ModelReader, mentions_model
from tests.support.project_files import write_files

BASE = "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase):\n    pass\n"
HEAD = "import re\nimport sqlalchemy as sa\nfrom app.base import Base\n"


def read(folder: Path, files: Mapping[str, str]) -> dict[str, ModelDefinition]:
    """The definitions by class or variable."""
    write_files(folder, files)
    sources = {path: text.encode() for path, text in files.items() if mentions_model(text.encode())}
    definitions = ModelReader(folder, files, str).read(sources).definitions
    return {definition.class_name or definition.variable: definition for definition in definitions}


def read_table(folder: Path, body: str, **files: str) -> str | None:
    """The table of the class `Thing` of app/things.py; None where it has none of its own."""
    others = {f"app/{name}.py": text for name, text in files.items()}
    found = read(folder, {"app/base.py": BASE, "app/things.py": HEAD + body, **others}).get("Thing")
    return found.table if found is not None else None


@pytest.mark.parametrize(
    ("body", "table"),
    [
        ('class Thing(Base):\n    __tablename__ = "things"\n', "things"),
        ('class Thing(Base):\n    __tablename__: str = "things"\n', "things"),
        ('PREFIX = "app"\nclass Thing(Base):\n    __tablename__ = f"{PREFIX}_things"\n', "app_things"),
        ('PREFIX = "app_"\nclass Thing(Base):\n    __tablename__ = PREFIX + "things"\n', "app_things"),
        ('class T:\n    THINGS = "things"\nclass Thing(Base):\n    __tablename__ = T.THINGS\n', "things"),
        ('class Thing(Base):\n    __tablename__ = "{}_x".format("things")\n', "things_x"),
        (
            "class Named:\n    @sa.orm.declared_attr\n    def __tablename__(cls):\n"
            '        return cls.__name__.lower() + "s"\nclass Thing(Named, Base):\n    pass\n',
            "things",
        ),
        (
            "class Named:\n    @declared_attr.directive\n    def __tablename__(cls) -> str:\n"
            '        name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__)\n        return name.lower()\n'
            "class Thing(Named, Base):\n    pass\n",
            "thing",
        ),
        (
            'SNAKE = re.compile("(?<!^)(?=[A-Z])")\nclass Named(Base):\n    __abstract__ = True\n'
            "    @declared_attr\n    def __tablename__(cls):\n"
            '        return SNAKE.sub("_", cls.__name__).lower()\nclass Thing(Named):\n    pass\n',
            "thing",
        ),
        ('class Thing(Base):\n    __abstract__ = True\n    __tablename__ = "things"\n', None),
        ('class Thing:\n    __tablename__ = "things"\n', None),
        ('class Parent(Base):\n    __tablename__ = "parents"\nclass Thing(Parent):\n    kind = 1\n', None),
        (
            'class Parent(Base):\n    __tablename__ = "parents"\n'
            'class Thing(Parent):\n    __tablename__ = "t"\n',
            "t",
        ),
        ("class Thing(Base):\n    __tablename__ = make_name()\n", ""),
        ("class Thing(Base):\n    __tablename__ = None\n", None),
        ('if True:\n    class Thing(Base):\n        __tablename__ = "things"\n', "things"),
        ('class Thing(Thing):\n    __tablename__ = "things"\n', None),
        ('class Thing(Other):\n    __tablename__ = "t"\nclass Other(Thing):\n    pass\n', None),
    ],
)
def test_the_name_of_a_table_is_what_its_class_says(tmp_path: Path, body: str, table: str | None) -> None:
    assert read_table(tmp_path, body) == table


def test_a_name_may_be_a_constant_of_another_module(tmp_path: Path) -> None:
    body = "from . import names\nclass Thing(Base):\n    __tablename__ = names.THINGS\n"
    assert read_table(tmp_path, body, names='THINGS = "things"\n') == "things"


def test_a_pattern_that_could_take_for_ever_is_not_applied(tmp_path: Path) -> None:
    body = 'class Thing(Base):\n    __tablename__ = re.sub("(a+)+$", "", "' + "a" * 100 + 'b")\n'
    assert read_table(tmp_path, body) == ""


def test_sqlmodel_and_flask_sqlalchemy_name_tables_themselves(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "app/db.py": "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n",
            "app/flask_models.py": "from .db import db\n"
            "class HTTPLogEntry(db.Model):\n    id = db.Column(db.Integer, primary_key=True)\n"
            "class Special(HTTPLogEntry):\n    size = db.Column(db.Integer)\n"
            "class Joined(HTTPLogEntry):\n"
            '    id = db.Column(db.ForeignKey("http_log_entry.id"), primary_key=True)\n'
            'tags = db.Table("tags", db.Column("id", db.Integer))\n'
            'class Other(db.Model):\n    __bind_key__ = "logs"\n'
            "    id = db.Column(db.Integer, primary_key=True)\n",
            "app/sql_models.py": "from sqlmodel import Field, SQLModel\n"
            "class HeroBase(SQLModel):\n    name: str = Field(index=True)\n"
            "class HeroTeam(HeroBase, table=True):\n"
            "    id: int | None = Field(default=None, primary_key=True)\n"
            "class HeroPublic(HeroBase):\n    id: int\n",
        },
    )
    assert {name: (item.table, item.metadata) for name, item in found.items()} == {
        "HTTPLogEntry": ("http_log_entry", "app.db:db"),
        "Joined": ("joined", "app.db:db"),
        "tags": ("tags", "app.db:db"),
        "Other": ("other", "app.db:db#logs"),
        "HeroTeam": ("heroteam", "sqlmodel:SQLModel"),
    }
    assert [part.name for part in found["HeroTeam"].parts if part.kind == "column"] == ["id", "name"]


@pytest.mark.parametrize(
    ("base", "metadata"),
    [
        (BASE, "app.base:Base"),
        ("from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n", "app.base:Base"),
        (
            "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\nmeta = MetaData()\n"
            "class Base(DeclarativeBase):\n    metadata = meta\n",
            "app.base:meta",
        ),
        (
            "from sqlalchemy import MetaData\nfrom sqlalchemy.orm import DeclarativeBase\n"
            "class Base(DeclarativeBase):\n    metadata = MetaData()\n",
            "app.base:Base",
        ),
        (
            "from sqlalchemy.orm import registry\nreg = registry()\nBase = reg.generate_base()\n",
            "app.base:reg",
        ),
        (
            "from sqlalchemy.orm import as_declarative\n@as_declarative()\nclass Base:\n    pass\n",
            "app.base:Base",
        ),
        (
            "from sqlalchemy.orm import registry\nfrom sqlalchemy.orm.decl_api import DeclarativeMeta\n"
            "reg = registry()\nclass Base(metaclass=DeclarativeMeta):\n    __abstract__ = True\n"
            "    registry = reg\n    metadata = reg.metadata\n",
            "app.base:reg",
        ),
        ("from app.deep import Base\n", "app.deep:Base"),
        ("from app.deep import *\n", "app.deep:Base"),
        ("try:\n    from .deep import Base\nexcept ImportError:\n    raise\n", "app.deep:Base"),
        ("from platform_models.orm import Base\n", "platform_models.orm:Base"),
    ],
)
def test_classes_and_tables_of_one_metadata_have_one_name_of_it(
    tmp_path: Path, base: str, metadata: str
) -> None:
    found = read(
        tmp_path,
        {
            "app/base.py": base,
            "app/deep.py": BASE,
            "app/__init__.py": "",
            "app/things.py": "from sqlalchemy import Column, Integer, Table\nfrom app import base\n"
            'class Thing(base.Base):\n    __tablename__ = "things"\n'
            'links = Table("links", base.Base.metadata, Column("id", Integer))\n',
        },
    )
    assert [found["Thing"].metadata, found["links"].metadata] == [metadata, metadata]


def test_another_table_of_another_library_is_none(tmp_path: Path) -> None:
    text = 'from rich.table import Table\nt = Table("Name", show, "x")\nu = Table("y", title="z")\n'
    assert read(tmp_path, {"app/report.py": text}) == {}


PARTS = """
class Stamped:
    made_at = sa.Column(sa.DateTime)
    @declared_attr
    def owner_id(cls):
        return sa.Column(sa.ForeignKey("users.id"))

class Thing(Stamped, Base):
    __tablename__ = "things"
    __table_args__ = (
        sa.UniqueConstraint("name", "size", name="uq_things"),
        sa.CheckConstraint(
            "size > 0",
            name="positive",
        ),
        sa.Index("ix_size", "size"),
        sa.ForeignKeyConstraint(["a", "b"], ["o.a", "o.b"]),
        {"schema": "stock"},
    )
    id = sa.Column(sa.Integer, sa.Sequence("thing_ids"), primary_key=True)
    name: Mapped[str] = mapped_column(
        "full_name",
        sa.ForeignKey("names.name", name="fk_name"),
        index=True,
    )
    size: Mapped[int]
    label: Mapped["Label"] = relationship()
    total = column_property(size + 1)
    made = make_column()

sa.Index("ix_late", Thing.size)
"""


def test_each_part_has_its_own_line(tmp_path: Path) -> None:
    text = HEAD + PARTS
    thing = read(tmp_path, {"app/base.py": BASE, "app/things.py": text})["Thing"]
    lines = text.splitlines()

    def find(kind: ModelPartKind, name: str | None, columns: tuple[str, ...] = ()) -> str:
        (part,) = [p for p in thing.parts if (p.kind, p.name, p.columns) == (kind, name, columns)]
        return lines[(part.location.line or 0) - 1].strip()

    assert thing.schema == "stock"
    assert find("column", "full_name") == "name: Mapped[str] = mapped_column("
    assert find("column", "size") == "size: Mapped[int]"
    assert find("column", "made_at") == "made_at = sa.Column(sa.DateTime)"
    assert find("column", "owner_id") == 'return sa.Column(sa.ForeignKey("users.id"))'
    assert find("foreign key", None, ("owner_id",)) == 'return sa.Column(sa.ForeignKey("users.id"))'
    assert find("unique", "uq_things", ("name", "size")).startswith("sa.UniqueConstraint(")
    assert find("check", "positive") == "sa.CheckConstraint("
    assert find("index", "ix_size", ("size",)) == 'sa.Index("ix_size", "size"),'
    assert find("index", "ix_late", ("size",)) == 'sa.Index("ix_late", Thing.size)'
    assert find("foreign key", None, ("a", "b")).startswith("sa.ForeignKeyConstraint")
    assert find("foreign key", "fk_name", ("full_name",)).startswith("sa.ForeignKey(")
    assert find("index", None, ("full_name",)) == "index=True,"
    assert find("sequence", "thing_ids").startswith("id = sa.Column(")
    certain = {part.name for part in thing.parts if part.kind == "column" and part.is_certain}
    assert certain == {"id", "full_name", "size", "made_at", "owner_id"}
    assert thing.find_column("label") is None
    assert thing.find_column("total") is None


def test_a_table_and_a_sequence_of_core_have_lines(tmp_path: Path) -> None:
    text = (
        "import sqlalchemy as sa\nmetadata = sa.MetaData()\n"
        'numbers = sa.Sequence("numbers", metadata=metadata)\n'
        'things = sa.Table(\n    "things",\n    metadata,\n    sa.Column("id", sa.Integer),\n'
        '    sa.Column("n", sa.Integer, unique=True),\n    schema="stock",\n)\n'
    )
    write_files(tmp_path, {"tables.py": text})
    models = ModelReader(tmp_path, ["tables.py"], str).read({"tables.py": text.encode()})
    (things,) = models.definitions
    assert (things.table, things.schema, things.variable, things.location.line) == (
        "things",
        "stock",
        "things",
        4,
    )
    assert [(part.kind, part.name, part.location.line) for part in things.parts] == [
        ("column", "id", 7),
        ("column", "n", 8),
        ("unique", None, 8),
    ]
    assert [(part.name, part.location.line) for part in models.sequences] == [("numbers", 3)]


def test_a_module_knows_whether_its_top_folder_is_a_package(tmp_path: Path) -> None:
    text = "class Item(Base):\n    __tablename__ = 'item'\n"
    base = "from sqlalchemy.orm import declarative_base\nBase = declarative_base()\n"
    files = ["src/__init__.py", "src/a.py", "lib/a.py"]
    sources = {file: (base + text).encode() for file in files[1:]}
    definitions = ModelReader(tmp_path, files, str).read(sources).definitions
    assert [(item.module, item.is_below_package) for item in definitions] == [
        ("src.a", True),
        ("lib.a", False),
    ]
