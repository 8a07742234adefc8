"""The server of a run: what it is like, and what does not get in its way."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from migration_gate import postgres
from migration_gate.postgres import binaries, embedded, initdb_cache, run_directory
from migration_gate.postgres.choice import choose_server, start_server
from migration_gate.postgres.server import database_marker

slow = pytest.mark.slow
LOCAL = binaries.find_installations()[0]
needs_local = pytest.mark.skipif(not LOCAL, reason="no Postgres server is installed on this machine")
EMBEDDED = embedded.find_embedded()[0]
needs_embedded = pytest.mark.skipif(EMBEDDED is None, reason="the embedded extra is not installed")


def one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@slow
@needs_local
def test_auto_takes_the_newest_local_server_and_says_why(tmp_path: Path) -> None:
    with start_server("auto", folder=tmp_path) as server:
        assert server.description.startswith(f"local, PostgreSQL {LOCAL[0].version} (")
        assert server.reason == "the newest on this machine"
        assert server.superuser
        assert server.version // 10000 == LOCAL[0].major
        assert choose_server("auto").description == server.description


@slow
@needs_local
def test_the_server_is_what_the_design_asks_for(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server, server.connect() as connection:
        assert one(connection, "SELECT current_setting('cluster_name')") == server.token
        for name, value in {
            "server_encoding": "UTF8",
            "lc_messages": "C",
            "fsync": "off",
            "jit": "off",
            "autovacuum": "off",
            "listen_addresses": "",
            "TimeZone": "UTC",
            "wal_level": "minimal",
            "max_connections": "100",
            "log_min_messages": "notice",
        }.items():
            assert one(connection, f"SELECT current_setting('{name}')") == value, name
        locale = one(connection, "SELECT datcollate FROM pg_database WHERE datname = 'template1'")
        assert locale in ("C.UTF-8", "C")
        assert stat.S_IMODE(Path(server.socket_directory).stat().st_mode) == 0o755
        assert len(f"{server.socket_directory}/.s.PGSQL.{server.port}") <= 103


@slow
@needs_local
def test_a_wrong_or_missing_password_is_refused(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server:
        for password in ("wrong", ""):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(
                    host=server.socket_directory,
                    user=server.user,
                    password=password,
                    dbname="postgres",
                    passfile="/x",
                )
        assert server.password not in repr(server)
        assert server.log
        assert server.password not in server.log.read_text()


@slow
@needs_local
def test_every_driver_gets_in(tmp_path: Path) -> None:
    asyncio = pytest.importorskip("asyncio")
    asyncpg = pytest.importorskip("asyncpg")
    pg8000 = pytest.importorskip("pg8000.native")
    psycopg2 = pytest.importorskip("psycopg2")
    with start_server("local", folder=tmp_path) as server:
        who = {"user": server.user, "password": server.password, "database": "postgres"}
        psycopg2.connect(host=server.socket_directory, port=server.port, **who).close()
        socket = f"{server.socket_directory}/.s.PGSQL.{server.port}"
        pg8000.Connection(unix_sock=socket, **who).close()

        async def enter() -> None:
            connection = await asyncpg.connect(host=server.socket_directory, port=server.port, **who)
            await connection.close()

        asyncio.run(enter())


@slow
@needs_local
def test_databases_are_made_and_cloned_with_our_marker(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server:
        first = server.create_database()
        with server.connect(first) as connection:
            connection.execute("CREATE TABLE t AS SELECT 'ü' AS v")
        second = server.create_database(template=first)
        with server.connect(second) as connection:
            assert one(connection, "SELECT v FROM t") == "ü"
            said = one(connection, f"SELECT shobj_description(oid,'pg_database') FROM pg_database "
                                   f"WHERE datname = '{second}'")  # fmt: skip
        assert said == database_marker(second)
        assert first.startswith(server.database_prefix)


@slow
@needs_local
def test_a_clone_of_a_database_in_use_says_so(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server:
        name = server.create_database()
        with server.connect(name), pytest.raises(Exception, match="others are connected to it"):
            server.create_database(template=name)


@slow
@needs_local
def test_notices_and_failed_statements_reach_the_log(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server, server.connect() as connection:
        connection.execute("DO $$ BEGIN RAISE NOTICE 'bonjour'; END $$")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM nowhere")
        words = server.log_tail()
    assert re.search(r"\|00000\|migration-gate\|postgres\|NOTICE:  bonjour", words)
    assert re.search(r"\|42P01\|migration-gate\|postgres\|ERROR: ", words)
    assert "STATEMENT:  SELECT * FROM nowhere" in words


@slow
@needs_local
def test_our_connections_ignore_the_callers_libpq_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGHOST": "x", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGSSLMODE": "require",
                        "PGOPTIONS": "-c search_path=x", "PGDATA": "/x", "PGUSER": "x"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with start_server("local", folder=tmp_path) as server, server.connect() as connection:
        assert one(connection, "SHOW search_path") == '"$user", public'


@slow
@needs_local
@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the server runs as this user")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="no Python that others may run")
def test_root_starts_the_server_as_an_unprivileged_user_and_others_can_connect(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path) as server:
        data = Path(server.socket_directory).parent / "data"
        pid = int((data / "postmaster.pid").read_text().split()[0])
        assert Path(f"/proc/{pid}").stat().st_uid != 0
        assert data.stat().st_uid == Path(f"/proc/{pid}").stat().st_uid
        groups = re.search(r"^Groups:(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M)
        assert groups
        assert not groups.group(1).strip()
        code = (
            "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
            "import os; print(os.getuid(), os.access(sys.argv[2], os.R_OK))"
        )
        said = subprocess.run(
            ["/usr/bin/python3", "-c", code, f"{server.socket_directory}/.s.PGSQL.5432", data],
            user=65534, group=65534, extra_groups=[], cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert said.stdout == "65534 False\n", said.stderr


@slow
@needs_local
def test_a_start_from_the_cache_is_quick(tmp_path: Path) -> None:
    with start_server("local", folder=tmp_path):
        pass
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        with start_server("local", folder=tmp_path):
            seconds.append(time.perf_counter() - begun)
    print(f"ready after {[f'{second:.3f}' for second in seconds]} s")
    assert min(seconds) < 5.0  # 0.11 s on an idle machine, 1.2 s on one that is loaded fivefold


@slow
@needs_embedded
def test_the_embedded_server_runs_and_says_what_it_lacks(tmp_path: Path) -> None:
    with start_server("embedded", folder=tmp_path) as server, server.connect() as connection:
        assert server.description.startswith("embedded, PostgreSQL ")
        assert "uuid-ossp" in " ".join(server.notes)
        names = {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions")}
        assert EMBEDDED
        assert not names & set(EMBEDDED.missing_extensions())


@slow
@needs_embedded
@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the server runs as this user")
def test_programs_in_a_folder_that_only_root_can_enter_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert EMBEDDED
    assert EMBEDDED.package_folder
    site = tmp_path / "site"
    shutil.copytree(EMBEDDED.package_folder, site / EMBEDDED.package_folder.name)
    libraries = f"{EMBEDDED.package_folder.name}.libs"
    if (EMBEDDED.package_folder.parent / libraries).is_dir():
        shutil.copytree(EMBEDDED.package_folder.parent / libraries, site / libraries)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(site)
    with start_server("embedded", folder=tmp_path) as server:
        assert str(site) not in server.description
        server.connect().close()
        folder = Path(server.socket_directory).parent
    assert not folder.exists()


@slow
@needs_local
@pytest.mark.parametrize(
    "name", ["x" * 120, "Ordner mit Leerzeichen, Kommas und Umlauten äöü", 'it\'s "quoted"']
)
def test_a_difficult_folder_for_temporary_files_is_no_obstacle(name: str) -> None:
    with run_directory.with_socket_directory(run_directory.create_data_directory(Path("/tmp"))) as places:
        parent = places[0].path / name
        parent.mkdir()
        parent.chmod(0o777)
        places[0].path.chmod(0o755)
        with start_server("local", folder=parent) as server:
            assert server.log
            assert server.log.is_relative_to(parent), "the data belongs where it was asked for"
            assert run_directory.is_valid_socket_directory(Path(server.socket_directory))
            server.connect().close()
            socket = Path(server.socket_directory)
        assert list(parent.iterdir()) == []
        assert not socket.parent.exists()


@slow
@needs_local
@pytest.mark.parametrize("harm", ["pg_control", "missing", "json", "foreign", "file", "unwritable"])
def test_a_spoilt_cache_is_no_obstacle(harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with start_server("local", folder=tmp_path):
        pass
    cached = initdb_cache.template_of(LOCAL[0])
    assert cached
    data = cached.folder / "data"
    assert data.is_dir()
    if harm == "pg_control":
        (data / "global/pg_control").write_bytes(bytes(8192))
    elif harm == "missing":
        (data / "base/1/PG_VERSION").unlink()
    elif harm == "json":
        (cached.folder / "complete").write_text("{")
    elif harm == "foreign":
        cached.folder.chmod(0o777)
    else:
        shutil.rmtree(tmp_path / "cache")
        (tmp_path / "cache").write_text("a file") if harm == "file" else (tmp_path / "cache").mkdir(
            mode=0o500
        )
    with start_server("local", folder=tmp_path) as server, server.connect() as connection:
        assert one(connection, "SELECT 1") == 1
    if harm in ("pg_control", "missing", "json", "foreign"):
        assert cached.copy(tmp_path / "copy", None), "the cache should have been made anew"
        assert [path.name for path in cached.folder.parent.iterdir()] == [cached.folder.name]


@slow
@needs_local
def test_several_first_starts_at_once_share_the_cache(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from migration_gate.postgres.choice import start_server\n"
        "with start_server('local', folder=Path(sys.argv[1])) as s: s.connect().close(); print('fine')"
    )
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", code, str(tmp_path)]
    root = Path(postgres.__file__).parents[2]
    runs = [
        subprocess.Popen(
            command, env=environ, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(4)
    ]
    assert [run.communicate(timeout=60)[0] for run in runs] == ["fine\n"] * 4
    assert len(list((tmp_path / "cache/migration-gate/clusters").iterdir())) == 1
