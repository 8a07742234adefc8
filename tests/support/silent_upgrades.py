"""Replays of one revision for each body, and what silent-upgrade says of them."""

from __future__ import annotations

from migration_gate.check import Finding
from migration_gate.checks import silent_upgrade
from migration_gate.facts import Facts
from tests.support.alembic_projects import URL, Rev, after, lay
from tests.support.replay_engine import Engine, Ran


def replay_bodies(engine: Engine, made: str, *bodies: str, env_py: str = "", url: str = URL) -> Ran:
    """The replay of revision 0001 with the body `made`, and of a revision for each body, from 0002 on."""
    folder = lay(engine.folder(), after((Rev("0001", made),), *bodies), env_py, url=url)
    ran = engine.run(folder)
    assert ran.replay.failure is None, ran.replay.failure
    return ran


def execute(sql: str) -> str:
    """The body of a revision that runs it."""
    return f"op.execute({sql!r})"


def list_findings(ran: Ran) -> list[Finding]:
    return list(silent_upgrade.check(Facts("", ran.replay)))
