"""One env.py that migrates several databases: each is one of its own, compared with its own models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.user_project import World, project, revision

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


@pytest.mark.parametrize("env_py", [IN_TURN, AT_ONCE], ids=["in turn", "at once, in two phases"])
def test_each_database_is_compared_with_its_own_models(here: World, env_py: str) -> None:
    status, objects = judge(here, env_py)
    assert (status, objects) == (1, {"(main)": [], "(events)": ["event.body"]})


def test_databases_with_the_same_models_are_judged_once(here: World) -> None:
    assert judge(here, SHARDS) == (0, {"(shard)": []})
