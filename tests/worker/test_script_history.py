"""A history that cannot be read is a finding about its revisions, whatever they do when they are imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, cast

import pytest

from migration_gate.worker.answer_stream import AnswerStream
from migration_gate.worker.protocol.history_lines import HistoryRead
from migration_gate.worker.script_history import ScriptHistory
from migration_gate.worker.setting_calls import parse_file


class Script:
    """A ScriptDirectory, one of whose revisions raises an error when it is imported."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def walk_revisions(self) -> NoReturn:
        raise self._error


class Answer:
    """An answer that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def send(self, line: object) -> None:
        self.lines.append(line)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("odd"), "odd"),
        (SystemExit("not today"), "the project's code called sys.exit('not today')"),
        (SystemExit(0), "the project's code called sys.exit(0)"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_revision_that_raises_or_exits_is_named(error: BaseException, words: str) -> None:
    answer = Answer()
    history = ScriptHistory(Script(error), cast("AnswerStream", answer))
    assert history.send_once() is False
    (line,) = answer.lines
    assert isinstance(line, HistoryRead)
    assert line.error is not None
    assert words in line.error.message


def test_a_file_with_a_very_long_sum_has_no_tree(tmp_path: Path) -> None:
    (tmp_path / "sum.py").write_text("TEXT = " + " + ".join(["'a'"] * 20_000))
    assert parse_file(str(tmp_path / "sum.py")) is None
