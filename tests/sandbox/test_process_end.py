"""The end of a process is waited for, with descriptors of processes and without."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from migration_gate.sandbox.process_end import wait_for_process


@pytest.fixture(params=["descriptor", "pauses"])
def process(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[bytes]]:
    if request.param == "pauses":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        yield started
        if started.stdin is not None:
            started.stdin.close()


def test_a_process_that_goes_on_has_not_ended(process: subprocess.Popen[bytes]) -> None:
    assert not wait_for_process(process, 0.01)
    assert process.returncode is None


def test_the_end_of_a_process_is_seen(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert wait_for_process(process, 60)
    assert process.returncode == 0
    assert wait_for_process(process, 60), "also when it is known already"
