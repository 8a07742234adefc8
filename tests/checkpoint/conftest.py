"""A world for the projects of a test, and a cache of the gate's that all tests here share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.user_project import World, world


@pytest.fixture
def place() -> Iterator[World]:
    with world() as found:
        yield found


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with the clusters of all tests that use it; the folder of the checkpoints in it."""
    folder = tmp_path_factory.getbasetemp() / "cache-of-checkpoints"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "migration-gate" / "checkpoints"
