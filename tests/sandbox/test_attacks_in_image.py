"""The attacks in the built image, in one container: each alone, from the worker and the server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sandbox.process_attacks import PROCESS_ATTACKS
from tests.sandbox.socket_attacks import ATTACKS
from tests.support.action_image import built_image, run_docker

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.release]
TESTS = Path(__file__).parents[1]
ERRORS = ("AssertionError", "SyntaxError", "NameError", "ModuleNotFoundError")
NAMES = [
    *(f"{where}: {attack.name}" for where in ("worker", "server") for attack in ATTACKS),
    *(f"process: {attack.name}" for attack in PROCESS_ATTACKS),
]


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, object]]:
    """What came of each."""
    done = run_docker(
        "run", "--rm", "--volume", f"{TESTS}:/attacks/tests:ro", "--env", "PYTHONPATH=/attacks",
        "--entrypoint", "/opt/migration-gate/bin/python", built_image(),
        "-m", "tests.sandbox.attacks_in_image",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    loaded: dict[str, dict[str, object]] = json.loads(done.stdout)
    return loaded


def test_the_decoy_counts_who_comes_without_a_sandbox(results: dict[str, dict[str, object]]) -> None:
    assert results["outside"]["harm"] == 1


@pytest.mark.parametrize("name", NAMES)
def test_nobody_comes_out(results: dict[str, dict[str, object]], name: str) -> None:
    assert results[name]["harm"] == 0, results[name]["output"]
    assert not [error for error in ERRORS if error in str(results[name]["output"])], results[name]["output"]
