"""Histories that are built from the models which they are compared with."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import ENV, MODELS, WIDEN, revision

CHECK = "models-in-migration"
IMPORT = "from shop.models import Base, Item"
IN_ONE = "migrations/versions/one.py"
MODELS_WITH_ENUM = """
import enum

from sqlalchemy import Column, Enum, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Colour(enum.Enum):
    red = 1
    blue = 2


shade = Enum("light", "dark", name="shade")


class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False)
    colour = Column(Enum(Colour, name="colour"))
    shade = Column(shade)
"""
COLUMNS = 'sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50), nullable=False)'
ENV_WITH_CREATE_ALL = """
with engine.begin() as connection:
    Base.metadata.create_all(connection)
with engine.connect() as connection:"""
CREATE_ALL_AFTER = """
with engine.begin() as connection:
    Base.metadata.create_all(connection)
"""
ASYNC_ENV = """
import asyncio

from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

from shop.models import Base


def migrate(connection):
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    engine = create_async_engine("postgresql+asyncpg://app@db.invalid/app")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)


asyncio.run(main())
"""


def only(upgrade: str, imports: str = IMPORT, **more: str | None) -> Mapping[str, str | None]:
    """A history of one revision."""
    text = revision("one", None, upgrade).replace(
        "import sqlalchemy as sa\n", f"import sqlalchemy as sa\n{imports}\n"
    )
    return {"one_py": text, "two_py": None, **more}


def second(upgrade: str, imports: str = IMPORT, **more: str | None) -> Mapping[str, str | None]:
    """A second revision, after the one that creates the table."""
    text = revision("two", "one", upgrade).replace(
        "import sqlalchemy as sa\n", f"import sqlalchemy as sa\n{imports}\n"
    )
    return {"two_py": text, **more}


def builds(
    *words: str, place: str = "one", kind: str | None = None, severity: str = "error"
) -> tuple[Says, ...]:
    """What must be said of a revision or a file that builds from the models."""
    return (Says(CHECK, place, kind, severity, words=("comparison with the models proves nothing", *words)),)


EMPTY_HISTORY = {"one_py": revision("one", None, "pass"), "two_py": None}

WAYS = (
    EmptyPass(
        "a revision calls create_all",
        builds(f"{IN_ONE}:13", "`item`", "Base.metadata.create_all(op.get_bind())"),
        only("Base.metadata.create_all(op.get_bind())"),
    ),
    EmptyPass(
        "a revision calls create_all with an old SQLAlchemy",
        builds("`item`", f"{IN_ONE}:13"),
        only("Base.metadata.create_all(op.get_bind())"),
        versions="oldest",
    ),
    EmptyPass(
        "a revision calls create_all under an async env.py",
        builds("`item`", f"{IN_ONE}:13"),
        only(
            "Base.metadata.create_all(op.get_bind())",
            env_py=ASYNC_ENV.replace(
                "        await connection.run_sync(Base.metadata.create_all)\n", "        pass\n"
            ),
        ),
    ),
    EmptyPass(
        "a revision creates one table of a model",
        builds("`item`", f"{IN_ONE}:13", "Item.__table__.create"),
        only("Item.__table__.create(op.get_bind(), checkfirst=True)"),
    ),
    EmptyPass(
        "a revision unpacks the columns of a model",
        builds("`item`", f"{IN_ONE}:13", "op.create_table"),
        only('op.create_table("item", *Item.__table__.columns)'),
    ),
    EmptyPass(
        "a revision copies the columns of a model",
        builds("`item`", "op.create_table"),
        only('op.create_table("item", *[column._copy() for column in Item.__table__.columns])'),
    ),
    EmptyPass(
        "a revision copies the table of a model to a metadata of its own",
        builds("`item`", f"{IN_ONE}:13"),
        only("Item.__table__.to_metadata(sa.MetaData()).create(op.get_bind())"),
    ),
    EmptyPass(
        "a revision executes DDL that is compiled from a model",
        builds("`item`", f"{IN_ONE}:14", "CreateTable"),
        only(
            """
            from sqlalchemy.schema import CreateTable
            op.execute(str(CreateTable(Item.__table__).compile(op.get_bind())))
            """
        ),
    ),
    EmptyPass(
        "a revision executes changed DDL of a model past SQLAlchemy",
        builds("`item`", f"{IN_ONE}:14"),
        only(
            """
            from sqlalchemy.schema import CreateTable
            text = str(CreateTable(Item.__table__).compile(op.get_bind()))
            text = text.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")
            op.get_bind().connection.cursor().execute(text)
            """
        ),
    ),
    EmptyPass(
        "a revision executes a DDL construct of a model",
        builds("`item`"),
        only("op.execute(sa.schema.CreateTable(Item.__table__))"),
    ),
    EmptyPass(
        "a revision runs create_all on a mock engine",
        builds("`item`", f"{IN_ONE}:15"),
        only(
            """
            from sqlalchemy.dialects import postgresql
            def run(element):
                op.execute(str(element.compile(dialect=postgresql.dialect())))
            engine = sa.create_mock_engine("postgresql://", lambda element, *a, **k: run(element))
            Base.metadata.create_all(engine, checkfirst=False)
            """
        ),
    ),
    EmptyPass(
        "a helper of the application creates the tables for a revision",
        builds("`item`", f"{IN_ONE}:13", "make_tables(op.get_bind())", "shop/setup.py:5 in make_tables"),
        only(
            "make_tables(op.get_bind())",
            "from shop.setup import make_tables",
            **{
                "shop/setup.py": "from shop.models import Base\n\n\ndef make_tables(bind):\n"
                "    Base.metadata.create_all(bind)\n"
            },
        ),
    ),
    EmptyPass(
        "a revision makes a table of new columns, one for each of the model's",
        builds("`item`", f"{IN_ONE}:", "op.create_table("),
        only(
            'op.create_table("item", *[Column(c.name, c.type, primary_key=c.primary_key) '
            "for c in Item.__table__.columns])",
            "from shop.models import Item\nfrom sqlalchemy import Column",
        ),
    ),
    EmptyPass(
        "a revision adds a column of a model",
        builds("`item.size`", "migrations/versions/two.py:14", place="two"),
        second(
            f'{WIDEN}\nop.add_column("item", Item.__table__.c.size)',
            models_py=f"{MODELS}    size = Column(Integer)\n",
        ),
    ),
    EmptyPass(
        "a revision changes a type to that of a model",
        (Says(CHECK, "two", "column-types", "warning", words=("`item.name`",)),),
        second('op.alter_column("item", "name", type_=Item.__table__.c.name.type, nullable=False)'),
        status=0,
    ),
    EmptyPass(
        "a revision creates an index on a model",
        builds("`ix_item_name`", place="two"),
        second(f'{WIDEN}\nsa.Index("ix_item_name", Item.name).create(op.get_bind())'),
    ),
    EmptyPass(
        "a revision takes the labels of an enum from the application's class",
        builds(
            "`item.colour`", "shop.models.Colour", 'sa.Enum("red", "blue", name="colour")', kind="enum-labels"
        ),
        only(
            f'op.create_table("item", {COLUMNS}, sa.Column("colour", sa.Enum(Colour, name="colour")), '
            'sa.Column("shade", sa.Enum("light", "dark", name="shade")))',
            "from shop.models import Colour",
            models_py=MODELS_WITH_ENUM,
        ),
    ),
    EmptyPass(
        "a revision takes the labels of an enum from the application, one by one",
        (
            Says(
                "models-in-migration",
                "one",
                "enum-labels",
                words=(
                    "labels of `colour` that its text does not spell",
                    "`shop.models`",
                    'sa.Enum("red", "blue"',
                ),
            ),
        ),
        only(
            f'op.create_table("item", {COLUMNS}, sa.Column("colour", sa.Enum(*[c.name for c in Colour], '
            'name="colour")), sa.Column("shade", sa.Enum("light", "dark", name="shade")))',
            "from shop.models import Colour",
            models_py=MODELS_WITH_ENUM,
        ),
    ),
    EmptyPass(
        "a revision uses the enum type of a model",
        builds("`item.shade`", kind="enum-labels"),
        only(
            f'op.create_table("item", {COLUMNS}, sa.Column("colour", sa.Enum("red", "blue", name="colour")), '
            'sa.Column("shade", shade))',
            "from shop.models import shade",
            models_py=MODELS_WITH_ENUM,
        ),
    ),
    EmptyPass(
        "a revision creates the enum type of a model by itself",
        builds("`shade`", 'sa.Enum("light", "dark", name="shade")', kind="enum-labels"),
        only(
            "shade.create(op.get_bind())\n"
            f'op.create_table("item", {COLUMNS}, sa.Column("colour", sa.Enum("red", "blue", name="colour")), '
            'sa.Column("shade", sa.dialects.postgresql.ENUM(name="shade", create_type=False)))',
            "from sqlalchemy.dialects import postgresql\nfrom shop.models import shade",
            models_py=MODELS_WITH_ENUM,
        ),
    ),
    EmptyPass(
        "a revision runs what autogenerate finds",
        builds("`item`"),
        only(
            """
            from alembic.autogenerate import produce_migrations
            found = produce_migrations(op.get_context(), Base.metadata)
            for operation in found.upgrade_ops.ops:
                op.invoke(operation)
            """
        ),
    ),
    EmptyPass(
        "the models are joined in one metadata, and a revision creates the first of them",
        builds("`item`"),
        only(
            "Base.metadata.create_all(op.get_bind())",
            env_py=ENV.replace(
                "engine = ",
                "from sqlalchemy import MetaData\n"
                "joined = MetaData()\nfor table in Base.metadata.tables.values():\n"
                "    table.to_metadata(joined)\nengine = ",
            ).replace("Base.metadata)", "joined)"),
        ),
    ),
    EmptyPass(
        "env.py calls create_all before the migrations",
        builds("`item`", "migrations/env.py:9", "before the first revision", place="migrations/env.py"),
        {
            **EMPTY_HISTORY,
            "env_py": ENV.replace("\nwith engine.connect() as connection:", ENV_WITH_CREATE_ALL),
        },
    ),
    EmptyPass(
        "an async env.py calls create_all before the migrations",
        builds("`item`", "migrations/env.py:18", place="migrations/env.py"),
        {**EMPTY_HISTORY, "env_py": ASYNC_ENV},
    ),
    EmptyPass(
        "env.py calls create_all after the migrations",
        builds("`item`", "beside the revisions", place="migrations/env.py"),
        {
            **EMPTY_HISTORY,
            "env_py": f"{ENV}{CREATE_ALL_AFTER}",
        },
    ),
    EmptyPass(
        "the models create their tables when they are imported",
        builds("`item`", "create_all(create_engine(URL))", place="shop/tables.py"),
        {
            **EMPTY_HISTORY,
            "shop/tables.py": "from sqlalchemy import create_engine\n\nfrom shop.models import Base\n"
            "from shop.settings import URL\n\nBase.metadata.create_all(create_engine(URL))\n",
            "env_py": ENV.replace("from shop.settings", "import shop.tables\nfrom shop.settings"),
        },
    ),
)
