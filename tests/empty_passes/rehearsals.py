"""Changes whose revisions were not rehearsed, or not observed, and that have no other finding.

`fails-on-rows`, `lost-rows`, `lost-values`, `destructive` and `violated-rule` look at the rehearsal,
`blocking-change`, `work-under-lock` and the other checks of locks at the observation.
"""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import ENV, revision

CHANGE = ("migrations/versions/two.py",)
NULLABLE = 'op.alter_column("item", "name", type_=sa.String(50), existing_type=sa.String(40))'
MODELS = """
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
"""
UNDO = 'op.alter_column("item", "name", type_=sa.String(40), existing_type=sa.String(50))'
CREATE_GUARDED = """
op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(40)))
op.execute("create function refuse() returns trigger language plpgsql as 'begin raise ''closed''; end'")
op.execute("create trigger refuse before insert on item for each row execute function refuse()")
"""
FILES = {"models_py": MODELS, "two_py": revision("two", "one", NULLABLE, UNDO)}
ONCE = ENV.replace(
    "engine = create_engine(URL)",
    "import os\n\nFIRST = os.environ.setdefault('FIRST_RUN', str(os.getpid())) == str(os.getpid())\n"
    "engine = create_engine(URL)",
).replace("        context.run_migrations()", "        if FIRST:\n            context.run_migrations()")
WAYS = (
    EmptyPass(
        "a trigger refuses every generated row",
        says=(Says("unchecked", "rehearsal", severity="warning", words=("for any table: `item` (closed)",)),),
        status=0,
        files={**FILES, "one_py": revision("one", None, CREATE_GUARDED, 'op.drop_table("item")')},
        settings={"rollback": "off"},
        changed=CHANGE,
    ),
    EmptyPass(
        "env.py runs the revisions in one process alone",
        says=(Says("unchecked", "rehearsal", words=("env.py did not run `one`",)),),
        files={**FILES, "env_py": ONCE},
        settings={"rollback": "off"},
        changed=CHANGE,
    ),
    EmptyPass(
        "a revision drops what the gate observes locks with",
        says=(Says("unchecked", "locks"),),
        files={
            "models_py": MODELS,
            "two_py": revision(
                "two", "one", f'op.execute("drop schema migration_gate cascade")\n{NULLABLE}', UNDO
            ),
        },
        settings={"rollback": "off"},
        changed=CHANGE,
    ),
)
