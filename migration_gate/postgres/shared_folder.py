"""Finds a folder that the gate and the Docker daemon both see: a container's socket can lie there."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.sandbox.user import is_container

LOCAL_DAEMON = "unix://"
CONTAINER_ID = re.compile(r"containers/([0-9a-f]{64})/")
"""in the paths of the files that Docker and podman mount into each container"""
DAEMON_SECONDS = 10


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """A folder for the run's own one."""

    path: Path
    """here"""
    daemon_path: Path
    """on the daemon's machine"""

    def translate(self, path: Path) -> str:
        """Where the daemon finds what lies below the folder."""
        return str(self.daemon_path / path.relative_to(self.path))


def find_shared_folder(folder: Path) -> SharedFolder | None:
    """In a container it is a mounted folder, if there is one; elsewhere, on the daemon's machine, `folder`.

    It is not the checkout: a killed run would leave its files there. None if the daemon is on another
    machine. Whether the daemon sees the folder is not certain: it refuses to mount one that it does not have.
    """
    if sys.platform != "linux" or not os.environ.get("DOCKER_HOST", "").startswith(LOCAL_DAEMON):
        return None
    same = SharedFolder(folder.absolute(), folder.absolute())
    return next(_list_mounted_folders(), same) if is_container() else same


def _list_mounted_folders() -> Iterator[SharedFolder]:
    for mount in _list_mounts():
        path = Path(mount["Destination"])
        is_checkout = Path.cwd().is_relative_to(path)
        if path.is_dir() and not is_checkout and os.access(path, os.W_OK | os.X_OK):
            yield SharedFolder(path, Path(mount["Source"]))


def _list_mounts() -> list[Mapping[str, str]]:
    """What is mounted into this container, folders for temporary files first."""
    import docker  # noqa: PLC0415

    match = CONTAINER_ID.search(Path("/proc/self/mountinfo").read_text("utf-8", "replace"))
    if match is None:
        return []
    client = docker.from_env(timeout=DAEMON_SECONDS)
    try:
        mounts: list[Mapping[str, str]] = client.containers.get(match[1]).attrs["Mounts"]
    except docker.errors.DockerException:
        return []
    finally:
        client.close()
    temporary = (tempfile.gettempdir(), os.environ.get("RUNNER_TEMP", ""), os.environ.get("HOME", ""))
    return sorted(mounts, key=lambda mount: mount["Destination"] not in temporary)
