"""A server of the user's: ours are only the databases that we made there. And the relay that leads to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from migration_gate import postgres
from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres import account, binaries, local, remote_cleanup, run_directory, url
from migration_gate.postgres import settings as cluster
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.remote import outpost
from migration_gate.postgres.server import Server, database_marker
from migration_gate.postgres.socket_proxy import Target

slow = pytest.mark.slow
needs_local = pytest.mark.skipif(
    not binaries.find_installations()[0], reason="no Postgres server is installed on this machine"
)
ROOT = Path(postgres.__file__).parents[2]
NAMES = "SELECT datname FROM pg_database ORDER BY 1"
HOLD = """
import sys, time
from pathlib import Path
from migration_gate import postgres
from migration_gate.postgres.choice import start_server
with start_server(sys.argv[1], folder=Path(sys.argv[2])) as server:
    server.create_database()
    print(server.socket_directory, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Server]:
    """The server that the user runs."""
    with start_server("local", folder=tmp_path) as server:
        yield server


def url_of(server: Server, *, user: str = "", password: str = "", host: str = "") -> str:
    who = f"{user or server.user}:{quote(password or server.password, safe='')}"
    if host:
        return f"postgresql://{who}@{host}"
    return f"postgresql://{who}@/postgres?host={quote(server.socket_directory, safe='')}&port={server.port}"


def databases(server: Server) -> list[object]:
    with server.connect() as connection:
        return [name for (name,) in connection.execute(NAMES)]


@slow
@needs_local
def test_our_databases_are_dropped_and_no_other_is_touched(theirs: Server, tmp_path: Path) -> None:
    with theirs.connect() as connection:
        connection.execute("CREATE DATABASE migration_gate_of_somebody")
    before = databases(theirs)
    with start_server(url_of(theirs), folder=tmp_path) as server:
        assert server.token == ""
        assert server.description.startswith("your server, PostgreSQL ")
        assert theirs.password not in server.description
        assert any("password" in note for note in server.notes)
        name = server.create_database()
        copy = server.create_database(template=name)
        lingering = server.connect(copy)
        with server.connect(name) as connection:
            said = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
            ).fetchone()
        assert said == (database_marker(name),)
        assert set(databases(theirs)) == {*before, name, copy}
        server.check_alive()
        folder = Path(server.socket_directory).parent
    lingering.close()
    assert databases(theirs) == before
    assert not folder.exists()


@slow
@needs_local
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_that_ends_us_leaves_no_database(
    theirs: Server, tmp_path: Path, number: signal.Signals
) -> None:
    before = databases(theirs)
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, url_of(theirs), str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip
    with child:
        assert child.stdout
        directory = Path(child.stdout.readline().strip())
        assert len(databases(theirs)) == len(before) + 1
        child.send_signal(number)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and (databases(theirs) != before or directory.parent.exists()):
        time.sleep(0.05)
    assert databases(theirs) == before
    assert not directory.parent.exists()


@slow
@needs_local
def test_a_user_who_may_not_create_databases_is_told_the_command(theirs: Server, tmp_path: Path) -> None:
    with theirs.connect() as connection:
        connection.execute("CREATE ROLE small LOGIN PASSWORD 'p@/:%'")
    with (
        pytest.raises(PostgresNotFound, match="right to create databases") as caught,
        start_server(url_of(theirs, user="small", password="p@/:%"), folder=tmp_path),
    ):
        pass
    assert 'ALTER ROLE "small" CREATEDB' in caught.value.advice
    with theirs.connect() as connection:
        connection.execute("ALTER ROLE small CREATEDB")
    with start_server(url_of(theirs, user="small", password="p@/:%"), folder=tmp_path) as server:
        assert not server.superuser
        assert any("not a superuser" in note for note in server.notes)
        server.connect(server.create_database()).close()


@slow
@needs_local
def test_a_wrong_password_is_told_in_the_servers_own_words(theirs: Server, tmp_path: Path) -> None:
    with (
        pytest.raises(PostgresNotFound, match="password authentication failed") as caught,
        start_server(url_of(theirs, password="nonsense"), folder=tmp_path),
    ):
        pass
    assert "nonsense" not in caught.value.message


def test_a_server_that_is_not_there_is_told_with_host_and_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        pytest.raises(PostgresNotFound, match=rf"127\.0\.0\.1:{port}"),
        start_server(f"postgresql://u:p@127.0.0.1:{port}/x", folder=tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("postgresql://u:secret@h:x/db", "one port"),
        ("postgresql://u:secret@h/db?nonsense=1", "nonsense"),
        ("postgresql://u:secret@a,b/db", "one host"),
        ("postgresql:///db?service=x", "service"),
        ("postgresql://u:secret@h/db?sslmode=verify-full&sslrootcert=/nowhere", "can't be read"),
    ],
)
def test_a_url_that_will_not_do_is_refused_without_its_password(text: str, complaint: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        url.target(url.parse(text))
    assert complaint in caught.value.message
    assert "secret" not in caught.value.message


def test_sqlalchemys_spelling_is_understood_and_the_password_hidden() -> None:
    address = url.parse("postgresql+asyncpg://me:se%40cret@db.example:6543/x?sslmode=require")
    assert (address.host, address.port, address.user) == ("db.example", 6543, "me")
    assert address.password == "se@cret"
    assert "cret" not in address.shown
    assert "hunter2" not in url.hide("postgresql:///x?user=me&password=hunter2")


@pytest.fixture
def over_tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that takes TCP connections, and those with TLS alone, by SCRAM."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on PATH, to make a certificate with")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with run_directory.with_socket_directory(run_directory.create_data_directory(Path("/tmp"))) as places:
        key, certificate = places[0].path / "key", places[0].path / "certificate"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
             "-days", "2",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        key.chmod(0o600)
        if who := account.server_account():
            os.chown(key, who.uid, who.gid)
            certificate.chmod(0o644)
        settings = f"listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\n"
        files = f"ssl_key_file = '{key}'\nssl_cert_file = '{certificate}'\n"
        monkeypatch.setattr(cluster, "SETTINGS", cluster.SETTINGS + settings + files)
        monkeypatch.setattr(cluster, "HBA", cluster.HBA + "hostssl all all 127.0.0.1/32 scram-sha-256\n")
        monkeypatch.setattr(local, "PORT", port)
        monkeypatch.setattr(local, "CONFINED", False)
        with start_server("local", folder=tmp_path) as server:
            monkeypatch.setenv("THE_CERTIFICATE", str(certificate))
            with server.connect() as connection:  # as others keep it: hashed 4096 times
                connection.execute(f"ALTER ROLE postgres PASSWORD '{server.password}'".encode())
            yield server


@slow
@needs_local
@pytest.mark.parametrize("mode", ["", "require", "verify-ca", "verify-full"])
def test_a_server_that_insists_on_tls_is_reached_by_every_driver(
    over_tcp: Server, tmp_path: Path, mode: str
) -> None:
    asyncio = pytest.importorskip("asyncio")
    asyncpg = pytest.importorskip("asyncpg")
    pg8000 = pytest.importorskip("pg8000.native")
    psycopg2 = pytest.importorskip("psycopg2")
    text = url_of(over_tcp, host=f"localhost:{over_tcp.port}/postgres")
    if mode:
        text += f"?sslmode={mode}"
    if mode.startswith("verify"):
        text += f"&sslrootcert={os.environ['THE_CERTIFICATE']}"
    with start_server(text, folder=tmp_path) as server:
        with server.connect(server.create_database()) as connection:
            query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert connection.execute(query).fetchone() == (True,)
        who = {"user": server.user, "password": server.password, "database": "postgres"}
        psycopg2.connect(host=server.socket_directory, port=server.port, **who).close()
        pg8000.Connection(unix_sock=f"{server.socket_directory}/.s.PGSQL.{server.port}", **who).close()

        async def enter() -> None:
            await (await asyncpg.connect(host=server.socket_directory, port=server.port, **who)).close()

        asyncio.run(enter())


@slow
@needs_local
def test_a_relay_that_must_not_use_tls_passes_the_servers_refusal_on(
    over_tcp: Server, tmp_path: Path
) -> None:
    with outpost(tmp_path) as post:
        post.open(Target("127.0.0.1", over_tcp.port))
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            psycopg.connect(host=str(post.directory), port=5432, user="postgres", password="x")


@slow
@needs_local
def test_big_results_copies_and_cancel_requests_pass_the_relay(theirs: Server, tmp_path: Path) -> None:
    with start_server(url_of(theirs), folder=tmp_path) as server, server.connect() as connection:
        row = connection.execute("SELECT repeat('x', 20000000)").fetchone()
        assert row
        assert len(str(row[0])) == 20_000_000
        connection.execute("CREATE TEMP TABLE t (v text)")
        with connection.cursor().copy("COPY t FROM STDIN") as copy:
            for _ in range(200):
                copy.write(b"y" * 9_999 + b"\n")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (200,)
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(30)")
        timer.join()


@slow
@needs_local
def test_many_connections_at_once_and_none_outlives_the_relay(theirs: Server, tmp_path: Path) -> None:
    with theirs.connect() as outside:
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'migration-gate'"
        with start_server(url_of(theirs), folder=tmp_path) as server:
            many = [server.connect() for _ in range(40)]
            assert outside.execute(count).fetchone() == (41,)
            for connection in many[:20]:
                connection.close()
        deadline = time.monotonic() + 5
        while outside.execute(count).fetchone() != (1,) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert outside.execute(count).fetchone() == (1,)
        for connection in many[20:]:
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
            connection.close()


def test_the_farewell_is_an_order_for_a_process_of_its_own() -> None:
    command, text = remote_cleanup.order(conninfo="x", prefix="migration_gate_0_")
    assert Path(command[-1]).is_file()
    assert json.loads(text) == {"conninfo": "x", "prefix": "migration_gate_0_"}
