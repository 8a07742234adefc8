"""A base that is examined after the change: nothing is shared with it, and it waits for nothing."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from migration_gate.change.base_examination import BaseExamination
from migration_gate.change.base_messages import BaseAnswer, NothingShared
from migration_gate.ci.base_revision import BaseRevision, Comparison, FileChange
from migration_gate.facts import Facts
from tests.support.example_reports import settings

COMPARISON = Comparison(BaseRevision("c" * 40, "the base"), (FileChange("M", "shop/models.py"),))


def test_a_second_process_is_told_that_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one may have taken the message that ends the list."""
    comparison: Future[Comparison] = Future()
    comparison.set_result(COMPARISON)
    runs: list[bool] = []

    def run_process(
        self: BaseExamination, _commit: str, _paths: tuple[str, ...], *, is_alone: bool
    ) -> BaseAnswer:
        runs.append(is_alone)
        assert self._shared.get(timeout=60) == NothingShared()
        return BaseAnswer(Facts("alone")) if is_alone else BaseAnswer(must_be_alone=True)

    monkeypatch.setattr(BaseExamination, "_run_process", run_process)
    with BaseExamination(settings("p"), Path("python"), comparison) as examination:
        assert examination.await_base(Facts()) is None
        base = examination.examine_alone()
    assert (runs, base.facts) == ([False, True], Facts("alone"))
