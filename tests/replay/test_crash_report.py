"""What an interpreter printed that ended: the project's own frames stay, the worker's go."""

from __future__ import annotations

import pytest

from migration_gate.replay.crash_report import build_failure_line, remove_foreign_frames

FATAL_ERROR = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n"


@pytest.mark.parametrize("file", ["/app/worker/tasks.py", "/app/shop/models.py", "/app/migrations/env.py"])
def test_a_frame_of_the_project_is_shown(file: str) -> None:
    frame = f'  File "{file}", line 3 in make_table'
    assert remove_foreign_frames(frame) == frame
    (shown,) = build_failure_line("replay", "0001", "it ended", FATAL_ERROR + frame).error.frames
    assert (shown.file, shown.line, shown.function) == (file, 3, "make_table")


@pytest.mark.parametrize(
    "file",
    [
        "/opt/migration_gate/worker/upgrade.py",
        "/opt/migration_gate/worker/protocol/order.py",
        "/tmp/migration-gate-run/migration_gate_worker/session.py",
        "/usr/lib/python3.12/runpy.py",
        "/venv/lib/python3.12/site-packages/sqlalchemy/engine/base.py",
        "<frozen importlib._bootstrap>",
    ],
)
def test_a_frame_of_other_code_is_left_out(file: str) -> None:
    frame = f'  File "{file}", line 3 in run'
    assert remove_foreign_frames(frame) == ""
    assert build_failure_line("replay", "0001", "it ended", FATAL_ERROR + frame).error.frames == ()
