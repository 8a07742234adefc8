"""A base that is examined after the change: nothing is shared with it, and it waits for nothing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from migration_gate.change.base_examination import BaseExamination
from migration_gate.change.base_messages import BaseAnswer, NothingShared
from migration_gate.ci.base_revision import BaseRevision, Comparison, FileChange
from migration_gate.errors import Broken
from migration_gate.facts import Facts
from tests.support.example_reports import settings

COMPARISON = Comparison(BaseRevision("c" * 40, "the base"), (FileChange("M", "shop/models.py"),))


KILLED_WHILE_IT_ANSWERS = """
import os, pickle, signal, sys
os.write(int(sys.argv[1]), pickle.dumps("an answer that is long")[:12])
os.kill(os.getpid(), signal.SIGKILL)
"""


def make_examination() -> BaseExamination:
    comparison: Future[Comparison] = Future()
    comparison.set_result(COMPARISON)
    return BaseExamination(settings("p"), Path("python"), comparison)


def test_a_process_that_is_killed_while_it_answers_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: BaseExamination, answer: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", KILLED_WHILE_IT_ANSWERS, str(answer)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[answer])

    monkeypatch.setattr(BaseExamination, "_start", start)
    with (
        make_examination() as examination,
        pytest.raises(Broken, match=r"was killed by signal 9 \(SIGKILL\)"),
    ):
        examination.await_base(Facts())


def test_a_second_process_is_told_that_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one may have taken the message that ends the list."""
    runs: list[bool] = []

    def run_process(
        self: BaseExamination, _commit: str, _paths: tuple[str, ...], *, is_alone: bool
    ) -> BaseAnswer:
        runs.append(is_alone)
        assert self._shared.get(timeout=60) == NothingShared()
        return BaseAnswer(Facts("alone")) if is_alone else BaseAnswer(must_be_alone=True)

    monkeypatch.setattr(BaseExamination, "_run_process", run_process)
    with make_examination() as examination:
        assert examination.await_base(Facts()) is None
        base = examination.examine_alone()
    assert (runs, base.facts) == ([False, True], Facts("alone"))
