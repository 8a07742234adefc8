"""A server in a container, from any image that behaves like the official one (postgis, pgvector, ...)."""

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
from migration_gate.postgres import remote_cleanup
from migration_gate.postgres.remote import PORT, outpost
from migration_gate.postgres.server import Server
from migration_gate.postgres.socket_proxy import Target
from migration_gate.postgres.url import readable

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

DEFAULT = "postgres:17"
"""what auto takes where only Docker is at hand"""
READY_SECONDS = 90.0
ANSWER_SECONDS = 3
SOCKETS = ("/var/run/docker.sock", "~/.docker/run/docker.sock", "~/.colima/default/docker.sock")
FOLDER = "/migration-gate"
"""in the container, in memory"""
USER = "postgres"
SETTINGS = (
    "fsync=off", "full_page_writes=off", "synchronous_commit=off", "jit=off", "autovacuum=off",
    "max_locks_per_transaction=1024", "max_connections=100", "wal_level=minimal", "max_wal_senders=0",
    "dynamic_shared_memory_type=mmap", "max_parallel_workers_per_gather=0", "timezone=UTC", "lc_messages=C",
    "log_timezone=UTC", "log_min_messages=notice", "log_min_error_statement=notice", "log_checkpoints=off",
    "restart_after_crash=off", "log_line_prefix=%m|%p|%e|%a|%d|",
)  # fmt: skip
INSIDE = ("/.dockerenv", "/run/.containerenv")


@dataclass(frozen=True, slots=True)
class ContainerProcess:
    """What is known of a server in a container."""

    container: DockerContainer

    def exit_reason(self) -> str:
        """How the container ended, '' while it runs."""
        import docker  # noqa: PLC0415

        wrapped = self.container.get_wrapped_container()
        try:
            wrapped.reload()
        except docker.errors.NotFound:
            return "the container was removed"
        except docker.errors.DockerException as error:
            return f"the Docker daemon does not answer: {error}"
        if wrapped.status in ("created", "running"):
            return ""
        return f"the container is {wrapped.status}, exit status {wrapped.attrs['State'].get('ExitCode')}"

    def log_tail(self, lines: int) -> str:
        """The end of the container's log."""
        import docker  # noqa: PLC0415

        try:
            said = self.container.get_wrapped_container().logs(tail=lines)
        except docker.errors.DockerException:
            return ""
        return bytes(said).decode(errors="replace").rstrip()


def daemon() -> str:
    """'' where a Docker daemon answers, else what was found, in words."""
    found = next((path for path in (Path(s).expanduser() for s in SOCKETS) if path.exists()), None)
    if not os.environ.get("DOCKER_HOST") and found is None:
        return f"no Docker daemon (no {SOCKETS[0]}, and DOCKER_HOST is not set)"
    settle(found)
    if wrong := silent(os.environ["DOCKER_HOST"]):
        return f"no Docker daemon answers: {wrong}"
    import docker  # noqa: PLC0415 -- a sixth of a second, for those alone who have a daemon

    try:
        client = docker.from_env(timeout=ANSWER_SECONDS)
    except docker.errors.DockerException as error:
        return f"no Docker daemon answers: {error}"
    try:
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        return f"no Docker daemon answers: {error}"
    finally:
        client.close()
    return ""


def silent(host: str) -> str:
    """Why a daemon's Unix socket can't be reached, '' where it can. (docker-py leaks one over it.)"""
    if not host.startswith("unix://"):
        return ""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ANSWER_SECONDS)
        try:
            probe.connect(host.removeprefix("unix://"))
        except OSError as error:
            return f"{host}: {error.strerror or error}"
    return ""


def settle(found: Path | None) -> None:
    """Tell testcontainers what it can't find out: in a container it mistakes its network."""
    if found is not None:
        os.environ.setdefault("DOCKER_HOST", f"unix://{found}")
    if any(Path(path).exists() for path in INSIDE):
        os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "gateway_ip")


def present(name: str) -> bool:
    """Whether the daemon has the image already."""
    import docker  # noqa: PLC0415

    client = docker.from_env(timeout=ANSWER_SECONDS)
    try:
        client.images.get(name)
    except docker.errors.DockerException:
        return False
    finally:
        client.close()
    return True


@contextmanager
def start(name: str, *, folder: Path, why: str) -> Iterator[Server]:
    """A server from this image, behind a socket of ours; the container is gone afterwards.

    Raises PostgresNotFound where there is no daemon, no such image, or it does not become a server.
    """
    if wrong := daemon():
        raise PostgresNotFound(
            f"image {name} was wanted; found {wrong}",
            advice="Start Docker, or set DOCKER_HOST, or give `postgres:` a URL or an installed version.",
        )
    token, password = f"migration_gate_{secrets.token_hex(12)}", secrets.token_urlsafe(24)
    with outpost(folder) as post:
        notes = reaper()
        container = describe(name, token, password)
        try:
            run(container, name)
            post.lifeline.farewell(*remote_cleanup.order(container=container.get_wrapped_container().id))
            target = Target(container.get_container_host_ip(), int(container.get_exposed_port(5432)))
            version = wait(container, target, password, name)
            post.open(target)
            yield Server(
                socket_directory=str(post.directory),
                port=PORT,
                user=USER,
                password=password,
                database="postgres",
                token=token,
                version=version,
                superuser=True,
                description=f"image {name}, PostgreSQL {readable(version)}",
                reason=why,
                notes=notes,
                log=None,
                process=ContainerProcess(container),
            )
        finally:
            remove(container)
            post.lifeline.farewell((), "")


def remove(container: DockerContainer) -> None:
    """Remove it with its volumes; the daemon may be gone, and it may never have been started."""
    import docker  # noqa: PLC0415

    try:
        container.stop(force=True, delete_volume=True)
    except docker.errors.NotFound:
        pass
    finally:
        container.get_docker_client().client.close()


def reaper() -> tuple[str, ...]:
    """See to testcontainers' Ryuk, which removes the container should our guard be killed with us.

    It is an image as well; where it can't be had, the guard has to do, and that is said.
    """
    import docker  # noqa: PLC0415
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415

    if testcontainers_config.ryuk_disabled or present(testcontainers_config.ryuk_image):
        return ()
    client = docker.from_env(timeout=60)
    try:
        client.images.pull(testcontainers_config.ryuk_image)
    except docker.errors.DockerException as error:
        if (response := getattr(error, "response", None)) is not None:
            response.close()  # a streamed answer that docker-py leaves open
        testcontainers_config.ryuk_disabled = True
        return ("the image of testcontainers' Ryuk can't be had: a cancelled job may leave the container",)
    finally:
        client.close()
    return ()


def describe(name: str, token: str, password: str) -> DockerContainer:
    """The container, not yet started: its cluster in memory, nothing made safe against a power cut."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    words = [word for setting in (*SETTINGS, f"cluster_name={token}") for word in ("-c", setting)]
    container = DockerContainer(name)
    container.with_env("POSTGRES_PASSWORD", password).with_env("PGDATA", f"{FOLDER}/data")
    container.with_env("POSTGRES_INITDB_ARGS", "--no-sync --encoding=UTF8 --locale=C.UTF-8 --lc-messages=C")
    container.with_command(["postgres", *words]).with_exposed_ports(5432)
    if hasattr(container, "with_tmpfs_mount"):
        container.with_tmpfs_mount(FOLDER)
    else:  # older testcontainers
        container.with_kwargs(tmpfs={FOLDER: "rw"})
    return container


def run(container: DockerContainer, name: str) -> None:
    """Pull the image where needed, and start it. Raises PostgresNotFound, with the daemon's own words."""
    import docker  # noqa: PLC0415

    try:
        container.start()
    except docker.errors.ImageNotFound as error:
        raise PostgresNotFound(
            f"image {name} was wanted; found that there is none to be had: {error.explanation}",
            advice="Check the name, `docker pull` it by hand, and log in to its registry if it needs that.",
        ) from error
    except (docker.errors.DockerException, OSError) as error:
        raise PostgresNotFound(
            f"image {name} should have been started; found: {error}",
            advice=f"`docker run --rm -e POSTGRES_PASSWORD=x {name}` by hand should fail the same way.",
        ) from error


def wait(container: DockerContainer, target: Target, password: str, name: str) -> int:
    """Wait for the server, and give its server_version_num. (The one that initdb needs has no TCP.)"""
    import psycopg  # noqa: PLC0415

    vitals = ContainerProcess(container)
    deadline = time.monotonic() + READY_SECONDS
    last = "no answer"
    while time.monotonic() < deadline and not (ended := vitals.exit_reason()):
        try:
            with psycopg.connect(
                host=target.host, port=target.port, user=USER, password=password, dbname="postgres",
                connect_timeout=5, sslmode="disable", gssencmode="disable", options="", hostaddr="",
            ) as connection:  # fmt: skip
                return connection.info.server_version
        except psycopg.OperationalError as error:
            last = str(error).strip()
            time.sleep(0.1)
    raise PostgresNotFound(
        f"image {name} should become a Postgres server within {READY_SECONDS:.0f} s; found {ended or last}",
        advice="Take an image that works as the official postgres does, such as postgis/postgis:17-3.5.",
        evidence=vitals.log_tail(20),
    )
