"""What an attempt that failed has made for the whole server is gone when the next one runs."""

from __future__ import annotations

import pytest

from migration_gate.config.settings import PrepareStep
from tests.support.empty_pass import describe_report, judge_project
from tests.support.replay_engine import Engine
from tests.support.user_project import ENV

pytestmark = pytest.mark.slow

MAKE_ROLE = """with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as first:
    if first.exec_driver_sql("SELECT to_regclass('item')").scalar() is None:
        first.exec_driver_sql("CREATE ROLE gate_test_made")
        first.exec_driver_sql("GRANT USAGE ON SCHEMA public TO gate_test_made")
import os
os.environ["SHOP_LICENCE"]
with engine.connect() as connection:
"""
ROLES = "select rolname from pg_roles where rolname like 'gate_test%' order by 1"


@pytest.mark.parametrize("prepared", [(), (PrepareStep("sql", "CREATE ROLE gate_test_prepared"),)])
def test_a_role_of_a_failed_attempt_is_dropped_and_one_of_prepare_stays(
    engine: Engine, prepared: tuple[PrepareStep, ...]
) -> None:
    env = ENV.replace("with engine.connect() as connection:\n", MAKE_ROLE)
    try:
        report = judge_project(engine, {"env_py": env}, {"prepare": prepared})
        assert report.status == 0, describe_report(report)
        with engine.server.connect() as connection:
            roles = [name for (name,) in connection.execute(ROLES)]
        assert roles == ["gate_test_made", *("gate_test_prepared" for _ in prepared)]
    finally:
        with engine.server.connect() as connection:
            connection.execute("DROP ROLE IF EXISTS gate_test_made, gate_test_prepared")
