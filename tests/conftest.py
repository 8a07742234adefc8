"""What every test shares: golden files, and an environment without the variables of a CI system."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tests.support.decoy_servers import forbidden, forbidden_place
from tests.support.replay_engine import engine, shared_engine
from tests.support.user_project import here

__all__ = ["engine", "forbidden", "forbidden_place", "here", "shared_engine"]  # fixtures

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
os.environ["MIGRATION_GATE_CHECKPOINT"] = "off"
"""for every run of a test's: what an earlier one has kept in the user's cache must not decide"""
CI_PREFIXES = ("GITHUB_", "INPUT_", "ACTIONS_", "RUNNER_")

# How long an example takes depends on what else the machine does, and no test may.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the golden files again; only tests that have one run"
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One process more than there are cores (`-n auto`): slow tests wait for servers and other processes."""
    are_fast = "not slow" in str(config.option.markexpr)
    return None if are_fast else (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--update`, keep the tests that compare with a golden file."""
    if not config.getoption("--update"):
        return
    with_golden = [item for item in items if "golden" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in with_golden])
    items[:] = with_golden


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module that is slow as a whole is not even imported where slow tests are not wanted."""
    if "not slow" not in str(config.option.markexpr) or collection_path.suffix != ".py":
        return None
    text = collection_path.read_text(encoding="utf-8")
    return True if re.search(r"^pytestmark = \[?\s*pytest\.mark\.slow", text, re.MULTILINE) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were skipped: one line a reason, however many tests it concerns."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()))
    for reason, number in sorted(reasons.items()):
        terminalreporter.write_line(f"SKIPPED {number}: {reason.removeprefix('Skipped: ')}", yellow=True)


@pytest.fixture(autouse=True)
def scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the CI that runs the tests reaches them."""
    for variable in list(os.environ):
        if variable.startswith(CI_PREFIXES) or variable == "CI":
            monkeypatch.delenv(variable)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str | Path, str], None]:
    """Compare a text, whole, with a file below `tests/golden` (or an absolute path); `--update` writes it."""

    def compare(name: str | Path, text: str) -> None:
        file = GOLDEN / name
        shown = file.relative_to(ROOT)
        if request.config.getoption("--update"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if not file.exists():
            pytest.fail(f"{shown} is missing: run `make update`, then look at it", pytrace=False)
        assert text == file.read_text(encoding="utf-8"), f"{shown} differs: look, then `make update`"

    return compare
