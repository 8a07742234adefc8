"""Every way to an empty pass is noticed, and named."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import pytest

from tests import empty_passes
from tests.support.empty_pass import EmptyPass, assert_is_said, describe_report, judge_project
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow
AREAS = [
    module.name
    for module in pkgutil.iter_modules(empty_passes.__path__)
    if not module.name.startswith("test_")
]
WAYS: list[EmptyPass] = [
    way for area in AREAS for way in importlib.import_module(f"{empty_passes.__name__}.{area}").WAYS
]
FEWEST = 2
"""how many ways the list must have"""


def test_the_clean_project_passes(engine: Engine) -> None:
    report = judge_project(engine, {}, {})
    assert (report.status, report.verdicts) == (0, ()), describe_report(report)


def test_the_list_is_long_and_names_each_way_once() -> None:
    assert [name for name, number in Counter(way.name for way in WAYS).items() if number > 1] == []
    assert len(WAYS) >= FEWEST
    assert all(way.says or way.notes for way in WAYS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_way_to_an_empty_pass_is_named(way: EmptyPass, engine: Engine) -> None:
    assert_is_said(way, engine)
