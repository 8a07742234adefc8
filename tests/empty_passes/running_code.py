"""Changes whose effect on the release that is live was not tried, or not in whole, and that have no finding.

`breaks-running-code` and `needs-migration-first` look at the models of the base and of the change.
"""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import CREATE, revision

MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

Base = declarative_base()
item = sa.Table("item", Base.metadata, sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("name", sa.String(40))
                {0})
"""
BASE = revision(
    "one",
    None,
    f"""{CREATE}
op.execute("create table raw (id int primary key)")
op.execute("create function refuse() returns trigger language plpgsql as 'begin raise ''closed''; end'")
op.execute("create trigger refuse before insert on item for each row execute function refuse()")""",
)
ADD = """op.add_column("item", sa.Column("size", sa.Integer))
op.execute("alter table raw add size int")"""
UNDO = """op.drop_column("item", "size")
op.execute("alter table raw drop size")"""
TWO = {"two_py": revision("two", "one", ADD, UNDO)}
BROKEN = "import a_package_that_nobody_has\n"
WAYS = (
    EmptyPass(
        "the models are Tables without a class, one table has no model, and the other takes no row",
        says=(),
        base={"one_py": BASE, "two_py": None, "models_py": MODELS.format("")},
        files={"one_py": BASE, "models_py": MODELS.format(', sa.Column("size", sa.Integer)'), **TWO},
        notes=(
            "could be tried with `item`: no row could be made for it (P0001 closed",
            "could be tried with `raw`: no model of the base has it",
        ),
        status=0,
    ),
    EmptyPass(
        "the models of the base cannot be imported",
        says=(Says("drift", "raw"),),
        base={"one_py": BASE, "two_py": None, "models_py": BROKEN},
        files={"one_py": BASE, "models_py": MODELS.format(', sa.Column("size", sa.Integer)'), **TWO},
        notes=(
            "whether the release that is live works on the new schema is not known: the base could not be "
            "examined",
        ),
    ),
)
