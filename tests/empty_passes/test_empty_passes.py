"""Every way to an empty pass is noticed, and named."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import pytest

from tests import empty_passes
from tests.empty_passes import filters
from tests.support.empty_pass import EmptyPass, assert_is_said, describe_report, judge_project
from tests.support.project_files import revision_text
from tests.support.release_tests import spread_over_every_run
from tests.support.replay_engine import Engine
from tests.support.user_project import CREATE

pytestmark = pytest.mark.slow
AREAS = [
    module.name
    for module in pkgutil.iter_modules(empty_passes.__path__)
    if not module.name.startswith("test_")
]
WAYS: list[EmptyPass] = [
    way for area in AREAS for way in importlib.import_module(f"{empty_passes.__name__}.{area}").WAYS
]
FEWEST = 40
"""how many ways the list must have"""


def test_the_clean_project_passes(engine: Engine) -> None:
    report = judge_project(engine, {}, {})
    assert (report.status, report.verdicts) == (0, ()), describe_report(report)


def test_the_list_is_long_and_names_each_way_once() -> None:
    assert [name for name, number in Counter(way.name for way in WAYS).items() if number > 1] == []
    assert len(WAYS) >= FEWEST
    assert all(way.says or way.notes for way in WAYS)


@pytest.mark.parametrize("way", spread_over_every_run(WAYS, 5), ids=lambda way: way.name)
def test_a_way_to_an_empty_pass_is_named(way: EmptyPass, engine: Engine) -> None:
    assert_is_said(way, engine)


FROZEN_MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class OldItem(Base):
    __tablename__ = "item"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(50), nullable=False)
"""
HARMLESS = {
    "a copy of the models beside the revisions": revision_text(
        "one",
        None,
        """
        from migrations.frozen import Base
        Base.metadata.create_all(op.get_bind())
        """,
    ),
    "a table of the revision's own": revision_text(
        "one",
        None,
        """
        item = sa.Table(
            "item", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", sa.String(50), nullable=False),
        )
        item.create(op.get_bind())
        """,
    ),
    "rows through a model, and a model's DDL as a text that nobody runs": revision_text(
        "one",
        None,
        f"""
        {CREATE.replace("sa.String(40)", "sa.String(50), nullable=False")}
        from shop.models import Item
        str(sa.schema.CreateIndex(sa.Index("ix_other", Item.name)))
        op.bulk_insert(Item.__table__, [{{"name": "a"}}])
        op.get_bind().execute(sa.select(Item.__table__.c.name)).fetchall()
        Item.__table__.indexes.clear()
        """,
    ),
}
"""revisions that use models, and create nothing from them"""


@pytest.mark.parametrize("name", HARMLESS)
def test_a_revision_may_use_models(name: str, engine: Engine) -> None:
    files = {
        "one_py": HARMLESS[name],
        "two_py": None,
        "migrations/__init__.py": "",
        "migrations/frozen.py": FROZEN_MODELS,
    }
    report = judge_project(engine, files, {})
    assert (report.status, report.verdicts) == (0, ()), describe_report(report)


@pytest.mark.parametrize("way", filters.EXPLAINED, ids=lambda way: way.name)
def test_a_filter_with_a_reason_passes(way: EmptyPass, engine: Engine) -> None:
    assert_is_said(way, engine)
