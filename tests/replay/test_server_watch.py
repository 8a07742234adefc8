"""A server that ends in the middle is told as that, whoever notices it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from migration_gate.errors import PostgresDied
from migration_gate.replay.server_watch import report_lost_sessions
from tests.support.replay_engine import Engine

pytestmark = pytest.mark.slow


class KilledProcess:
    """A server of which only its end is known."""

    def exit_reason(self) -> str:
        return "killed by signal 9"

    def log_tail(self, lines: int) -> str:
        return f"the last of {lines} lines"


def test_a_server_that_ends_as_soon_as_it_is_ready_is_no_fault_of_the_gate(
    engine: Engine, tmp_path: Path
) -> None:
    server = dataclasses.replace(engine.server, socket_directory=str(tmp_path), process=KilledProcess())
    with pytest.raises(PostgresDied, match="killed by signal 9"), report_lost_sessions(server):
        pytest.fail("nothing runs on a server that has ended")
