"""What the tests of whole commands share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.user_project import World


@pytest.fixture
def command_says(
    here: World, golden: Callable[[str, str], None], request: pytest.FixtureRequest
) -> Callable[..., None]:
    """Run the command, and compare status and message, whole, with the golden file of the test's name."""

    def compare(status: int, *options: str, **env: str) -> None:
        ran = here.check(*options, env=env)
        assert ran.status == status, ran.said
        name = request.node.name.removeprefix("test_").replace("_", "-")
        golden(f"bad-input/{name}.txt", here.plain(ran.complaints + ran.out))

    return compare
