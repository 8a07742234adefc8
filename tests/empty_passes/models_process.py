"""Models that env.py, a revision or the database changes, and what the models do not show."""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import ENV, MODELS, WIDEN, revision

TYPE_DRIFT = Says("drift", "item.name", "type")
IMPORTS = "import sqlalchemy as sa\nfrom sqlalchemy.dialects import postgresql\n"
IS_MIGRATED = """    is_migrated = sa.inspect(connection).has_table("item")
    connection.rollback()
"""
COMPARATOR = """
from alembic.autogenerate import comparators
from alembic.operations import ops


"""
EXPAND = """
from alembic.operations import ops


def keep_columns(context, revision, directives):
    for table in directives[0].upgrade_ops.ops:
        table.ops = [op for op in table.ops if not isinstance(op, ops.DropColumnOp)]


"""


def two(*statements: str) -> str:
    """The second revision, which also runs these statements."""
    return revision("two", "one", "\n".join([WIDEN, *(f"op.execute({sql!r})" for sql in statements)]))


def model(*lines: str) -> str:
    """The models, with these lines in the class."""
    return IMPORTS + MODELS.rstrip() + "".join(f"\n    {line}" for line in lines) + "\n"


def before_configure(text: str) -> str:
    """env.py with these lines before its context."""
    configure = "    context.configure("
    return "import sqlalchemy as sa\n" + ENV.replace(configure, text + configure)


def with_directives(definition: str, name: str) -> str:
    """env.py with a process_revision_directives."""
    text = ENV.replace("engine = create_engine", f"{definition.lstrip()}engine = create_engine")
    return text.replace("Base.metadata)", f"Base.metadata, process_revision_directives={name})")


WAYS = (
    EmptyPass(
        "env.py clears the metadata at its end",
        says=(TYPE_DRIFT,),
        files={"env_py": f"{ENV}\nBase.metadata.clear()\n", "two_py": None},
    ),
    EmptyPass(
        "env.py takes a column out of the metadata at its end",
        says=(TYPE_DRIFT,),
        files={
            "env_py": f"{ENV}\nitem = Base.metadata.tables['item']\nitem._columns.remove(item.c.name)\n",
            "two_py": None,
        },
    ),
    EmptyPass(
        "env.py reflects the database into the metadata at its end",
        says=(Says("drift", "extra", "table"),),
        files={
            "env_py": f"{ENV}\nBase.metadata.reflect(engine)\n",
            "two_py": two("create table extra (id int primary key)"),
        },
    ),
    EmptyPass(
        "env.py reflects the database into the metadata",
        says=(Says("unchecked", "models", words=("table `extra`", "compared with itself")),),
        files={
            "env_py": before_configure("    Base.metadata.reflect(connection)\n    connection.rollback()\n"),
            "two_py": two("create table extra (id int primary key)"),
        },
    ),
    EmptyPass(
        "a revision adds a table to the metadata",
        says=(
            Says("drift", "late", "table"),
            Says("unchecked", "models", words=("table `late`", "after the revisions had run")),
        ),
        files={
            "two_py": revision(
                "two",
                "one",
                f"""
                from shop.models import Base
                sa.Table("late", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))
                op.execute("create table late (id serial primary key)")
                {WIDEN}
                """,
            )
        },
    ),
    EmptyPass(
        "a revision changes a model, and env.py fails in a process without it",
        says=(Says("unchecked", "models", words=("env.py failed", "only once", "may have changed them")),),
        files={
            "env_py": before_configure(f'{IS_MIGRATED}    assert not is_migrated, "only once"\n'),
            "one_py": revision(
                "one",
                None,
                """
                from shop.models import Item
                Item.__table__.c.name.type.length = 40
                op.execute("create table item (id serial primary key, name varchar(40) not null)")
                """,
            ),
            "two_py": None,
        },
    ),
    EmptyPass(
        "env.py has no context where the database is migrated",
        says=(
            TYPE_DRIFT,
            Says("unchecked", "models", words=("called run_migrations() 0 times, in the replay 1",)),
        ),
        files={
            "env_py": before_configure(IS_MIGRATED).replace(
                "        context.run_migrations()",
                "        if not is_migrated:\n            context.run_migrations()",
            ),
            "two_py": None,
        },
    ),
    EmptyPass(
        "an enum that the models do not create has other labels",
        says=(Says("drift", "st", "enum", words=("('a', 'b', 'c')",)),),
        files={
            "models_py": model(
                'st = Column(postgresql.ARRAY(postgresql.ENUM("a", "b", "c", name="st", create_type=False)))'
            ),
            "two_py": two("create type st as enum ('a', 'b')", "alter table item add st st[]"),
        },
    ),
    EmptyPass(
        "two columns give one enum different labels",
        says=(Says("unchecked", "st", words=("(a, b) and (a, b, c)",)),),
        files={
            "models_py": model(
                'st = Column(postgresql.ENUM("a", "b", name="st", create_type=False))',
                'su = Column(postgresql.ENUM("a", "b", "c", name="st", create_type=False))',
            ),
            "two_py": two("create type st as enum ('a', 'b')", "alter table item add st st, add su st"),
        },
    ),
    EmptyPass(
        "Postgres does not create an index of the models",
        says=(Says("unchecked", "index ix of item", words=("compared by Alembic alone", "nosuch")),),
        files={
            "models_py": model('__table_args__ = (sa.Index("ix", sa.text("nosuch(name)")),)'),
            "two_py": two("create index ix on item (name)"),
        },
    ),
    EmptyPass(
        "a model is in a schema that no migration makes",
        says=(
            Says("drift", "audit.item", "table", words=("CREATE SCHEMA IF NOT EXISTS audit",)),
            Says("drift", "item", "table"),
        ),
        files={"models_py": model('__table_args__ = {"schema": "audit"}')},
    ),
    EmptyPass(
        "an event trigger of a revision would act on the models",
        says=(TYPE_DRIFT,),
        notes=("the event trigger `guard` of the migrations did not act on the models' tables",),
        files={
            "two_py": revision(
                "two",
                "one",
                """
                op.execute(
                    "create function guard() returns event_trigger language plpgsql as "
                    "$$ begin raise exception 'no DDL'; end $$"
                )
                op.execute("create event trigger guard on ddl_command_start execute function guard()")
                """,
            )
        },
    ),
    EmptyPass(
        "a comparator of the project's wants a trigger",
        says=(Says("drift", "tr on item", "declared", words=("no migration makes it", "CREATE TRIGGER")),),
        files={
            "env_py": COMPARATOR
            + '@comparators.dispatch_for("schema")\n'
            + "def compare_triggers(autogen_context, upgrade_ops, schemas):\n"
            + '    upgrade_ops.ops.append(ops.ExecuteSQLOp("CREATE TRIGGER tr BEFORE UPDATE ON item '
            + 'FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"))\n\n\n'
            + ENV.lstrip()
        },
        versions="oldest",
    ),
    EmptyPass(
        "a comparator of the project's changes a table",
        says=(Says("drift", "item", "declared", words=("fillfactor=70",)),),
        files={
            "env_py": COMPARATOR
            + '@comparators.dispatch_for("table")\n'
            + "def compare_table(autogen_context, modify_ops, schema, name, conn_table, metadata_table):\n"
            + '    modify_ops.ops.append(ops.ExecuteSQLOp("ALTER TABLE item SET (fillfactor=70)"))\n\n\n'
            + ENV.lstrip()
        },
    ),
    EmptyPass(
        "a comparator of the project's fails",
        says=(TYPE_DRIFT, Says("unchecked", "the project's own comparators", words=("no such thing",))),
        files={
            "env_py": COMPARATOR
            + '@comparators.dispatch_for("schema")\n'
            + "def compare_rows(autogen_context, upgrade_ops, schemas):\n"
            + '    raise RuntimeError("no such thing")\n\n\n'
            + ENV.lstrip(),
            "two_py": None,
        },
    ),
    EmptyPass(
        "process_revision_directives keeps a column that no model has",
        says=(),
        status=0,
        notes=("process_revision_directives takes out of a revision", "`column item.legacy`"),
        files={
            "env_py": with_directives(EXPAND, "keep_columns"),
            "two_py": two("alter table item add legacy int"),
        },
    ),
    EmptyPass(
        "process_revision_directives fails",
        says=(TYPE_DRIFT, Says("unchecked", "process_revision_directives", words=("it broke",))),
        files={
            "env_py": with_directives(
                'def fail(context, revision, directives):\n    raise RuntimeError("it broke")\n\n\n', "fail"
            ),
            "two_py": None,
        },
    ),
    EmptyPass(
        "an index of the models that SQLAlchemy cannot compile, twice",
        says=(
            TYPE_DRIFT,
            Says("unchecked", "index ix_item_named of item", words=("until its 'name' is assigned",)),
        ),
        files={
            "two_py": None,
            "models_py": model(
                "__table_args__ = tuple(",
                "    sa.Index('ix_item_named', 'name', postgresql_where=sa.Column(sa.Boolean) == sa.true())",
                "    for _ in range(2)",
                ")",
            ),
        },
    ),
)
