"""A server from programs of this machine: its settings, and the conditions under which it still starts."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

import migration_gate
from migration_gate.postgres import initdb_cache, run_directory
from migration_gate.postgres.binaries import find_installations
from migration_gate.postgres.choice import choose_server, plan_server, start_planned_server, start_server
from migration_gate.postgres.cluster_files import measure_folder
from migration_gate.postgres.embedded import find_embedded
from migration_gate.postgres.initdb_cache import find_cached_cluster
from migration_gate.postgres.server import database_marker
from migration_gate.sandbox.landlock import find_landlock_version
from tests.support.privileges import folder_for_everybody
from tests.support.release_tests import first_in_every_run

slow = pytest.mark.slow
LOCAL = find_installations().installations
needs_local = pytest.mark.skipif(not LOCAL, reason="no Postgres server is installed on this machine")
EMBEDDED = find_embedded().installations
needs_embedded = pytest.mark.skipif(not EMBEDDED, reason="the embedded extra is not installed")


def fetch_value(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@slow
@needs_local
def test_auto_takes_the_newest_local_server_and_says_why(run_folder: Path) -> None:
    with start_server("auto", folder=run_folder) as server:
        assert server.description.startswith(f"local, PostgreSQL {LOCAL[0].version} (")
        assert server.reason == "the newest on this machine"
        assert server.superuser
        assert server.version // 10000 == LOCAL[0].major
        assert choose_server("auto").description == server.description


@slow
@needs_local
def test_the_server_has_the_settings_of_a_temporary_cluster(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server, server.connect() as connection:
        assert fetch_value(connection, "SELECT current_setting('cluster_name')") == server.token
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
            assert fetch_value(connection, f"SELECT current_setting('{name}')") == value, name
        locale = fetch_value(connection, "SELECT datcollate FROM pg_database WHERE datname = 'template1'")
        assert locale in ("C.UTF-8", "C")
        assert stat.S_IMODE(Path(server.socket_directory).stat().st_mode) == 0o755
        assert len(f"{server.socket_directory}/.s.PGSQL.{server.port}") <= 103


@slow
@needs_local
def test_a_wrong_or_missing_password_is_refused(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server:
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
def test_every_driver_can_connect(run_folder: Path) -> None:
    asyncio = pytest.importorskip("asyncio")
    asyncpg = pytest.importorskip("asyncpg")
    pg8000 = pytest.importorskip("pg8000.native")
    psycopg2 = pytest.importorskip("psycopg2")
    with start_server("local", folder=run_folder) as server:
        who = {"user": server.user, "password": server.password, "database": "postgres"}
        psycopg2.connect(host=server.socket_directory, port=server.port, **who).close()
        socket = f"{server.socket_directory}/.s.PGSQL.{server.port}"
        pg8000.Connection(unix_sock=socket, **who).close()

        async def connect() -> None:
            connection = await asyncpg.connect(host=server.socket_directory, port=server.port, **who)
            await connection.close()

        asyncio.run(connect())


@slow
@needs_local
def test_databases_are_created_and_copied_with_the_marker(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server:
        first = server.create_database()
        with server.connect(first) as connection:
            connection.execute("CREATE TABLE t AS SELECT 'ü' AS v")
        second = server.create_database(template=first)
        with server.connect(second) as connection:
            assert fetch_value(connection, "SELECT v FROM t") == "ü"
            comment = fetch_value(connection, f"SELECT shobj_description(oid,'pg_database') FROM pg_database "
                                   f"WHERE datname = '{second}'")  # fmt: skip
        assert comment == database_marker(second)
        assert first.startswith(server.database_prefix)


@slow
@needs_local
def test_a_copy_of_a_database_in_use_is_refused_with_the_reason(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server:
        name = server.create_database()
        with server.connect(name), pytest.raises(Exception, match="others are connected to it"):
            server.create_database(template=name)


@slow
@needs_local
@pytest.mark.parametrize(("version", "has_force"), [(120022, False), (130000, True)])
def test_a_database_in_use_is_dropped_as_the_version_of_the_server_can(
    run_folder: Path, version: int, has_force: bool
) -> None:
    with start_server("local", folder=run_folder) as server:
        name = server.create_database()
        with server.connect() as connection:
            connection.execute("ALTER ROLE CURRENT_USER SET log_statement = 'ddl'")
        server.end_sessions()
        session = server.connect(name)
        session.execute("CREATE TABLE item (id integer)")
        server_of_version = replace(server, version=version)
        server_of_version.copy_used_database(name, f"{name}_copy")
        server_of_version.copy_used_database(name, f"{name}_copy")
        server_of_version.recreate_database(name)
        session.close()
        with server.connect(name) as connection:
            assert fetch_value(connection, "SELECT to_regclass('item')") is None
        drops = [
            line for line in server.log_tail(100).splitlines() if "LOG:  statement: DROP DATABASE" in line
        ]
    assert len(drops) == 3
    assert all(("WITH (FORCE)" in line) is has_force for line in drops)


@slow
@needs_local
def test_notices_and_failed_statements_reach_the_log(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server, server.connect() as connection:
        connection.execute("DO $$ BEGIN RAISE NOTICE 'bonjour'; END $$")
        connection.execute("DO $$ BEGIN RAISE LOG 'migration_gate step: %', E'1\\nand 2'; END $$")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM nowhere")
        words = server.log_tail()
        whole = server.process.log_tail(40)
    assert re.search(r"\|00000\|migration-gate\|postgres\|NOTICE:  bonjour", whole)
    assert re.search(r"\|42P01\|migration-gate\|postgres\|ERROR: ", words)
    assert "STATEMENT:  SELECT * FROM nowhere" in words
    for own in ("and 2", "RAISE LOG", "bonjour"):
        assert own in whole
        assert own not in words


@slow
@needs_local
@pytest.mark.skipif(not find_landlock_version(), reason="this kernel has no Landlock")
def test_the_server_writes_to_no_cache_among_temporary_files(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where it runs as the gate's own user, who may write to all of them."""
    monkeypatch.setattr(initdb_cache, "runs_as_root", lambda: False)
    with folder_for_everybody() as folder:
        cache, other = folder / "cache", folder / "other"
        for path in (folder, cache, other):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
        plan = plan_server("local", caches=(cache,))
        with start_planned_server(plan, folder=run_folder) as server, server.connect() as connection:
            for way in ("'{}/file'", "PROGRAM 'cat > {}/program'", "PROGRAM 'rm -r {} && mkdir {}'"):
                with pytest.raises(psycopg.Error):
                    connection.execute(f"COPY (SELECT 1) TO {way.format(cache, cache)}".encode())
                assert cache.is_dir()
                assert not [*cache.iterdir()]
            connection.execute(f"COPY (SELECT 1) TO '{other}/file'".encode())
            assert (other / "file").read_text() == "1\n"


@slow
@needs_local
def test_connections_ignore_the_libpq_variables_of_the_environment(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGHOST": "x", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGSSLMODE": "require",
                        "PGOPTIONS": "-c search_path=x", "PGDATA": "/x", "PGUSER": "x"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with start_server("local", folder=run_folder) as server, server.connect() as connection:
        assert fetch_value(connection, "SHOW search_path") == '"$user", public'


@slow
@needs_local
@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the server runs as this user")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="no Python that others may run")
def test_root_starts_the_server_as_an_unprivileged_user_and_others_can_connect(run_folder: Path) -> None:
    with start_server("local", folder=run_folder) as server:
        data = Path(server.socket_directory).parent / "data"
        pid = int((data / "postmaster.pid").read_text().split()[0])
        assert Path(f"/proc/{pid}").stat().st_uid != 0
        account = data.stat().st_uid
        assert account == Path(f"/proc/{pid}").stat().st_uid
        with pytest.raises(KeyError):  # it owns nothing else: not this machine's real clusters, for example
            pwd.getpwuid(account)
        with start_server("local", folder=run_folder) as second:
            assert Path(second.socket_directory).stat().st_uid not in (0, account)
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
@needs_embedded
def test_the_embedded_server_runs_and_its_notes_say_what_it_lacks(run_folder: Path) -> None:
    with start_server("embedded", folder=run_folder) as server, server.connect() as connection:
        assert server.description.startswith("embedded, PostgreSQL ")
        assert "uuid-ossp" in " ".join(server.notes)
        names = {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions")}
        assert not names & set(EMBEDDED[0].missing_extensions())


@pytest.mark.release
@slow
@needs_embedded
@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the server runs as this user")
def test_programs_in_a_folder_that_only_root_can_enter_are_copied(
    tmp_path: Path, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = EMBEDDED[0].package_folder
    assert package
    site = tmp_path / "site"
    for folder in package.parent.glob(f"{package.name}*"):
        if folder.name in (package.name, f"{package.name}.libs"):
            shutil.copytree(folder, site / folder.name)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(site)
    with start_server("embedded", folder=run_folder) as server:
        assert str(site) not in server.description
        server.connect().close()
        folder = Path(server.socket_directory).parent
    assert not folder.exists()


@slow
@needs_local
@pytest.mark.parametrize(
    "name", ["x" * 120, "Ordner mit Leerzeichen, Kommas und Umlauten äöü", 'it\'s "quoted"']
)
def test_the_server_starts_in_a_folder_whose_name_does_not_suit_a_socket(name: str) -> None:
    with run_directory.with_socket_directory(
        run_directory.create_data_directory(Path("/tmp"))
    ) as directories:
        parent = directories[0].path / name
        parent.mkdir()
        parent.chmod(0o777)
        directories[0].path.chmod(0o755)
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
@pytest.mark.parametrize(
    "damage", first_in_every_run(["pg_control", "foreign", "missing", "json", "file", "unwritable"], 2)
)
def test_the_server_starts_although_the_cached_cluster_is_unusable(
    damage: str, tmp_path: Path, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with start_server("local", folder=run_folder):
        pass
    cached = find_cached_cluster(LOCAL[0])
    assert cached
    data = cached.folder / "data"
    assert data.is_dir()
    if damage == "pg_control":
        (data / "global/pg_control").write_bytes(bytes(8192))
    elif damage == "missing":
        (data / "base/1/PG_VERSION").unlink()
    elif damage == "json":
        (cached.folder / "complete").write_text("{")
    elif damage == "foreign":
        cached.folder.chmod(0o777)
    else:
        shutil.rmtree(tmp_path / "cache")
        if damage == "file":
            (tmp_path / "cache").write_text("a file")
        else:
            (tmp_path / "cache").mkdir(mode=0o500)
    with start_server("local", folder=run_folder) as server, server.connect() as connection:
        assert fetch_value(connection, "SELECT 1") == 1
    if damage in ("pg_control", "missing", "json", "foreign"):
        record = cached.read_record()
        assert record is not None, "the cache should hold a new cluster"
        assert measure_folder(str(cached.data)) == (record.files, record.bytes)
        assert [path.name for path in cached.folder.parent.iterdir()] == [cached.folder.name]


@pytest.mark.release
@slow
@needs_local
def test_several_runs_that_fill_the_cache_at_the_same_time_all_succeed(
    tmp_path: Path, run_folder: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from migration_gate.postgres.choice import start_server\n"
        "with start_server('local', folder=Path(sys.argv[1])) as s: s.connect().close(); print('fine')"
    )
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", code, str(run_folder)]
    root = Path(migration_gate.__file__).parents[1]
    runs = [
        subprocess.Popen(
            command, env=environ, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(4)
    ]
    assert [run.communicate(timeout=120)[0] for run in runs] == ["fine\n"] * 4
    assert len(list((tmp_path / "cache/migration-gate/clusters").iterdir())) == 1
