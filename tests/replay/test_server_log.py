"""Errors in the server's log, found by their database."""

from __future__ import annotations

from pathlib import Path

from migration_gate.replay.server_log import find_first_error


def test_a_log_without_an_error_has_no_first_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("")
    assert find_first_error(log, "anything") is None
