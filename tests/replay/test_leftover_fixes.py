"""What nothing uses any more has a fix that was run: it is dropped, and the models' copy is no witness."""

from __future__ import annotations

import pytest

from tests.support.empty_pass import describe_report, judge_project
from tests.support.replay_engine import Engine
from tests.support.user_project import revision

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("creation", "drop"),
    [
        ("CREATE TYPE shade AS ENUM ('dark')", "DROP TYPE public.shade"),
        ("CREATE SEQUENCE stray", "DROP SEQUENCE public.stray"),
    ],
)
def test_a_leftover_is_dropped_by_its_fix(engine: Engine, creation: str, drop: str) -> None:
    report = judge_project(engine, {"two_py": revision("two", "one", f'op.execute("{creation}")')}, {})
    assert drop in describe_report(report)
