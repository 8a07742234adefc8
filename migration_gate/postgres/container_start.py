"""Starts the container of a server: without a network, if its socket can lie in a folder of this machine.

A migration may have the server run programs (`COPY … FROM PROGRAM`). On Docker's network these would reach
other containers, this machine, and the internet. Without a network they reach nothing outside of the
container, and the gate reaches the server by its Unix socket, in a folder that is mounted into the container.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.remote import RemoteAccess
from migration_gate.postgres.remote_cleanup import cleanup_of_container
from migration_gate.postgres.server_settings import server_arguments
from migration_gate.postgres.shared_folder import SharedFolder

if TYPE_CHECKING:
    import psycopg
    from testcontainers.core.container import DockerContainer

    from migration_gate.postgres.proxy_target import ProxyTarget

READY_SECONDS = 120.0
POLL_SECONDS = 0.1
MEMORY_FOLDER = "/migration-gate"
"""in the container: a file system in memory, for the cluster"""
SOCKET_FOLDER = "/migration-gate-socket"
"""in the container: the folder that it shares with the gate"""
IMAGE_SOCKET_FOLDER = "/var/run/postgresql"
"""in the container: where the programs of the image look for the socket"""
USER = "postgres"
CHECK_NAME = "Check the name, `docker pull` it by hand, and log in to its registry if it needs that."
LOG_LINES = 20
"""of the container's log that are shown if it does not become a server"""
LISTENING = "listening on IPv"
"""in the log of the server, though not of the one that the image starts to make its cluster"""
LISTENING_ATTEMPTS = 50
"""to connect to a server that listens, before its folder is taken for one that is not shared"""
ON_A_NETWORK = (
    "the server's container has a network, because its socket could not be shared with it: programs that a "
    "migration runs in the server (COPY … FROM PROGRAM) reach other containers, this machine and the internet"
)


class ContainerNotStarted(PostgresNotFound):
    """The daemon has the image, and does not start a container of it."""


class SocketNotShared(Exception):
    """The server runs, and its socket does not work on this side of the folder."""


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


@dataclass(frozen=True, slots=True)
class StartedContainer:
    """A container whose server accepts connections."""

    container: DockerContainer
    target: ProxyTarget
    version: int
    """server_version_num"""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContainerStart:
    """One start of a server; if it fails, its container is removed."""

    image: str
    token: str
    """its cluster_name"""
    password: str
    access: RemoteAccess

    def run(self, shared: SharedFolder | None) -> StartedContainer:
        """Start it without a network; with one if no folder can be shared. Raises PostgresNotFound."""
        if shared is not None and self.access.shared_directory is not None:
            started = self._start_isolated(shared, self.access.shared_directory)
            if started is not None:
                return started
        return self._start_on_network()

    def _start_isolated(self, shared: SharedFolder, directory: Path) -> StartedContainer | None:
        """None if the daemon has no such folder, or no socket comes through it."""
        import docker  # noqa: PLC0415

        from migration_gate.postgres.proxy_target import ProxyTarget  # noqa: PLC0415 - with TLS

        directory.chmod(0o700)  # the server asks nobody for a password who connects by its socket
        socket_folder = directory / "socket"
        socket_folder.mkdir()
        socket_folder.chmod(0o777)  # for the account in the container
        source = shared.translate(socket_folder)
        mount = docker.types.Mount(SOCKET_FOLDER, source, type="bind")  # unlike a volume, it has to exist
        container = define_container(self.image, self.token, self.password, SOCKET_FOLDER)
        container.with_kwargs(network_mode="none", mounts=[mount])
        try:
            return self._start(container, lambda: ProxyTarget(str(socket_folder), 5432), ())
        except (SocketNotShared, ContainerNotStarted):
            return None

    def _start_on_network(self) -> StartedContainer:
        from migration_gate.postgres.proxy_target import ProxyTarget  # noqa: PLC0415 - with TLS

        container = define_container(self.image, self.token, self.password).with_exposed_ports(5432)

        def find_target() -> ProxyTarget:
            return ProxyTarget(container.get_container_host_ip(), int(container.get_exposed_port(5432)))

        return self._start(container, find_target, (ON_A_NETWORK,))

    def _start(
        self, container: DockerContainer, find_target: Callable[[], ProxyTarget], notes: tuple[str, ...]
    ) -> StartedContainer:
        try:
            start_container(container, self.image)
            container_id = container.get_wrapped_container().id
            self.access.supervisor.set_final_cleanup(cleanup_of_container(container_id))
            target = find_target()
            version = wait_for_server(container, target, self.password, self.image)
        except BaseException:
            remove_container(container)
            self.access.supervisor.set_final_cleanup(None)
            raise
        return StartedContainer(container, target, version, notes)


def define_container(image: str, token: str, password: str, socket_folder: str = "") -> DockerContainer:
    """The container, not started yet: its cluster lies in memory, with the settings of a temporary server.

    socket_folder: a folder in the container that gets a second socket.
    """
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    sockets = (
        ("-c", f"unix_socket_directories={IMAGE_SOCKET_FOLDER},{socket_folder}") if socket_folder else ()
    )
    return (
        DockerContainer(image)
        .with_env("POSTGRES_PASSWORD", password)
        .with_env("PGDATA", f"{MEMORY_FOLDER}/data")
        .with_env("POSTGRES_INITDB_ARGS", "--no-sync --encoding=UTF8 --locale=C.UTF-8 --lc-messages=C")
        .with_command(["postgres", *server_arguments(token), *sockets])
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
        raise ContainerNotStarted(
            f"The image {image} could not be started: {error}",
            advice=f"`docker run --rm -e POSTGRES_PASSWORD=x {image}` by hand should fail the same way.",
        ) from error


def wait_for_server(container: DockerContainer, target: ProxyTarget, password: str, image: str) -> int:
    """Wait until the server accepts connections, and return its server_version_num.

    By connecting, not by reading the log: it says "ready" for the server that initdb starts, too, which has
    no TCP. Raises PostgresNotFound, and SocketNotShared if the server listens and is not to be reached.
    """
    import psycopg  # noqa: PLC0415

    process = ContainerProcess(container)
    deadline = time.monotonic() + READY_SECONDS
    last_error = "no answer"
    attempts = 0
    while time.monotonic() < deadline and not process.exit_reason():
        try:
            with _connect(target, password) as connection:
                if connection.execute("SHOW listen_addresses").fetchone() != ("",):
                    return connection.info.server_version
        except psycopg.OperationalError as error:
            last_error = str(error).strip()
            if target.host.startswith("/") and LISTENING in process.log_tail(LOG_LINES):
                attempts += 1
        if attempts > LISTENING_ATTEMPTS:
            raise SocketNotShared(last_error)
        time.sleep(POLL_SECONDS)
    raise PostgresNotFound(
        f"image {image} should become a Postgres server within {READY_SECONDS:.0f} s; "
        f"found {process.exit_reason() or last_error}",
        advice="Take an image that works as the official postgres does, such as postgis/postgis:17-3.5.",
        evidence=process.log_tail(LOG_LINES),
    )


def _connect(target: ProxyTarget, password: str) -> psycopg.Connection[tuple[object, ...]]:
    import psycopg  # noqa: PLC0415

    return psycopg.connect(
        host=target.host, port=target.port, user=USER, password=password, dbname="postgres",
        connect_timeout=5, sslmode="disable", gssencmode="disable", options="", hostaddr="",
    )  # fmt: skip


def remove_container(container: DockerContainer) -> None:
    """Remove the container with its volumes, if it was started and still exists."""
    import docker  # noqa: PLC0415

    try:
        container.stop(force=True, delete_volume=True)
    except docker.errors.NotFound:
        pass
    finally:
        container.get_docker_client().client.close()
