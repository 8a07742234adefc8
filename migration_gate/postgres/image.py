"""A server in a container, from any image that works as the official one does (postgis, pgvector, …)."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.remote import PORT, open_remote_access
from migration_gate.postgres.remote_cleanup import cleanup_of_container
from migration_gate.postgres.server import Server, format_version
from migration_gate.postgres.server_settings import server_arguments
from migration_gate.postgres.service_advice import advise_service
from migration_gate.sandbox.user import is_container

if TYPE_CHECKING:
    from docker import DockerClient
    from testcontainers.core.container import DockerContainer

    from migration_gate.postgres.socket_proxy import ProxyTarget

DEFAULT_IMAGE = "postgres:17"
"""what `auto` takes where only Docker is at hand"""
DAEMON_SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock", "~/.colima/default/docker.sock")
DAEMON_SECONDS = 10
"""for the daemon to answer a simple question"""
PULL_SECONDS = 60  # without a word from the daemon
READY_SECONDS = 120.0
POLL_SECONDS = 0.1
MEMORY_FOLDER = "/migration-gate"
"""in the container: a file system in memory, for the cluster"""
USER = "postgres"
CHECK_NAME = "Check the name, `docker pull` it by hand, and log in to its registry if it needs that."
LOG_LINES = 20
"""of the container's log that are shown if it does not become a server"""


@dataclass(frozen=True, slots=True)
class ContainerProcess:
    """What is known of a server in a container."""

    container: DockerContainer

    def exit_reason(self) -> str:
        """How the container ended; '' while it runs."""
        import docker  # noqa: PLC0415

        container = self.container.get_wrapped_container()
        try:
            container.reload()
        except docker.errors.NotFound:
            return "the container was removed"
        except docker.errors.DockerException as error:
            return f"the Docker daemon does not answer: {error}"
        if container.status in ("created", "running"):
            return ""
        return f"the container is {container.status}, exit status {container.attrs['State'].get('ExitCode')}"

    def log_tail(self, lines: int) -> str:
        """The last lines of the container's log."""
        import docker  # noqa: PLC0415

        try:
            log = self.container.get_wrapped_container().logs(tail=lines)
        except docker.errors.DockerException:
            return ""
        return bytes(log).decode(errors="replace").rstrip()


@contextmanager
def start_image(image: str, *, folder: Path, reason: str) -> Iterator[Server]:
    """A server from this image, behind a socket of this run; the container is removed at the end.

    Raises PostgresNotFound if there is no daemon, no such image, or it does not become a server.
    """
    from migration_gate.postgres.socket_proxy import ProxyTarget  # noqa: PLC0415 - with asyncio and TLS

    if problem := find_daemon_problem():
        raise _no_daemon_error(image, problem)
    token, password = f"migration_gate_{secrets.token_hex(12)}", secrets.token_urlsafe(24)
    with open_remote_access(folder) as access:
        notes = prepare_reaper()
        container = define_container(image, token, password)
        try:
            start_container(container, image)
            container_id = container.get_wrapped_container().id
            access.supervisor.set_final_cleanup(cleanup_of_container(container_id))
            target = ProxyTarget(container.get_container_host_ip(), int(container.get_exposed_port(5432)))
            version = wait_for_server(container, target, password, image)
            access.start_proxy(target)
            yield Server(
                socket_directory=str(access.socket_directory),
                port=PORT,
                user=USER,
                password=password,
                database="postgres",
                token=token,
                version=version,
                superuser=True,
                description=f"image {image}, PostgreSQL {format_version(version)}",
                reason=reason,
                notes=notes,
                log=None,
                process=ContainerProcess(container),
            )
        finally:
            remove_container(container)
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


def define_container(image: str, token: str, password: str) -> DockerContainer:
    """The container, not started yet: its cluster lies in memory, with the settings of a temporary server."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    return (
        DockerContainer(image)
        .with_env("POSTGRES_PASSWORD", password)
        .with_env("PGDATA", f"{MEMORY_FOLDER}/data")
        .with_env("POSTGRES_INITDB_ARGS", "--no-sync --encoding=UTF8 --locale=C.UTF-8 --lc-messages=C")
        .with_command(["postgres", *server_arguments(token)])
        .with_exposed_ports(5432)
        .with_tmpfs_mount(MEMORY_FOLDER)
    )


def start_container(container: DockerContainer, image: str) -> None:
    """Pull the image where needed, and start the container. Raises PostgresNotFound."""
    import docker  # noqa: PLC0415

    try:
        container.start()
    except docker.errors.ImageNotFound as error:
        raise PostgresNotFound(
            f"The image {image} is needed, and Docker has none of that name: {error.explanation}",
            advice=CHECK_NAME,
        ) from error
    except (docker.errors.DockerException, OSError) as error:
        raise PostgresNotFound(
            f"The image {image} could not be started: {error}",
            advice=f"`docker run --rm -e POSTGRES_PASSWORD=x {image}` by hand should fail the same way.",
        ) from error


def wait_for_server(container: DockerContainer, target: ProxyTarget, password: str, image: str) -> int:
    """Wait until the server accepts connections, and return its server_version_num.

    By connecting, not by reading the log: it says "ready" for the server that initdb starts, too, which has
    no TCP. Raises PostgresNotFound.
    """
    import psycopg  # noqa: PLC0415

    process = ContainerProcess(container)
    deadline = time.monotonic() + READY_SECONDS
    last_error = "no answer"
    while time.monotonic() < deadline and not process.exit_reason():
        try:
            with psycopg.connect(
                host=target.host, port=target.port, user=USER, password=password, dbname="postgres",
                connect_timeout=5, sslmode="disable", gssencmode="disable", options="", hostaddr="",
            ) as connection:  # fmt: skip
                return connection.info.server_version
        except psycopg.OperationalError as error:
            last_error = str(error).strip()
            time.sleep(POLL_SECONDS)
    raise PostgresNotFound(
        f"image {image} should become a Postgres server within {READY_SECONDS:.0f} s; "
        f"found {process.exit_reason() or last_error}",
        advice="Take an image that works as the official postgres does, such as postgis/postgis:17-3.5.",
        evidence=process.log_tail(LOG_LINES),
    )


def remove_container(container: DockerContainer) -> None:
    """Remove the container with its volumes, if it was started and still exists."""
    import docker  # noqa: PLC0415

    try:
        container.stop(force=True, delete_volume=True)
    except docker.errors.NotFound:
        pass
    finally:
        container.get_docker_client().client.close()
