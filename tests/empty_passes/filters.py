"""An env.py whose filters leave out of the comparison what should be compared."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import CREATE, ENV, MODELS, revision

CHECK = "unchecked"
DRIFTING = {"one_py": revision("one", None, CREATE), "two_py": None}
"""the model has got longer names since, and NOT NULL: a difference that each filter hides"""
OTHER_TABLE = """

class Other(Base):
    __tablename__ = "other"
    id = Column(Integer, primary_key=True)
"""


def configured(arguments: str, functions: str = "") -> str:
    """An env.py with further arguments of `context.configure`, and the functions that they name."""
    text = ENV.replace("target_metadata=Base.metadata", f"target_metadata=Base.metadata, {arguments}")
    return text.replace("engine = ", f"{functions}\n\nengine = ", 1)


def filtered(function: str, **more: str | None) -> Mapping[str, str | None]:
    """A project whose env.py has this include_object."""
    functions = f"\ndef include_object(item, name, kind, reflected, other):\n{function}\n"
    return {**DRIFTING, "env_py": configured("include_object=include_object", functions), **more}


def named(function: str, **more: str | None) -> Mapping[str, str | None]:
    """A project whose env.py has this include_name."""
    functions = f"\ndef include_name(name, kind, parents):\n{function}\n"
    arguments = "include_name=include_name, include_schemas=True"
    return {**DRIFTING, "env_py": configured(arguments, functions), **more}


def with_other(upgrade: str = "") -> Mapping[str, str | None]:
    """A second model beside the first, and what else the revision does."""
    return {
        "models_py": MODELS + OTHER_TABLE,
        "two_py": revision("two", "one", f"{TWO}\n{upgrade}"),
        "one_py": revision("one", None, CREATE),
    }


TWO = 'op.alter_column("item", "name", type_=sa.String(50), existing_type=sa.String(40), nullable=False)'
CREATE_OTHER = 'op.create_table("other", sa.Column("id", sa.BigInteger, primary_key=True))'
HIDE_OTHER = '    return not (kind == "table" and name == "other")'

WAYS = (
    EmptyPass(
        "include_object forgets to return True",
        (Says(CHECK, "include_object", words=("every table", "`item`", "nothing was compared")),),
        filtered('    if kind == "table" and name == "spatial_ref_sys":\n        return False'),
        notes=("env.py's include_object left out of the comparison: 1 table (`item`)",),
    ),
    EmptyPass(
        "include_object forgets to return True for everything but tables",
        (Says(CHECK, "include_object", words=("every column of every table",)),),
        filtered('    if kind == "table":\n        return name != "spatial_ref_sys"'),
    ),
    EmptyPass(
        "include_name forgets to return True",
        (Says(CHECK, "include_name", words=("every table",)),),
        named('    if kind == "schema":\n        return name in (None, "public")'),
    ),
    EmptyPass(
        "include_name leaves out the only schema",
        (Says(CHECK, "include_name", words=("every table",)),),
        named('    return kind != "schema" or name == "app"'),
    ),
    EmptyPass(
        "include_object leaves out a table with a model",
        (Says(CHECK, "other", words=("include_object", "a model maps it, revision `two` made it")),),
        {**with_other(CREATE_OTHER), "env_py": filtered(HIDE_OTHER)["env_py"]},
    ),
    EmptyPass(
        "include_object leaves out a model that no revision creates",
        (Says(CHECK, "other", words=("and a model maps it",)),),
        {**with_other(), "env_py": filtered(HIDE_OTHER)["env_py"]},
    ),
    EmptyPass(
        "include_object leaves out tables that no model has",
        (Says(CHECK, "forgotten", words=("revision `two` made it",)),),
        filtered(
            '    return not (kind == "table" and reflected and other is None)',
            one_py=revision("one", None, CREATE),
            two_py=revision("two", "one", f'{TWO}\nop.execute("create table forgotten (id int)")'),
        ),
    ),
    EmptyPass(
        "include_name leaves out a schema with tables",
        (Says(CHECK, "audit.log", words=("its schema `audit`", "revision `two` made it")),),
        named(
            '    return kind != "schema" or name != "audit"',
            one_py=revision("one", None, CREATE),
            two_py=revision(
                "two",
                "one",
                f'{TWO}\nop.execute("create schema audit")\n'
                'op.create_table("log", sa.Column("id", sa.Integer), schema="audit")',
            ),
        ),
    ),
    EmptyPass(
        "an env.py of an old Alembic forgets to return True",
        (Says(CHECK, "include_object", words=("every table",)),),
        filtered("    pass"),
        versions="oldest",
    ),
    EmptyPass(
        "a function of env.py calls every type equal",
        (),
        {**DRIFTING, "env_py": configured("compare_type=lambda *arguments: False"),
         "models_py": MODELS.replace(", nullable=False", "")},
        notes=("compare_type calls equal what differs: `item.name` (character varying(40) and character",),
        status=0,
    ),
    EmptyPass(
        "types and defaults are not compared",
        (),
        {**DRIFTING, "env_py": configured("compare_type=False, compare_server_default=False"),
         "models_py": MODELS.replace(", nullable=False", "")},
        notes=("env.py sets compare_type=False: types were not compared", "compare_server_default=False"),
        status=0,
    ),
)  # fmt: skip

VIEW = """

class Summary(Base):
    __tablename__ = "summary"
    __table_args__ = {"info": {"is_view": False}}
    id = Column(Integer, primary_key=True)
"""
EXPLAINED = (
    EmptyPass(
        "include_object leaves out a table with a flag",
        (),
        {
            "models_py": MODELS
            + OTHER_TABLE.replace(
                "    id", '    __table_args__ = {"info": {"skip_autogenerate": True}}\n    id'
            ),
            "env_py": filtered('    return not (kind == "table" and item.info.get("skip_autogenerate"))')[
                "env_py"
            ],
        },
        status=0,
        notes=("1 table (`other`)",),
    ),
    EmptyPass(
        "include_object leaves out the model of a view",
        (),
        {
            "models_py": MODELS + VIEW,
            "two_py": revision(
                "two", "one", f'{TWO}\nop.execute("create view summary as select id from item")'
            ),
            "env_py": filtered('    return name != "summary"')["env_py"],
        },
        status=0,
    ),
    EmptyPass(
        "include_object leaves out partitions",
        (),
        {
            "two_py": revision(
                "two",
                "one",
                f"{TWO}\n"
                + 'op.execute("create table log (id int not null) partition by range (id)")\n'
                + 'op.execute("create table log_1 partition of log for values from (1) to (9)")',
            ),
            "models_py": MODELS
            + """

class Log(Base):
    __tablename__ = "log"
    __table_args__ = {"postgresql_partition_by": "RANGE (id)"}
    __mapper_args__ = {"primary_key": ["id"]}
    id = Column(Integer, nullable=False)
""",
            "env_py": filtered('    return not name.startswith("log_")')["env_py"],
        },
        status=0,
    ),
)
"""what is left out for a reason that is known: named in the notes, and nothing more"""
