"""A server that the user runs: databases of the gate's own are created and dropped there, through a proxy."""

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
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

import migration_gate
from migration_gate.check import Severity
from migration_gate.checks import unchecked
from migration_gate.config.settings_text import hide_password
from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.facts import Facts, ObservedStatement, WorkKind
from migration_gate.postgres import local, run_directory, server_settings
from migration_gate.postgres.account import server_account
from migration_gate.postgres.binaries import find_installations
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.proxy_target import ProxyTarget
from migration_gate.postgres.remote import open_remote_access
from migration_gate.postgres.remote_cleanup import cleanup_of_databases
from migration_gate.postgres.server import Server, database_marker
from migration_gate.postgres.url import parse_url, proxy_target
from tests.replay.test_observation import ADD, describe, run_new_revisions
from tests.support.child_signals import restore_default_signals
from tests.support.release_tests import first_in_every_run
from tests.support.replay_engine import Engine
from tests.support.user_project import ENV

slow = pytest.mark.slow
needs_local = pytest.mark.skipif(
    not find_installations().installations, reason="no Postgres server is installed on this machine"
)
HANG_SECONDS = 60.0
"""after this time a test that waits gives up; no test depends on being faster"""
ROOT = Path(migration_gate.__file__).parents[1]
LIST_DATABASES = "SELECT datname FROM pg_database ORDER BY 1"
HOLD_SERVER = """
import sys, time
from pathlib import Path
from migration_gate.postgres.choice import start_server
with start_server(sys.argv[1], folder=Path(sys.argv[2])) as server:
    server.create_database()
    print(server.socket_directory, flush=True)
    time.sleep(600)
"""


WITH_PSYCOPG = ENV.replace("create_engine(URL)", 'create_engine("postgresql+psycopg://db.invalid/app")')
BLOCK = (
    "do $$ begin set client_min_messages = 'error'; alter table item alter n type int; "
    "create index ix_n on item (n); alter table item add check (n < 9); "
    "alter table item add foreign key (n) references item; end $$"
)
OBSERVED = (
    """
import psycopg
from pg8000 import dbapi
with psycopg.connect("host=db.invalid dbname=app") as raw:
    raw.execute("set client_min_messages = 'error'")
    raw.execute("update item set name = 'x'")
    raw.execute("create index ix_raw on item (name)")
    raw.execute("alter table item add column n int")
unobserved = dbapi.connect(user="app")
unobserved.cursor().execute("update item set name = 'pg8000'")
unobserved.commit()
unobserved.close()
op.create_index("ix_name", "item", ["name"])
op.execute("set client_min_messages = 'warning'")
op.alter_column("item", "n", type_=sa.BigInteger())
op.create_check_constraint("positive", "item", "n >= 0")
op.execute("set client_min_messages = 'error'; alter table item add foreign key (n) references item")
op.get_bind().connection.cursor().execute("update item set name = 'y'")
op.execute("alter table item alter n set not null")
""",
    f"op.execute({BLOCK!r})\nop.execute('reset all')\n"
    "with op.get_context().autocommit_block():\n"
    "    op.create_index('ix_c', 'item', ['name'], postgresql_concurrently=True)\n"
    "    op.execute('vacuum full item')",
)
"""revisions whose locks and work are known on any server"""
READS_NOTICES = """
seen = []
connection = op.get_bind().connection.driver_connection
connection.add_notice_handler(lambda notice: seen.append(notice.message_primary))
op.execute("do $$ begin raise notice 'a'; raise log 'no'; raise debug 'no'; end $$")
op.execute("create function quiet() returns void language plpgsql set client_min_messages = 'error' as "
           "'begin create index ix_quiet on item (name); raise notice ''no''; end'")
op.execute("create extension pg_trgm")
op.execute("do $$ begin perform quiet(); raise notice 'b'; end $$")
op.execute("set client_min_messages = 'log'")
op.execute("do $$ begin raise log 'c'; raise debug 'no'; end $$")
op.execute("set client_min_messages = 'warning'; create table if not exists item ()")
op.execute("do $$ begin raise notice 'no'; raise warning 'd'; end $$")
assert seen == ["a", "b", "c", "d"], seen
"""

CHANGES_LEVELS = """
seen = []
connection = op.get_bind().connection.driver_connection
connection.add_notice_handler(lambda notice: seen.append(notice.message_primary))
def say(text, level="notice"):
    op.execute("do $$ begin raise %s '%s'; end $$" % (level, text))
def show():
    return op.get_bind().execute(sa.text("show client_min_messages")).scalar()
op.execute("savepoint a")
op.execute("set client_min_messages = 'error'")
op.execute("create table q1 ()")
op.execute("rollback to savepoint a")
say("after a savepoint")
op.execute("set local client_min_messages = 'error'")
op.execute("create table q2 ()")
say("no")
with op.get_context().autocommit_block():
    say("at once after a commit")
    op.execute("create table q3 ()")
    say("after a commit")
former = show()
op.execute("set client_min_messages = 'warning'")
assert (former, show()) == ("notice", "warning"), (former, show())
say("no")
op.execute("set client_min_messages = '%s'" % former)
say("restored")
op.get_bind().execute(sa.text("select set_config('client_min_messages', 'log', true)"))
say("a log", "log")
say("no", "debug")
with op.get_context().autocommit_block():
    op.execute("create table q4 ()")
    say("no", "log")
    op.execute("set client_min_messages = 'error'")
    op.execute("discard all")
    say("discarded")
raw = connection.cursor()
raw.execute("set client_min_messages = 'error'")
raw.execute("do $$ begin raise notice 'no'; end $$")
raw.execute("reset client_min_messages")
raw.execute("do $$ begin raise notice 'reset'; end $$")
assert seen == [
    "after a savepoint", "at once after a commit", "after a commit", "restored", "a log", "discarded", "reset"
], seen
op.execute("set local client_min_messages = 'error'")
"""
READS_AGAIN = """
seen = []
connection = op.get_bind().connection.driver_connection
connection.add_notice_handler(lambda notice: seen.append((notice.severity, notice.message_primary)))
with op.get_context().autocommit_block():
    op.execute("do $$ begin raise debug 'no'; raise notice 'next revision'; end $$")
assert seen == [("NOTICE", "next revision")], seen
"""


def tell(statements: Sequence[ObservedStatement]) -> list[object]:
    return [
        (describe(item), item.sql, item.client_sql, [str(lock) for lock in item.locks], item.lock_timeout)
        for item in statements
    ]


@pytest.fixture
def user_server(run_folder: Path) -> Iterator[Server]:
    """The server that the user runs."""
    with start_server("local", folder=run_folder) as server:
        yield server


def url_of(server: Server, *, user: str = "", password: str = "", host: str = "") -> str:
    who = f"{user or server.user}:{quote(password or server.password, safe='')}"
    if host:
        return f"postgresql://{who}@{host}"
    return f"postgresql://{who}@/postgres?host={quote(server.socket_directory, safe='')}&port={server.port}"


def databases(server: Server) -> list[object]:
    with server.connect() as connection:
        return [name for (name,) in connection.execute(LIST_DATABASES)]


@slow
@needs_local
def test_the_databases_of_the_run_are_dropped_and_no_other_is_touched(
    user_server: Server, run_folder: Path
) -> None:
    with user_server.connect() as connection:
        connection.execute("CREATE DATABASE migration_gate_of_somebody")
    before = databases(user_server)
    with start_server(url_of(user_server), folder=run_folder) as server:
        assert server.token == ""
        assert server.description.startswith("your server, PostgreSQL ")
        assert user_server.password not in server.description
        assert any("password" in note for note in server.notes)
        name = server.create_database()
        copy = server.create_database(template=name)
        lingering = server.connect(copy)
        with server.connect(name) as connection:
            comment = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
            ).fetchone()
        assert comment == (database_marker(name),)
        assert set(databases(user_server)) == {*before, name, copy}
        server.check_alive()
        folder = Path(server.socket_directory).parent
    lingering.close()
    assert databases(user_server) == before
    assert not folder.exists()


@slow
@needs_local
def test_locks_and_work_are_seen_as_on_the_gates_own_server(user_server: Server, run_folder: Path) -> None:
    settings = {"environment": WITH_PSYCOPG, "rollback": "off"}
    own = run_new_revisions(Engine(user_server, run_folder), *OBSERVED, **settings).replay
    with start_server(url_of(user_server), folder=run_folder) as server:
        bodies = (*OBSERVED, READS_NOTICES)
        replay = run_new_revisions(Engine(server, run_folder), *bodies, **settings).replay
    assert (own.failure, replay.failure, replay.unchecked) == (None, None, ())
    statements = [item for item in replay.observation.statements if item.revision != "new2"]
    assert tell(statements) == tell(own.observation.statements)
    assert {work.kind for item in statements for work in item.works} == {
        WorkKind.INDEX_BUILD, WorkKind.INDEX_REBUILD, WorkKind.REWRITE, WorkKind.VERIFICATION,
        WorkKind.FOREIGN_KEY, WorkKind.ROWS,
    }  # fmt: skip
    assert "ix_quiet" in [work.detail for item in replay.observation.statements for work in item.works]
    (remark,) = (note for note in replay.notes if "does not observe" in note)
    assert remark.endswith("update item set name = 'pg8000'")


@slow
@needs_local
def test_the_projects_code_gets_its_notices_however_it_changes_their_level(
    user_server: Server, run_folder: Path
) -> None:
    with start_server(url_of(user_server), folder=run_folder) as server:
        replay = run_new_revisions(
            Engine(server, run_folder),
            CHANGES_LEVELS,
            READS_AGAIN,
            environment=WITH_PSYCOPG,
            rollback="off",
        ).replay
    assert replay.failure is None
    assert all("or resets its session" in item.why for item in replay.unchecked)


@pytest.mark.release
@slow
@needs_local
def test_locks_that_nobody_could_see_are_unchecked(user_server: Server, run_folder: Path) -> None:
    with user_server.connect() as connection:
        connection.execute("CREATE ROLE small LOGIN CREATEDB PASSWORD 'small'")
    with start_server(url_of(user_server, user="small", password="small"), folder=run_folder) as server:
        ran = run_new_revisions(Engine(server, run_folder), ADD)
        assert [item.object for item in ran.replay.unchecked] == ["locks"]
        assert "is not a superuser" in ran.replay.unchecked[0].why
        (finding,) = unchecked.check(Facts("a", ran.replay))
        assert finding.severity is Severity.WARNING
        assert ran.replay.observation.statements == ()
        assert [item.revision for item in ran.replay.rehearsal.revisions] == ["new0"]
        assert run_new_revisions(Engine(server, run_folder), ADD, observe="off").replay.unchecked == ()
        assert run_new_revisions(Engine(server, run_folder)).replay.unchecked == ()


@slow
@needs_local
def test_the_projects_code_connects_to_no_other_database_of_the_server(
    user_server: Server, run_folder: Path
) -> None:
    with user_server.connect() as connection:
        connection.execute("CREATE ROLE small LOGIN CREATEDB PASSWORD 'small'")
        connection.execute("CREATE DATABASE app")
    url = url_of(user_server, user="small", password="small")
    with start_server(url, folder=run_folder) as server:
        assert [note for note in server.notes if "may connect to one other database of that server" in note]
        name = server.create_database()
        address = f"host={server.socket_directory} port={server.port} user=small password=small"
        psycopg.connect(f"{address} dbname={name}").close()
        for database in ("app", "postgres", "template1", f"app application_name={name}"):
            with pytest.raises(psycopg.OperationalError, match="only databases whose names start with"):
                psycopg.connect(f"{address} dbname={database}")
    with user_server.connect() as connection:
        connection.execute("REVOKE CONNECT ON DATABASE app FROM PUBLIC")
    with start_server(url, folder=run_folder) as server:
        assert not [note for note in server.notes if "may connect to" in note]


@slow
@needs_local
@pytest.mark.parametrize("number", first_in_every_run([signal.SIGKILL, signal.SIGINT, signal.SIGTERM], 1))
def test_a_signal_that_ends_the_gate_leaves_no_database_behind(
    user_server: Server, run_folder: Path, number: signal.Signals
) -> None:
    before = databases(user_server)
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD_SERVER, url_of(user_server), str(run_folder)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
        preexec_fn=restore_default_signals,  # noqa: PLW1509
    )  # fmt: skip
    with child:
        assert child.stdout
        directory = Path(child.stdout.readline().strip())
        assert len(databases(user_server)) == len(before) + 1
        child.send_signal(number)
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline and (databases(user_server) != before or directory.parent.exists()):
        time.sleep(0.05)
    assert databases(user_server) == before
    assert not directory.parent.exists()


@slow
@needs_local
def test_the_error_for_a_user_without_rights_names_the_command_that_gives_them(
    user_server: Server, run_folder: Path
) -> None:
    with user_server.connect() as connection:
        connection.execute("CREATE ROLE small LOGIN PASSWORD 'p@/:%'")
    with (
        pytest.raises(PostgresNotFound, match="right to create databases") as caught,
        start_server(url_of(user_server, user="small", password="p@/:%"), folder=run_folder),
    ):
        pass
    assert 'ALTER ROLE "small" CREATEDB' in caught.value.advice
    with user_server.connect() as connection:
        connection.execute("ALTER ROLE small CREATEDB")
    with start_server(url_of(user_server, user="small", password="p@/:%"), folder=run_folder) as server:
        assert not server.superuser
        assert any("not a superuser" in note for note in server.notes)
        assert any("that it makes there stay" in note for note in server.notes)
        assert any("whose error PL/pgSQL caught" in note for note in server.notes)
        server.connect(server.create_database()).close()


@slow
@needs_local
def test_the_error_for_a_wrong_password_is_the_servers_own(user_server: Server, run_folder: Path) -> None:
    with (
        pytest.raises(PostgresNotFound, match="password authentication failed") as caught,
        start_server(url_of(user_server, password="nonsense"), folder=run_folder),
    ):
        pass
    assert "nonsense" not in caught.value.message


def test_the_error_for_a_server_that_does_not_exist_names_host_and_port(run_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        pytest.raises(PostgresNotFound, match=rf"127\.0\.0\.1:{port}"),
        start_server(f"postgresql://u:p@127.0.0.1:{port}/x", folder=run_folder),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("postgresql://u:secret@h:x/db", "one port"),
        ("postgresql://u:secret@h/db?nonsense=1", "nonsense"),
        ("postgresql://u:secret@a,b/db", "one host"),
        ("postgresql:///db?service=x", "service"),
        ("postgresql://u:secret@h/db?sslmode=verify-full&sslrootcert=/nowhere", "cannot be read"),
    ],
)
def test_an_unusable_url_is_refused_without_showing_its_password(text: str, complaint: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        proxy_target(parse_url(text))
    assert complaint in caught.value.message
    assert "secret" not in caught.value.message


def test_a_url_in_sqlalchemys_spelling_is_parsed_and_its_password_hidden() -> None:
    address = parse_url("postgresql+asyncpg://me:se%40cret@db.example:6543/x?sslmode=require")
    assert (address.host, address.port, address.user) == ("db.example", 6543, "me")
    assert address.password == "se@cret"
    assert "cret" not in address.shown
    assert "hunter2" not in hide_password("postgresql:///x?user=me&password=hunter2")


@pytest.fixture
def over_tcp(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that accepts TCP connections, only with TLS, and asks for a password by SCRAM."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on PATH, to make a certificate with")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with run_directory.with_socket_directory(
        run_directory.create_data_directory(Path("/tmp"))
    ) as directories:
        key, certificate = directories[0].path / "key", directories[0].path / "certificate"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
             "-days", "2",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        key.chmod(0o600)
        if account := server_account():
            monkeypatch.setattr(local, "server_account", lambda: account)
            os.chown(key, account.uid, account.gid)
            certificate.chmod(0o644)
        tls_settings = {
            "listen_addresses": "127.0.0.1", "port": str(port), "ssl": "on", "ssl_key_file": str(key),
            "ssl_cert_file": str(certificate),
        }  # fmt: skip
        for name, value in tls_settings.items():
            monkeypatch.setitem(server_settings.LOCAL_SETTINGS, name, value)
        monkeypatch.setattr(
            server_settings, "HBA", server_settings.HBA + "hostssl all all 127.0.0.1/32 scram-sha-256\n"
        )
        monkeypatch.setattr(local, "PORT", port)
        monkeypatch.setattr(local, "UNIX_SOCKETS_ONLY", False)
        with start_server("local", folder=run_folder) as server:
            monkeypatch.setenv("THE_CERTIFICATE", str(certificate))
            with server.connect() as connection:  # as servers store it by default: hashed 4096 times
                connection.execute(f"ALTER ROLE postgres PASSWORD '{server.password}'".encode())
            yield server


@slow
@needs_local
@pytest.mark.parametrize("mode", ["", "require", "verify-ca", "verify-full"])
def test_every_driver_reaches_a_server_that_requires_tls(
    over_tcp: Server, run_folder: Path, mode: str
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
    with start_server(text, folder=run_folder) as server:
        with server.connect(server.create_database()) as connection:
            query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert connection.execute(query).fetchone() == (True,)
        login = {"user": server.user, "password": server.password, "database": server.create_database()}
        psycopg2.connect(host=server.socket_directory, port=server.port, **login).close()
        pg8000.Connection(unix_sock=f"{server.socket_directory}/.s.PGSQL.{server.port}", **login).close()

        async def connect() -> None:
            await (await asyncpg.connect(host=server.socket_directory, port=server.port, **login)).close()

        asyncio.run(connect())


@slow
@needs_local
def test_a_proxy_without_tls_passes_on_the_servers_refusal(over_tcp: Server, run_folder: Path) -> None:
    with open_remote_access(run_folder) as access:
        access.start_proxy(ProxyTarget("127.0.0.1", over_tcp.port))
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            psycopg.connect(host=str(access.socket_directory), port=5432, user="postgres", password="x")


def connect_as_project(server: Server) -> psycopg.Connection[tuple[object, ...]]:
    """A session that the proxy reads."""
    return psycopg.connect(
        host=server.socket_directory, port=server.port, user=server.user, password=server.password,
        dbname=server.create_database(), autocommit=True,
    )  # fmt: skip


@slow
@needs_local
def test_large_results_copies_and_cancel_requests_pass_the_proxy(
    user_server: Server, run_folder: Path
) -> None:
    with (
        start_server(url_of(user_server), folder=run_folder) as server,
        connect_as_project(server) as connection,
    ):
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
            connection.execute("SELECT pg_sleep(600)")
        timer.join()


@slow
@needs_local
def test_many_connections_pass_the_proxy_at_once_and_end_with_it(
    user_server: Server, run_folder: Path
) -> None:
    user_server.end_sessions()
    with user_server.connect() as outside:
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'migration-gate'"
        with start_server(url_of(user_server), folder=run_folder) as server:
            many = [server.connect() for _ in range(40)]
            assert outside.execute(count).fetchone() == (41,)
            for connection in many[:20]:
                connection.close()
        deadline = time.monotonic() + HANG_SECONDS
        while outside.execute(count).fetchone() != (1,) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert outside.execute(count).fetchone() == (1,)
        for connection in many[20:]:
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
            connection.close()


def test_the_password_for_the_final_cleanup_is_not_in_its_command_line() -> None:
    cleanup = cleanup_of_databases("password=secret", "migration_gate_0_")
    assert Path(cleanup.command[-1]).is_file()
    assert "secret" not in " ".join(cleanup.command)
    request = {"conninfo": "password=secret", "database_prefix": "migration_gate_0_"}
    assert json.loads(cleanup.standard_input) == request
