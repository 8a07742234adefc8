"""An env.py that does not run what it should, or hides what went wrong."""

from __future__ import annotations

from migration_gate.config.settings import CheckSeverity
from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import CREATE, ENV, MODELS, WIDEN, revision

RUN = """    with context.begin_transaction():
        context.run_migrations()
"""
CAUGHT = """    try:
        with context.begin_transaction():
            context.run_migrations()
    except Exception as error:
        print("could not migrate", error)
"""
BROKEN = {"two_py": revision("two", "one", f'{WIDEN}\nop.execute("alter table item add nonsense nonsense")')}
STAMP = """    from alembic.script import ScriptDirectory
    context.get_context().stamp(ScriptDirectory.from_config(context.config), "{target}")
    connection.commit()
"""
SCHEMA = """    connection.exec_driver_sql(
        "create table if not exists item (id serial primary key, name varchar(50) not null)"
    )
    connection.commit()
"""
LOOP = """
for name in {names}:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, version_table=name)
        with context.begin_transaction():
            context.run_migrations()
"""
SECOND_CONTEXT = """
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata={metadata}, version_table="other")
"""
OLD_MODELS = MODELS.replace("String(50), nullable=False", "String(40)")
HEAD = ENV.partition("with engine.connect()")[0]
LEFT = {
    "migrations/versions/left.py": revision("left", "two", 'op.execute("create view l as select 1 as a")'),
    "migrations/versions/right.py": revision("right", "two", 'op.execute("create view r as select 1 as a")'),
    "migrations/versions/right2.py": revision("right2", "right", 'op.execute("drop view r")'),
}


def before_run(code: str) -> str:
    """An env.py that does something before its migrations."""
    return ENV.replace(RUN, f"{code}{RUN}")


WAYS = (
    EmptyPass(
        "env.py catches the error of a revision",
        (Says("failing-upgrade", "two", words=('type "nonsense" does not exist', "versions/two.py:13")),),
        {**BROKEN, "env_py": ENV.replace(RUN, CAUGHT)},
        notes=("env.py caught the error of `two`, and went on",),
    ),
    EmptyPass(
        "env.py catches the error of a revision in a transaction of its own",
        (Says("failing-upgrade", "two", words=('type "nonsense" does not exist',)),),
        {
            **BROKEN,
            "env_py": ENV.replace(RUN, CAUGHT).replace(
                "Base.metadata)", "Base.metadata, transaction_per_migration=True)"
            ),
        },
    ),
    EmptyPass(
        "env.py stamps the head, and the tables come from its SQL",
        (
            Says(
                "unchecked",
                "two",
                words=("the version table had `two` before the first revision", "start_from"),
            ),
        ),
        {"env_py": before_run(SCHEMA + STAMP.format(target="head"))},
    ),
    EmptyPass(
        "env.py stamps the first revision",
        (Says("unchecked", "one", words=("revision `one` did not run",)),),
        {
            "env_py": before_run(
                SCHEMA.replace("50", "40").replace(" not null", "") + STAMP.format(target="one")
            )
        },
    ),
    EmptyPass(
        "every revision is empty, and the tables come from the SQL of env.py",
        (Says("unchecked", "history", words=("none of its 2 revisions ran a statement",)),),
        {
            "env_py": before_run(SCHEMA),
            "one_py": revision("one", None, "pass"),
            "two_py": revision("two", "one", "pass"),
        },
    ),
    EmptyPass(
        "env.py configures a second context and does not run it",
        (Says("unchecked", "env.py", words=("1 context more than it ran",)),),
        {"env_py": ENV + SECOND_CONTEXT.format(metadata="Base.metadata")},
    ),
    EmptyPass(
        "the second context of env.py has no target_metadata",
        (Says("missing-models", "env.py context 2", words=("what its 2 revisions made",)),),
        {
            "env_py": ENV + SECOND_CONTEXT.format(metadata="None") + RUN,
            "one_py": revision(
                "one",
                None,
                f'if context.get_context().version_table != "other":\n    {CREATE}',
            ),
            "two_py": revision(
                "two",
                "one",
                f'if context.get_context().version_table != "other":\n    {WIDEN}',
            ),
        },
    ),
    EmptyPass(
        "env.py runs the migrations of an empty list of tenants",
        (Says("problem", words=("ended without running any migration", "tenants")),),
        {"env_py": HEAD + LOOP.format(names="[]")},
        status=2,
    ),
    EmptyPass(
        "env.py returns before it runs a migration",
        (Says("problem", words=("ended without running any migration",)),),
        {
            "env_py": ENV.replace("with engine.connect()", "if False:\n  with engine.connect()").replace(
                "\n    ", "\n      "
            )
        },
        status=2,
    ),
    EmptyPass(
        "env.py runs offline migrations alone",
        (Says("problem", words=("ended without running any migration",)),),
        {
            "env_py": HEAD
            + "if context.is_offline_mode():\n    context.configure(url=URL)\n    context.run_migrations()\n"
        },
        status=2,
    ),
    EmptyPass(
        "env.py forces offline mode",
        (Says("problem", words=("as_sql=True", "printed, and not run")),),
        {"env_py": ENV.replace("Base.metadata)", "Base.metadata, as_sql=True)")},
        status=2,
    ),
    EmptyPass(
        "env.py exits before its migrations",
        (Says("problem", words=("sys.exit",)),),
        {"env_py": f"raise SystemExit(0)\n{ENV}"},
        status=2,
    ),
    EmptyPass(
        "env.py ends the interpreter after its migrations",
        (Says("failing-upgrade", words=("exit status 0",)),),
        {"env_py": f"{ENV}\nimport os\nos._exit(0)\n"},
    ),
    EmptyPass(
        "env.py rolls its migrations back",
        (Says("problem", words=("committed none of them",)),),
        {
            "env_py": ENV.replace(
                RUN, "    connection.begin()\n    context.run_migrations()\n    connection.rollback()\n"
            )
        },
        status=2,
    ),
    EmptyPass(
        "a target leaves out one of two heads",
        (
            Says(
                "unchecked",
                "right2",
                words=("`target: left` leaves it out, with 1 before it", "target: heads"),
            ),
        ),
        LEFT,
        {"target": ("left",), "checks": (CheckSeverity("several-heads", None),)},
    ),
    EmptyPass(
        "a target leaves out the newest revision",
        (Says("unchecked", "two", words=("`target: one` leaves it out",)),),
        {"models_py": None, "shop/models/__init__.py": OLD_MODELS},
        {"target": ("one",)},
    ),
    EmptyPass(
        "env.py passes no target_metadata",
        (Says("missing-models", "env.py"),),
        {"env_py": ENV.replace("Base.metadata)", "None)")},
    ),
    EmptyPass(
        "the history has no revision, and the models no table",
        (Says("missing-models", "env.py", words=("holds no tables",)),),
        {
            "one_py": None,
            "two_py": None,
            "migrations/versions/README": "",
            "models_py": "from sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n",
        },
    ),
    EmptyPass(
        "the history has no revision",
        (Says("drift", "item", "table"),),
        {"one_py": None, "two_py": None, "migrations/versions/README": ""},
    ),
)
