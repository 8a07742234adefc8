"""What every test shares: golden files, and an environment without CI's variables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.decoy_servers import forbidden, forbidden_place
from tests.support.replay_engine import engine, shared_engine
from tests.support.user_project import here

__all__ = ["engine", "forbidden", "forbidden_place", "here", "shared_engine"]  # fixtures

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files again")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module that is slow as a whole is not even imported where slow tests are not wanted."""
    if "not slow" not in str(config.option.markexpr) or collection_path.suffix != ".py":
        return None
    text = collection_path.read_text(encoding="utf-8")
    return True if re.search(r"^pytestmark = \[?\s*pytest\.mark\.slow", text, re.MULTILINE) else None


@pytest.fixture(autouse=True)
def scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the CI that runs the tests reaches them."""
    for variable in list(os.environ):
        if variable.startswith(("GITHUB_", "INPUT_", "ACTIONS_", "RUNNER_")) or variable == "CI":
            monkeypatch.delenv(variable)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text, whole, with `tests/golden/<name>`; `pytest --update` writes it."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), f"{file.name} is stale: look, then `pytest --update`"

    return compare
