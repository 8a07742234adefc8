"""Fixes where env.py runs each revision once for each tenant's schema."""

from __future__ import annotations

import pytest

from migration_gate.facts import Replay
from tests.support.empty_pass import judge_project
from tests.support.replay_engine import Engine
from tests.support.user_project import revision

pytestmark = pytest.mark.slow
ENV = """
from alembic import context
from sqlalchemy import create_engine, text
from shop.models import Base
from shop.settings import URL

with create_engine(URL).connect() as connection:
    for tenant in ("north", "south"):
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS %s" % tenant))
        connection.execute(text("SET search_path TO %s" % tenant))
        connection.commit()
        connection.dialect.default_schema_name = tenant
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
"""


def judge(engine: Engine, two: str) -> Replay:
    """The replay of revisions of which the first makes the table with a shorter name than the model's."""
    files = {"env_py": ENV, "two_py": revision("two", "one", two)}
    facts = judge_project(engine, files, {}).facts
    assert facts is not None
    return facts.replay


def test_lines_for_tenants_name_no_schema_and_stand_once_in_the_revision(engine: Engine) -> None:
    replay = judge(engine, "pass")
    lines = {item.upgrade for item in replay.differences if item.kind == "type"}
    assert len(lines) == 1
    assert replay.drift_revision is not None
    assert replay.drift_revision.upgrade.count("type_=sa.String(length=50)") == 1
    assert "schema=" not in replay.drift_revision.upgrade + replay.drift_revision.downgrade
    assert replay.drift_revision.left_out == ()


def test_lines_that_one_tenant_alone_needs_are_not_offered(engine: Engine) -> None:
    replay = judge(engine, 'op.execute("ALTER TABLE north.item ADD COLUMN IF NOT EXISTS extra integer")')
    (extra,) = [item for item in replay.differences if item.column == "extra"]
    assert extra.upgrade == ""
    assert "not all of these need it" in extra.fix_refused
    assert replay.drift_revision is not None
    assert "extra" not in replay.drift_revision.upgrade


def test_lines_of_a_rename_would_name_a_tenant_and_are_not_offered(engine: Engine) -> None:
    replay = judge(engine, 'op.alter_column("item", "name", new_column_name="names")')
    hinted = [item for item in replay.differences if item.rename_hint]
    assert hinted
    assert [item.rename_fix for item in hinted] == [None] * len(hinted)
