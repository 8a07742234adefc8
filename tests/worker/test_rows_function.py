"""A function of the project's that adds rows is called, and one that would not run is refused."""

from __future__ import annotations

from typing import Any

import pytest

from migration_gate.worker.rows_function import call_rows_function


class FakeRecorder:
    """Knows which file's statements are recorded."""

    file = ""

    def begin_step(self, file: str) -> None:
        self.file = file


def add_rows(connection: list[str]) -> int:
    connection.append("row")
    return 1


async def add_later(connection: list[str]) -> None:
    connection.append("row")


def add_lazily(connection: list[str]) -> Any:
    connection.append("row")
    yield


def call(name: str) -> tuple[list[str], FakeRecorder]:
    rows: list[str] = []
    recorder: Any = FakeRecorder()
    call_rows_function(f"{__name__}:{name}", rows, recorder)
    return rows, recorder


def test_it_is_called_with_the_connection_and_its_file_is_watched() -> None:
    rows, recorder = call("add_rows")
    assert rows == ["row"]
    assert recorder.file == __file__


@pytest.mark.parametrize(("name", "kind"), [("add_later", "coroutine"), ("add_lazily", "generator")])
def test_what_nobody_would_run_is_refused(name: str, kind: str) -> None:
    with pytest.raises(TypeError, match=rf"{name}\(\) returned {kind}, which nobody runs"):
        call(name)


def test_what_is_not_there_is_the_import_s_own_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        call("missing")
