"""One env.py that migrates several databases: each is one of its own, compared with its own models."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.user_project import COMMAND, World, project, revision

pytestmark = pytest.mark.slow
MODELS = """
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Main, Events = declarative_base(), declarative_base()


class Item(Main):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)


class Event(Events):
    __tablename__ = "event"
    id = Column(Integer, primary_key=True)
    body = Column(String(20))
"""
HEAD = """
from alembic import context
from sqlalchemy import create_engine
from shop.models import Events, Main

DATABASES = {
    "main": ("postgresql://app@localhost/main", Main.metadata),
    "events": ("postgresql://app@127.0.0.1:5432/events", Events.metadata),
}
"""
IN_TURN = f"""{HEAD}
for name, (url, metadata) in DATABASES.items():
    with create_engine(url).connect() as connection:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            context.run_migrations(engine_name=name)
"""
AT_ONCE = f"""{HEAD}
connections = {{name: create_engine(url).connect() for name, (url, _) in DATABASES.items()}}
transactions = [connection.begin_twophase() for connection in connections.values()]
for name, (_, metadata) in DATABASES.items():
    context.configure(connection=connections[name], target_metadata=metadata)
    context.run_migrations(engine_name=name)
for transaction in transactions:
    transaction.prepare()
for transaction in transactions:
    transaction.commit()
"""
UNSET = "import os\n" + AT_ONCE.replace(
    '"postgresql://app@localhost/main"', 'os.environ["MAIN_DATABASE_URL"]'
).replace('"postgresql://app@127.0.0.1:5432/events"', 'os.environ["EVENTS_DB"]')
"""nobody says where they are"""
SHARDS = """
from alembic import context
from sqlalchemy import create_engine
from shop.models import Main

for host in ("one", "two", "three"):
    with create_engine(f"postgresql://app@{host}/shard").connect() as connection:
        context.configure(connection=connection, target_metadata=Main.metadata)
        with context.begin_transaction():
            context.run_migrations(engine_name="main")
"""
ITEM = 'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True))'
EVENT = 'op.create_table("event", sa.Column("id", sa.Integer, primary_key=True))'


def history() -> dict[str, str | None]:
    """One revision, which does something else in each database; `event.body` is forgotten."""
    text = revision("one", None, "{'main': upgrade_main, 'events': upgrade_events}[engine_name]()")
    text = text.replace("def upgrade(**keywords)", "def upgrade(engine_name)")
    text = text.replace("def downgrade(**keywords)", "def downgrade(engine_name)")
    text += f"\n\ndef upgrade_main():\n    {ITEM}\n\n\ndef upgrade_events():\n    {EVENT}\n"
    return {"one_py": text, "two_py": None}


def judge(here: World, env_py: str) -> tuple[int, dict[str, list[str]]]:
    """The status, and the objects of the findings of each project."""
    here.lay(project(env_py=env_py, models_py=MODELS, settings_py=None, **history()))
    ran = here.check("--format", "json")
    report: dict[str, Any] = json.loads(ran.out)
    assert not any(item.get("problem") for item in report["projects"]), ran.said
    return ran.status, {
        item["name"].partition(" ")[2]: [verdict["object"] for verdict in item["verdicts"]]
        for item in report["projects"]
    }


@pytest.mark.parametrize(
    "env_py",
    [pytest.param(AT_ONCE, marks=pytest.mark.release), pytest.param(IN_TURN, marks=pytest.mark.release)],
    ids=["at once, in two phases", "in turn"],
)
def test_each_database_is_compared_with_its_own_models(here: World, env_py: str) -> None:
    status, objects = judge(here, env_py)
    assert (status, objects) == (1, {"(main)": [], "(events)": ["event.body"]})


def test_databases_that_variables_name_are_not_taken_for_one_where_these_are_unset(here: World) -> None:
    status, objects = judge(here, UNSET)
    assert (status, objects) == (1, {"(gate_main)": [], "(gate_events)": ["event.body"]})
    ran = subprocess.run(
        [COMMAND, "doctor", str(here.project), "--python", sys.executable, "--try"],
        env=here.environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ran.returncode == 0, ran
    said = " ".join(ran.stdout.split())
    assert "several databases: `localhost:5432/gate_main` and `localhost:5432/gate_events`; a check" in said


@pytest.mark.release
def test_databases_with_the_same_models_are_judged_once(here: World) -> None:
    assert judge(here, SHARDS) == (0, {"(shard)": []})


def test_all_databases_share_one_revision_and_the_allowances(here: World) -> None:
    """The revision has a function for each engine, and what one database uses is not unused."""
    text = history()["one_py"]
    assert text is not None
    number = 'sa.Column("number", sa.Integer), sa.Column("id", sa.SmallInteger'
    allowed = "".join(
        f"  - {{check: drift, object: {name}, reason: it is known}}\n" for name in ("event.body", "gone")
    )
    files = {
        "one_py": text.replace('sa.Column("id", sa.Integer', number),
        ".migration-gate.yml": f"allow:\n{allowed}",
    }
    reports = ask(here, IN_TURN, **files)
    assert find_objects(reports, "unused-allow") == [["drift gone"], []]
    offered = reports[0]["drift_revision"]
    assert offered["differences"] == 3
    assert "def upgrade(engine_name):" in offered["text"]
    assert reports[1]["drift_revision"] is None
    again = ask(here, IN_TURN, **files, two_py=offered["text"])
    assert find_objects(again, "drift") == [["item.number"], ["event.number"]]


@pytest.mark.release
def test_a_revision_is_written_that_serves_all_databases(here: World) -> None:
    here.lay(project(env_py=IN_TURN, models_py=MODELS, settings_py=None, **history()))
    ran = subprocess.run(
        [COMMAND, "fix", str(here.project), "--python", sys.executable, "--write"],
        env=here.environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Tried on a copy: 1 finding gone." in ran.stdout, ran
    assert here.check().status == 0


def find_objects(reports: list[dict[str, Any]], check: str) -> list[list[str]]:
    """The objects of the findings of one check, for each database."""
    return [
        [verdict["object"] for verdict in report["verdicts"] if verdict["check"] == check]
        for report in reports
    ]


def ask(here: World, env_py: str, **files: str | None) -> list[dict[str, Any]]:
    """The report on each database."""
    here.lay(project(env_py=env_py, models_py=MODELS, settings_py=None, **(history() | files)))
    report: dict[str, Any] = json.loads(here.check("--format", "json").out)
    projects: list[dict[str, Any]] = report["projects"]
    return projects
