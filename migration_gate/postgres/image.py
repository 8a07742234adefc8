"""A server in a container, from any image that works as the official one does (postgis, pgvector, …)."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.container_start import (
    CHECK_NAME,
    USER,
    ContainerProcess,
    ContainerStart,
    remove_container,
)
from migration_gate.postgres.remote import PORT, open_remote_access
from migration_gate.postgres.server import Server, format_version
from migration_gate.postgres.service_advice import advise_service
from migration_gate.postgres.shared_folder import find_shared_folder
from migration_gate.sandbox.user import is_container

if TYPE_CHECKING:
    from docker import DockerClient

DEFAULT_IMAGE = "postgres:17"
"""what `auto` takes where only Docker is at hand"""
DAEMON_SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock", "~/.colima/default/docker.sock")
DAEMON_SECONDS = 10
"""for the daemon to answer a simple question"""
PULL_SECONDS = 60  # without a word from the daemon


@contextmanager
def start_image(image: str, *, folder: Path, reason: str) -> Iterator[Server]:
    """A server from this image, behind a socket of this run; the container is removed at the end.

    Raises PostgresNotFound if there is no daemon, no such image, or it does not become a server.
    """
    if problem := find_daemon_problem():
        raise _no_daemon_error(image, problem)
    token, password = f"migration_gate_{secrets.token_hex(12)}", secrets.token_urlsafe(24)
    shared = find_shared_folder(folder)
    with open_remote_access(folder, shared.path if shared else None) as access:
        notes = prepare_reaper()
        started = ContainerStart(image, token, password, access).run(shared)
        try:
            access.start_proxy(started.target)
            yield Server(
                socket_directory=str(access.socket_directory),
                port=PORT,
                user=USER,
                password=password,
                database="postgres",
                token=token,
                version=started.version,
                superuser=True,
                description=f"image {image}, PostgreSQL {format_version(started.version)}",
                reason=reason,
                notes=(*notes, *started.notes),
                log=None,
                process=ContainerProcess(started.container),
            )
        finally:
            remove_container(started.container)
            access.supervisor.set_final_cleanup(None)


def find_daemon_problem() -> str:
    """Why no Docker daemon can be used, for people; '' where one answers.

    Sets DOCKER_HOST if it is not set, for Docker's client here and in the final clean-up, and
    TESTCONTAINERS_CONNECTION_MODE in a container, because testcontainers mistakes its network there.
    """
    if not os.environ.get("DOCKER_HOST"):
        path = find_daemon_socket()
        if path is None:
            return f"no Docker daemon (no {DAEMON_SOCKETS[0]}, and DOCKER_HOST is not set)"
        os.environ["DOCKER_HOST"] = f"unix://{path}"
    if is_container():
        os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "gateway_ip")
    host = os.environ["DOCKER_HOST"]
    if problem := _find_socket_problem(host):
        return f"no Docker daemon answers: {host}: {problem}"
    import docker  # noqa: PLC0415 -- a sixth of a second, only for those who have a daemon

    try:
        with docker_client(DAEMON_SECONDS) as client:
            client.ping()
    except (docker.errors.DockerException, OSError) as error:
        return f"no Docker daemon answers: {error}"
    return ""


def find_daemon_socket() -> Path | None:
    """The first of the usual sockets that exists."""
    paths = (Path(socket_path).expanduser() for socket_path in DAEMON_SOCKETS)
    return next((path for path in paths if path.exists()), None)


def _find_socket_problem(host: str) -> str:
    """Why a daemon's Unix socket can't be connected to; '' if it can. (docker-py leaks one over it.)"""
    if not host.startswith("unix://"):
        return ""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(DAEMON_SECONDS)
        try:
            connection.connect(host.removeprefix("unix://"))
        except OSError as error:
            return error.strerror or str(error)
    return ""


@contextmanager
def docker_client(seconds: int) -> Iterator[DockerClient]:
    """A connection to the daemon. Every answer has to come within these seconds."""
    import docker  # noqa: PLC0415

    client = docker.from_env(timeout=seconds)
    try:
        yield client
    finally:
        client.close()


def is_image_present(image: str) -> bool:
    """Whether the daemon already has the image."""
    import docker  # noqa: PLC0415

    with docker_client(DAEMON_SECONDS) as client:
        try:
            client.images.get(image)
        except docker.errors.DockerException:
            return False
    return True


def pull_image(image: str) -> None:
    """Have the daemon pull the image unless it has it. Raises PostgresNotFound."""
    if problem := find_daemon_problem():
        raise _no_daemon_error(image, problem)
    if is_image_present(image):
        return
    if error := _pull(image):
        raise PostgresNotFound(
            f"The image {image} is needed, and cannot be pulled: {error}", advice=CHECK_NAME
        ) from error


def _pull(image: str) -> Exception | None:
    """Have the daemon pull the image; the error if that fails."""
    import docker  # noqa: PLC0415

    with docker_client(PULL_SECONDS) as client:
        try:
            client.images.pull(image)
        except (docker.errors.DockerException, OSError) as error:
            if (response := getattr(error, "response", None)) is not None:
                response.close()  # docker-py leaves it open
            return error
    return None


def _no_daemon_error(image: str, problem: str) -> PostgresNotFound:
    return PostgresNotFound(
        f"The image {image} is needed, and Docker is not at hand: {problem}", advice=advise_service(image)
    )


def prepare_reaper() -> tuple[str, ...]:
    """Pull the image of testcontainers' reaper (Ryuk) if it is missing. Returns a note if that fails.

    Ryuk removes the container if the gate and its supervisor are both killed. It is disabled without its
    image, as testcontainers would start no container at all.
    """
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415

    if testcontainers_config.ryuk_disabled or is_image_present(testcontainers_config.ryuk_image):
        return ()
    if _pull(testcontainers_config.ryuk_image):
        testcontainers_config.ryuk_disabled = True
        return ("the image of testcontainers' Ryuk can't be had: a cancelled job may leave the container",)
    return ()
