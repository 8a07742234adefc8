"""The folder in which a container's socket can lie, so that the container needs no network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from migration_gate.postgres import shared_folder
from migration_gate.postgres.shared_folder import SharedFolder, find_shared_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Docker has a machine")


def test_in_a_container_it_is_mounted_and_not_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkout" / "service").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "docker.sock").touch()
    monkeypatch.chdir(tmp_path / "checkout" / "service")
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    monkeypatch.setattr(shared_folder, "is_container", lambda: True)
    names = ("docker.sock", "checkout", "home")
    mounts = [{"Destination": str(tmp_path / name), "Source": f"/runner/{name}"} for name in names]
    monkeypatch.setattr(shared_folder, "_list_mounts", lambda: mounts)
    found = find_shared_folder(Path("/tmp"))
    assert found == SharedFolder(tmp_path / "home", Path("/runner/home"))
    assert found.translate(tmp_path / "home" / "run" / "socket") == "/runner/home/run/socket"


def test_a_daemon_on_another_machine_shares_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker:2375")
    assert find_shared_folder(Path("/tmp")) is None
