"""A migration can connect to the run's own server, and to nothing else."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from textwrap import dedent
from typing import Any

import psycopg
import pytest

from migration_gate.config.settings import Variable
from tests.support.alembic_projects import env, lay, one
from tests.support.decoy_servers import Forbidden
from tests.support.release_tests import first_in_every_run, spread_over_every_run
from tests.support.replay_engine import Engine, Ran

pytestmark = pytest.mark.slow
linux = pytest.mark.skipif(sys.platform != "linux", reason="the filter for system calls is Linux's")
needs_psql = pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
NO_CONNECTION = "OperationalError: no connection; only the ephemeral server can be reached"
DENIED = "[Errno 13] Permission denied"


def run_migration(engine: Engine, body: str, imports: str = "", **settings: Any) -> Ran:
    """Run the body in a migration, after the migration has created a table."""
    create_table = 'op.execute("CREATE TABLE users (id int)")\n'
    return engine.run(lay(engine.folder(), one(create_table + dedent(body), imports), env()), **settings)


def read_error(ran: Ran) -> str:
    """The error that the migration got."""
    assert ran.replay.failure is not None
    assert ran.replay.failure.revision == "0001"
    return ran.replay.failure.message


def test_the_other_server_accepts_connections_and_counts_them(forbidden_place: Forbidden) -> None:
    psycopg.connect(forbidden_place.dsn).close()
    other = forbidden_place.server
    psycopg.connect(
        f"host={other.socket_directory} port={other.port} user={other.user} password={other.password}"
    ).close()
    urllib.request.urlopen(f"http://127.0.0.1:{forbidden_place.web}/").close()
    assert len(forbidden_place.hits()) == 4  # twice in the server's log, once at the port, once in the web


@pytest.mark.parametrize("driver", first_in_every_run(["psycopg", "asyncpg", "psycopg2", "pg8000"], 2))
def test_a_drivers_own_connect_is_redirected(engine: Engine, forbidden: Forbidden, driver: str) -> None:
    other = forbidden.server
    keywords = f"host='127.0.0.1', port={forbidden.port}, user={other.user!r}, password={other.password!r}"
    body = f"""
    connection = {driver}.connect({keywords}, database="postgres")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE beside (id int)")
    connection.commit()
    """
    if driver == "asyncpg":
        body = f"""
        async def connect():
            connection = await asyncpg.connect({keywords}, database="postgres")
            await connection.execute("CREATE TABLE beside (id int)")
            await connection.close()

        asyncio.run(connect())
        """
    body = body.replace("database=", "dbname=") if driver == "psycopg" else body
    ran = engine.run(lay(engine.folder(), one(body, f"import asyncio, {driver}"), env()))
    assert (ran.replay.failure, ran.tables) == (None, ["beside"])
    assert [(c.driver, c.intercepted_by, c.outcome) for c in ran.replay.connections][1:] == [
        (driver, "driver", "redirected")
    ]


@pytest.mark.parametrize(
    "statement",
    spread_over_every_run(
        [
            "psycopg2.connect({url!r})",
            "psycopg2.connect({dsn!r})",
            "psycopg.connect({url!r})",
            "psycopg.Connection.connect({dsn!r})",
            "asyncio.run(psycopg.AsyncConnection.connect({url!r}))",
            "asyncio.run(asyncpg.connect({url!r}))",
            "asyncio.run(asyncpg.connect(dsn={url!r}))",
            "asyncio.run(pooled({url!r}))",
            "psycopg2.pool.SimpleConnectionPool(1, 2, {dsn!r}).getconn()",
        ],
        2,
    ),
)
def test_a_connect_with_the_address_in_one_string_is_redirected(
    engine: Engine, forbidden: Forbidden, statement: str
) -> None:
    pooled = "async def pooled(url):\n    async with asyncpg.create_pool(url) as p: await p.fetch('select 1')"
    text = statement.format(url=forbidden.url(), dsn=forbidden.dsn)
    ran = run_migration(
        engine, text, f"import asyncio, asyncpg, psycopg, psycopg2, psycopg2.pool\n\n\n{pooled}\n"
    )
    assert ran.replay.failure is None, ran.replay.failure


@linux
@pytest.mark.parametrize(
    "statement",
    first_in_every_run(
        ["psycopg2._connect({dsn!r})", "psycopg2._psycopg._connect({dsn!r})", "_connect({dsn!r})"], 1
    ),
)
def test_the_inner_connect_of_psycopg2_is_refused(
    engine: Engine, forbidden: Forbidden, statement: str
) -> None:
    imports = "import psycopg2\nfrom psycopg2._psycopg import _connect"
    message = read_error(run_migration(engine, statement.format(dsn=forbidden.dsn), imports))
    assert message == NO_CONNECTION


@linux
def test_libpq_through_the_inner_module_of_psycopg_is_refused(engine: Engine, forbidden: Forbidden) -> None:
    body = f"assert pq.PGconn.connect({forbidden.dsn.encode()!r}).status == pq.ConnStatus.OK"
    assert read_error(run_migration(engine, body, "from psycopg import pq")) == "AssertionError"


@linux
@pytest.mark.parametrize(
    "statement",
    [
        "pg8000.dbapi.Connection(user='x', host='127.0.0.1', port={port})",
        "pg8000.native.Connection(user='x', host='127.0.0.1', port={port})",
    ],
)
def test_the_connection_classes_of_pg8000_are_refused(
    engine: Engine, forbidden: Forbidden, statement: str
) -> None:
    ran = run_migration(engine, statement.format(port=forbidden.port), "import pg8000.dbapi, pg8000.native")
    assert "Permission denied" in str(ran.replay.failure) or "Can't create a connection" in read_error(ran)


@needs_psql
def test_psql_without_an_address_reaches_the_server_of_the_run(engine: Engine, forbidden: Forbidden) -> None:
    body = "subprocess.run(['psql', '-qc', 'CREATE TABLE beside (id int)'], check=True)"
    ran = engine.run(lay(engine.folder(), one(body, "import subprocess"), env()))
    assert (ran.replay.failure, ran.tables) == (None, ["beside"])


@linux
@needs_psql
@pytest.mark.parametrize("environment", first_in_every_run([True, False], 1))
def test_psql_over_tcp_is_refused(engine: Engine, forbidden: Forbidden, environment: bool) -> None:
    if environment:
        variables = f"PGHOST='127.0.0.1', PGPORT='{forbidden.port}', PGPASSWORD={forbidden.server.password!r}"
        body = f"subprocess.run(['psql', '-c', 'select 1'], check=True, env=dict(os.environ, {variables}))"
    else:
        body = f"subprocess.run(['psql', {forbidden.url()!r}, '-c', 'select 1'], check=True)"
    ran = run_migration(engine, body, "import os, subprocess")
    assert "CalledProcessError: Command '['psql'" in read_error(ran)
    assert "could not create socket: Permission denied" in ran.output


@linux
@pytest.mark.parametrize("proxy", first_in_every_run([False, True], 1))
def test_http_is_refused(engine: Engine, forbidden: Forbidden, proxy: bool) -> None:
    address = f"http://127.0.0.1:{forbidden.web}/"
    settings = (Variable("http_proxy", address),) if proxy else ()
    url = "http://example.com/" if proxy else address
    ran = run_migration(engine, f"urllib.request.urlopen({url!r})", "import urllib.request", env=settings)
    assert read_error(ran) == f"URLError: <urlopen error {DENIED}>"


@linux
@pytest.mark.parametrize(
    "statement",
    spread_over_every_run(
        [
            "asyncio.run(asyncio.open_connection('127.0.0.1', {web}))",
            "socket.create_connection(('127.0.0.1', {web}))",
            "socket.socket(socket.AF_INET6)",
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_INET, socket.SOCK_RAW)",
            "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
            "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        ],
        2,
    ),
)
def test_a_socket_that_is_not_a_unix_socket_is_refused(
    engine: Engine, forbidden: Forbidden, statement: str
) -> None:
    ran = run_migration(engine, statement.format(web=forbidden.web), "import asyncio, socket")
    assert read_error(ran) == f"PermissionError: {DENIED}"


@linux
def test_io_uring_is_refused(engine: Engine, forbidden: Forbidden) -> None:
    body = """
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.syscall(425, 8, ctypes.create_string_buffer(120)) == -1
    raise OSError(ctypes.get_errno(), "no ring")
    """
    assert read_error(run_migration(engine, body, "import ctypes")) == "PermissionError: [Errno 13] no ring"


@linux
def test_a_forked_child_is_confined_and_writes_nothing_to_the_answer(
    engine: Engine, forbidden: Forbidden
) -> None:
    body = f"""
    child = os.fork()
    if child == 0:
        try:
            socket.create_connection(("127.0.0.1", {forbidden.web}))
        except PermissionError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    """
    ran = run_migration(engine, body, "import os, socket")
    assert (ran.replay.failure, ran.tables) == (None, ["users"])


@linux
@pytest.mark.parametrize("detached", first_in_every_run([False, True], 1))
def test_another_interpreter_is_confined(engine: Engine, forbidden: Forbidden, detached: bool) -> None:
    script = f"import socket; socket.create_connection(('127.0.0.1', {forbidden.port}))"
    body = (
        f"subprocess.run([sys.executable, '-I', '-c', {script!r}], check=True, start_new_session={detached})"
    )
    ran = run_migration(engine, body, "import subprocess, sys")
    assert "returned non-zero exit status 1" in read_error(ran)
    assert f"PermissionError: {DENIED}" in ran.output


@linux
@needs_gcc
def test_a_32_bit_program_cannot_open_a_socket(engine: Engine, forbidden: Forbidden) -> None:
    folder = engine.folder()
    (folder / "call.c").write_text(
        'int main() { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(359), "b"(2), "c"(1), "d"(0));'
        " return r < 0 ? -r : 0; }"
    )
    compiled = subprocess.run(
        ["gcc", "-o", folder / "call", folder / "call.c"], check=False, capture_output=True
    )
    if compiled.returncode or subprocess.run([folder / "call"], check=False).returncode == 38:
        pytest.skip("this kernel has no 32-bit system calls")
    body = f"sys.exit(subprocess.run([{str(folder / 'call')!r}]).returncode)"
    assert read_error(run_migration(engine, body, "import subprocess, sys")) == (
        "the project's code called sys.exit(38)"
    )


def libpq_denial(forbidden: Forbidden) -> str:
    """The error of libpq where it may not connect to the socket of the other server."""
    other = forbidden.server
    return (
        f'OperationalError: connection to server on socket "{other.socket_directory}/.s.PGSQL.{other.port}" '
        "failed: Permission denied\n\tIs the server running locally and accepting connections on that socket?"
    )


@linux
def test_another_servers_unix_socket_is_refused(engine: Engine, forbidden: Forbidden) -> None:
    other = forbidden.server
    dsn = f"host={other.socket_directory} port={other.port} user={other.user} password={other.password}"
    ran = run_migration(engine, f"psycopg2._connect({dsn!r})", "import psycopg2")
    assert read_error(ran) == libpq_denial(forbidden)


@linux
@needs_psql
def test_psql_on_another_servers_unix_socket_is_refused(engine: Engine, forbidden: Forbidden) -> None:
    other = forbidden.server
    body = f"subprocess.run(['psql', '-h', {other.socket_directory!r}, '-c', 'select 1'], check=True)"
    ran = run_migration(engine, body, "import subprocess")
    assert "CalledProcessError: Command '['psql'" in read_error(ran)
    assert "failed: Permission denied" in ran.output


@linux
@pytest.mark.parametrize(
    "path",
    spread_over_every_run(
        [
            "'.s.PGSQL.5432'",
            "folder + '/link'",
            "'/proc/self/cwd/.s.PGSQL.5432'",
            "f'/dev/fd/{descriptor}/.s.PGSQL.5432'",
        ],
        2,
    ),
)
def test_another_name_for_the_socket_is_refused(engine: Engine, forbidden: Forbidden, path: str) -> None:
    body = f"""
    folder = tempfile.mkdtemp()
    os.symlink({forbidden.server.socket_directory!r} + "/.s.PGSQL.5432", folder + "/link")
    descriptor = os.open({forbidden.server.socket_directory!r}, os.O_RDONLY)
    os.chdir({forbidden.server.socket_directory!r})
    socket.socket(socket.AF_UNIX).connect({path})
    """
    assert (
        read_error(run_migration(engine, body, "import os, socket, tempfile")) == f"PermissionError: {DENIED}"
    )


@linux
def test_an_abstract_socket_of_another_process_is_refused(engine: Engine, forbidden: Forbidden) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(f"\0migration-gate-test-{forbidden.port}")
        other.listen()
        body = f"socket.socket(socket.AF_UNIX).connect('\\0migration-gate-test-{forbidden.port}')"
        assert read_error(run_migration(engine, body, "import socket")) == f"PermissionError: {DENIED}"


@linux
def test_the_socket_of_the_docker_daemon_is_refused(engine: Engine, forbidden: Forbidden) -> None:
    daemon = Path("/var/run/docker.sock")
    if not daemon.exists():
        pytest.skip("no Docker daemon")
    body = f"socket.socket(socket.AF_UNIX).connect({str(daemon)!r})"
    assert read_error(run_migration(engine, body, "import socket")) == f"PermissionError: {DENIED}"


def test_the_projects_own_processes_can_connect_to_each_other(engine: Engine, forbidden: Forbidden) -> None:
    body = """
    with multiprocessing.get_context("fork").Manager() as manager:
        shared = manager.dict(a=1)
        assert shared["a"] == 1
    a, b = socket.socketpair()
    a.sendall(b"x")
    assert b.recv(1) == b"x"
    """
    ran = run_migration(engine, body, "import multiprocessing, socket")
    assert ran.replay.failure is None, ran.replay.failure


def test_variables_with_tokens_and_other_databases_are_not_passed_on(
    engine: Engine, forbidden: Forbidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "GITHUB_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "INPUT_TOKEN",
        "PGSERVICE",
        "PGHOSTADDR",
        "PGPASSFILE",
    ):
        monkeypatch.setenv(name, "other")
    body = "raise RuntimeError(sorted(name for name, value in os.environ.items() if value == 'other'))"
    assert read_error(run_migration(engine, body, "import os")) == "RuntimeError: []"


@linux
@pytest.mark.parametrize(
    "statement",
    [
        "COPY users FROM PROGRAM 'psql {url} -Atc ''select 1'''",
        "SELECT * FROM dblink('{dsn}', 'select 1') AS t(a int)",
        "SELECT * FROM dblink('{socket}', 'select 1') AS t(a int)",
    ],
)
def test_the_server_of_the_run_cannot_connect_to_another(
    engine: Engine, forbidden: Forbidden, statement: str
) -> None:
    other = forbidden.server
    socket_dsn = f"host={other.socket_directory} user={other.user} password={other.password} dbname=postgres"
    text = statement.format(url=forbidden.url(), dsn=forbidden.dsn, socket=socket_dsn)
    prepare = 'op.execute("CREATE EXTENSION dblink")\n' if "dblink" in text else ""
    ran = run_migration(engine, f"{prepare}op.execute({text!r})")
    assert "failed" in read_error(ran) or "could not establish connection" in read_error(ran)


def test_the_server_of_the_run_can_connect_to_itself(engine: Engine, forbidden: Forbidden) -> None:
    server = engine.server
    dsn = f"host={server.socket_directory} user={server.user} password={server.password} dbname=postgres"
    body = f"""
    op.execute("CREATE EXTENSION dblink")
    op.execute("SELECT * FROM dblink('{dsn}', 'select 1') AS t(a int)")
    """
    assert run_migration(engine, body).replay.failure is None
