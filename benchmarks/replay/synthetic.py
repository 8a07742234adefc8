"""Writes a project of as many revisions as wanted, the same for the same seed.

About one revision in five creates a table, up to a hundred; the others do to them what revisions do: columns,
indexes, foreign keys, types, defaults, enums, data. Every downgrade is exact, and the models match the end.
A project may be settled: from some revision on, types, defaults and data alone change, so that its history
is longer, and its schema no larger.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TABLES = 100
TYPES = (
    "sa.Integer()",
    "sa.BigInteger()",
    "sa.Boolean()",
    "sa.Text()",
    "sa.Date()",
    "sa.Numeric(12, 2)",
    "sa.JSON()",
)

ENV = """\
import os

from alembic import context
from sqlalchemy import Engine, create_engine, pool

from models import Base


def run(connection):
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")  # pytest-alembic hands over its own
if given is None:
    given = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
if isinstance(given, Engine):
    with given.connect() as connection:
        run(connection)
else:
    run(given)
"""
INI = "[alembic]\nscript_location = migrations\nprepend_sys_path = .\npath_separator = os\n"
TEST = """\
import os

import pytest
from pytest_alembic.tests import *  # the four default tests
from sqlalchemy import create_engine


@pytest.fixture
def alembic_engine():
    return create_engine(os.environ["DATABASE_URL"])
"""


@dataclass(slots=True)
class Column:
    """A column as the models will say it."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    references: str | None = None

    def arguments(self) -> str:
        """What stands between the parentheses after the name."""
        parts = [self.type]
        if self.references:
            parts.append(f'sa.ForeignKey("{self.references}.id", name="fk_{self.name}")')
        parts.append(f"nullable={self.nullable}")
        if self.default is not None:
            parts.append(f'server_default="{self.default}"')
        return ", ".join(parts)

    def bare(self) -> str:
        """The same for a revision, where a foreign key is a command of its own."""
        return Column(self.name, self.type, self.nullable, self.default).arguments()


@dataclass(slots=True)
class Table:
    """A table as the models will say it."""

    name: str
    columns: list[Column]
    indexes: list[tuple[str, str]] = field(default_factory=list)


Revision = tuple[str, list[str], list[str]]
"""what it does, upgrade and downgrade"""


class Growth:
    """The schema as it grows: each call of `revision` changes it, and says how."""

    def __init__(self, seed: int, settled: int = 0) -> None:
        """`settled`: from that revision on, none adds anything to the schema; 0 if all may."""
        self.dice = random.Random(seed)
        self.settled = settled
        self.tables: list[Table] = []
        self.count = 0

    def revision(self, allowed_tables: int) -> Revision:
        """One more revision."""
        self.count += 1
        if 0 < self.settled < self.count:
            change = self.dice.choice((self._alter_type, self._alter_default, self._update))
            return change(self.dice.choice(self.tables))
        due = self.dice.random() < 0.22 or len(self.tables) < 2
        if due and len(self.tables) < allowed_tables:
            return self._create_table()
        kinds: tuple[Callable[[Table], Revision], ...] = (
            self._add_column, self._add_column, self._create_index, self._alter_type, self._alter_default,
            self._add_reference, self._update, self._add_enum,
        )  # fmt: skip
        return self.dice.choice(kinds)(self.dice.choice(self.tables))

    def _create_table(self) -> Revision:
        name = f"t_{len(self.tables):03d}"
        columns = [Column(f"{name}_label", "sa.String(40)", nullable=False, default="")]
        columns += [Column(f"{name}_c{n}", self.dice.choice(TYPES)) for n in range(self.dice.randint(2, 6))]
        self.tables.append(Table(name, columns))
        listed = "".join(f'    sa.Column("{each.name}", {each.bare()}),\n' for each in columns)
        key = '    sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),\n'
        return "create", [f'op.create_table(\n    "{name}",\n{key}{listed})'], [f'op.drop_table("{name}")']

    def _add_column(self, table: Table) -> Revision:
        column = Column(f"{table.name}_a{self.count}", self.dice.choice(TYPES))
        return "add", [self._add(table, column)], [f'op.drop_column("{table.name}", "{column.name}")']

    def _create_index(self, table: Table) -> Revision:
        column = self.dice.choice([each for each in table.columns if "JSON" not in each.type])
        name = f"ix_{table.name}_{self.count}"
        table.indexes.append((name, column.name))
        up = f'op.create_index("{name}", "{table.name}", ["{column.name}"])'
        return "index", [up], [f'op.drop_index("{name}", table_name="{table.name}")']

    def _alter_type(self, table: Table) -> Revision:
        column = table.columns[0]
        old = column.type
        column.type = f"sa.String({int(old.removeprefix('sa.String(').removesuffix(')')) + 10})"
        said = f'op.alter_column("{table.name}", "{column.name}", existing_nullable=False, '
        return (
            "alter",
            [f"{said}existing_type={old}, type_={column.type})"],
            [f"{said}existing_type={column.type}, type_={old})"],
        )

    def _alter_default(self, table: Table) -> Revision:
        column = table.columns[0]
        old, column.default = column.default, f"new {self.count}"
        said = (
            f'op.alter_column("{table.name}", "{column.name}", existing_type={column.type}, server_default='
        )
        return "default", [f'{said}"{column.default}")'], [f'{said}"{old}")']

    def _add_reference(self, table: Table) -> Revision:
        other = self.dice.choice(self.tables[: self.tables.index(table)] or self.tables[:1])
        column = Column(f"{table.name}_r{self.count}", "sa.BigInteger()", references=other.name)
        name = f"fk_{column.name}"
        up = [
            self._add(table, column),
            f'op.create_foreign_key("{name}", "{table.name}", "{other.name}", ["{column.name}"], ["id"])',
        ]
        down = [
            f'op.drop_constraint("{name}", "{table.name}", type_="foreignkey")',
            f'op.drop_column("{table.name}", "{column.name}")',
        ]
        return "reference", up, down

    def _update(self, table: Table) -> Revision:
        column = table.columns[0].name
        return (
            "data",
            [f"op.execute(\"UPDATE {table.name} SET {column} = trim({column}) WHERE {column} LIKE ' %'\")"],
            [],
        )

    def _add_enum(self, table: Table) -> Revision:
        name = f"kind_{self.count}"
        column = Column(f"{table.name}_{name}", f'sa.Enum("one", "two", "three", name="{name}")')
        up = [f"{column.type}.create(op.get_bind())", self._add(table, column)]
        down = [
            f'op.drop_column("{table.name}", "{column.name}")',
            f'sa.Enum(name="{name}").drop(op.get_bind())',
        ]
        return "enum", up, down

    def _add(self, table: Table, column: Column) -> str:
        table.columns.append(column)
        return f'op.add_column("{table.name}", sa.Column("{column.name}", {column.bare()}))'


def _revision_text(number: int, made: Revision) -> str:
    _, up, down = made
    parent = f'"{number - 1:012x}"' if number > 1 else "None"
    bodies = [
        "\n".join("    " + line for step in steps or ["pass"] for line in step.splitlines())
        for steps in (up, down)
    ]
    return (
        f'"""revision {number}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision = "{number:012x}"\ndown_revision = {parent}\n\n\n'
        f"def upgrade():\n{bodies[0]}\n\n\ndef downgrade():\n{bodies[1]}\n"
    )


def _models(tables: list[Table]) -> Iterator[str]:
    yield "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase, mapped_column\n\n\n"
    yield "class Base(DeclarativeBase):\n    pass\n"
    for table in tables:
        yield f'\n\nclass {table.name.title()}(Base):\n    __tablename__ = "{table.name}"\n'
        if table.indexes:
            listed = " ".join(f'sa.Index("{name}", "{column}"),' for name, column in table.indexes)
            yield f"    __table_args__ = ({listed})\n"
        yield "    id = mapped_column(sa.BigInteger(), sa.Identity(), primary_key=True)\n"
        for column in table.columns:
            yield f"    {column.name} = mapped_column({column.arguments()})\n"


def write_models(revisions: int, seed: int = 1, settled: int = 0) -> str:
    """The models as they are after so many revisions."""
    growth = Growth(seed, settled)
    for _ in range(revisions):
        growth.revision(allowed_tables=TABLES)
    return "".join(_models(growth.tables))


def write(folder: Path, revisions: int, seed: int = 1, settled: int = 0) -> None:
    """Write the project into the folder, which must not hold one yet."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    growth = Growth(seed, settled)
    for number in range(1, revisions + 1):
        made = growth.revision(allowed_tables=TABLES)
        (versions / f"{number:04d}_{made[0]}.py").write_text(_revision_text(number, made))
    (folder / "models.py").write_text("".join(_models(growth.tables)))
    (folder / "migrations" / "env.py").write_text(ENV)
    (folder / "alembic.ini").write_text(INI)
    (folder / "test_migrations.py").write_text(TEST)
