"""Which caches neither the project's code nor the server may write to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.config.settings import Settings
from migration_gate.postgres.binaries import Installation, InstallationSearch
from migration_gate.replay.confinement import list_caches
from migration_gate.replay.server_preparation import prepare_server


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a project with a cache of its own and one at the top of its repository."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    project = tmp_path / "checkout" / "service"
    for folder in (project, tmp_path / "checkout" / ".git", tmp_path / "checkout" / ".migration-gate-cache"):
        folder.mkdir(parents=True)
    return Settings(
        name="x", root=project, working_directory=project, cache=tmp_path / "named", postgres="local"
    )


def test_all_caches_are_protected_wherever_they_are(settings: Settings, tmp_path: Path) -> None:
    names = [str(path.relative_to(tmp_path)) for path in list_caches(settings) if tmp_path in path.parents]
    assert names == ["user/migration-gate", "named", "checkout/.migration-gate-cache"]


def test_the_server_is_kept_out_of_them(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = Installation(Path("/programs"), "17.1")
    monkeypatch.setattr(
        "migration_gate.postgres.server_search.find_installations",
        lambda: InstallationSearch((installation,), ()),
    )
    plans = []

    def run() -> Iterator[object]:
        plans.append((yield from prepare_server(settings)))

    assert [*run()]
    assert list(plans[0].caches) == list_caches(settings)
