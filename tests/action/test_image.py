"""The built image itself: what is in it, how it ends, and what it needs of its surroundings."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.action_checkout import add_revision, commit_skeleton, copy_example
from tests.support.action_image import (
    PYTHON,
    bare_image,
    built_image,
    demand_daemon,
    run_docker,
    stand_in_image,
)
from tests.support.action_runner import commit, run_step
from tests.support.github_runner import read_log
from tests.support.release_tests import first_in_every_run

pytestmark = [pytest.mark.docker, pytest.mark.slow]
MEGABYTES = 300


def shell(script: str) -> str:
    """What a script in the published image prints."""
    done = run_docker("run", "--rm", "--entrypoint", "sh", bare_image(), "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(folder: Path, *options: str, words: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """`docker run` with a mounted folder, and no variable of any CI."""
    mount = ["-v", f"{folder}:/src" + (":ro" if "--read-only" in options else "")]
    return run_docker(
        "run",
        "--rm",
        *options,
        *mount,
        built_image(),
        "check",
        "/src",
        "--python",
        PYTHON,
        "--install",
        "off",
        *words,
    )


def test_the_image_is_small() -> None:
    size = int(run_docker("image", "inspect", "--format", "{{ .Size }}", bare_image()).stdout)
    assert size < MEGABYTES * 1_000_000, f"{size // 1_000_000} MB"


def test_the_image_keeps_githubs_rules() -> None:
    (config,) = json.loads(
        run_docker("image", "inspect", "--format", "[{{ json .Config }}]", bare_image()).stdout
    )
    assert config["Entrypoint"] == ["/usr/bin/tini", "-s", "--", "/opt/migration-gate/bin/migration-gate"]
    assert not config.get("User")
    assert not config.get("WorkingDir")


def test_the_image_has_the_extensions_of_migrations() -> None:
    extensions = shell("ls /usr/share/postgresql/*/extension/*.control")
    for name in ("pgcrypto", "uuid-ossp", "pg_trgm", "citext", "hstore", "btree_gist", "ltree", "unaccent"):
        assert f"/{name}.control" in extensions
    assert "libicui18n" in shell("ldd /usr/bin/postgres")


def test_no_program_in_the_image_gains_rights() -> None:
    assert shell("find / -xdev -type f -perm /6000") == ""
    assert shell("find / -xdev -type d -perm -0002 ! -perm -1000") == ""


def test_no_cache_and_no_compiler_is_left_in_the_image() -> None:
    unwanted = (
        "~/.cache", "/var/lib/apt/lists/*_Packages*", "/var/cache/apt/*.bin", "/usr/lib/*/libLLVM*",
        "/usr/lib/postgresql/*/lib/bitcode", "/var/lib/postgresql/*/main", "/opt/migration-gate/src",
    )  # fmt: skip
    found = shell(f"ls -d {' '.join(unwanted)} 2>/dev/null || true; command -v gcc cc strip || true")
    assert found == ""


@pytest.mark.release
def test_the_image_has_icu_collations_and_utf8(tmp_path: Path) -> None:
    body = """
from alembic import op
op.execute("CREATE COLLATION german (provider = icu, locale = 'de-u-kn-true')")
op.execute("CREATE EXTENSION citext")
encoding = op.get_bind().exec_driver_sql("SHOW server_encoding").scalar()
assert encoding == "UTF8", encoding
op.execute("COMMENT ON TABLE notes IS 'заметки 笔记 📝'")
op.execute("DROP COLLATION german")
op.execute("DROP EXTENSION citext")
"""
    result = run_step(add_revision(commit_skeleton(tmp_path / "hello"), body))
    assert result.exit_code == 0, result.log


@pytest.mark.release
def test_without_a_ci_a_mounted_folder_is_checked(tmp_path: Path) -> None:
    done = check(copy_example(tmp_path / "hello", "nullable-owner"))
    assert done.returncode == 1
    assert "`notes.owner_id` accepts NULL" in done.stdout
    assert "::" not in done.stdout


def test_variables_of_the_job_import_nothing_into_the_gate(tmp_path: Path) -> None:
    """Which is root, and may have Docker's socket and the job's token."""
    folder = commit_skeleton(tmp_path / "hello")
    (folder / "src").mkdir()
    for name in ("click", "sitecustomize", "usercustomize", "yaml", "json"):
        text = "import os\nos.write(2, b'RAN AS %d\\n' % os.getuid())\nif os.getuid() == 0: os._exit(0)\n"
        (folder / "src" / f"{name}.py").write_text(text)
    variables = ("PYTHONPATH=/src/src", "PYTHONSTARTUP=/src/src/click.py", "PYTHONUSERBASE=/src", "HOME=/src")
    done = check(folder, *(word for variable in variables for word in ("-e", variable)), "-w", "/src/src")
    assert "RAN AS 0" not in done.stdout + done.stderr
    assert done.stdout, "the gate did not end before its report"


@pytest.mark.release
def test_a_bug_shows_its_traceback_because_files_end_with_the_container(tmp_path: Path) -> None:
    """A part of the gate is missing; on GitHub its log, an error and the summary say so."""
    checkout = commit_skeleton(tmp_path / "hello")
    (tmp_path / "nothing").mkdir()
    packages = "/opt/migration-gate/lib/python3.13/site-packages/migration_gate"
    breaks = ("-v", f"{tmp_path / 'nothing'}:{packages}/scan")
    done = check(checkout, *breaks)
    assert (done.returncode, "Traceback" in done.stderr) == (3, True), done.stderr
    (tmp_path / "summary").touch()
    variables = ("-e", "GITHUB_ACTIONS=true", "-e", "GITHUB_STEP_SUMMARY=/summary")
    done = check(checkout, *breaks, *variables, "-v", f"{tmp_path / 'summary'}:/summary")
    log = read_log(done.stdout + done.stderr)
    assert (done.returncode, [command.name for command in log.commands]) == (
        3,
        ["group", "endgroup", "error"],
    )
    assert any(line.startswith("Traceback") for line in log.shown)
    assert "Traceback" in (tmp_path / "summary").read_text()


@pytest.mark.release
def test_a_read_only_folder_can_be_checked(tmp_path: Path) -> None:
    done = check(commit_skeleton(tmp_path / "hello"), "--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run")
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.release
def test_a_project_can_be_checked_without_network_and_socket(tmp_path: Path) -> None:
    done = check(commit_skeleton(tmp_path / "hello"), "--network", "none")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("signal", first_in_every_run(["TERM", "INT"], 1))
def test_a_signal_ends_it_and_nothing_is_left_behind(signal: str, tmp_path: Path) -> None:
    checkout = commit_skeleton(tmp_path / "hello")
    body = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(300)
print("asleep", flush=True)
time.sleep(300)
"""
    add_revision(checkout, body)
    name = f"migration-gate-test-{secrets.token_hex(6)}"
    command = ["run", "-d", "--name", name, "-v", f"{checkout}:/src", built_image()]
    run_docker(*command, "check", "/src", "--python", PYTHON, "--install", "off")
    try:
        _wait_for_sleep(name)
        if signal == "TERM":
            run_docker("stop", "--time", "60", name)  # then SIGKILL, and status 137
        else:
            run_docker("kill", "--signal", signal, name)
            run_docker("wait", name)
        status = run_docker("inspect", "--format", "{{ .State.ExitCode }}", name).stdout.strip()
        logs = run_docker("logs", name)
    finally:
        run_docker("rm", "-f", name)
    assert status == {"TERM": "143", "INT": "130"}[signal]
    assert "Interrupted; nothing is left behind." in logs.stdout + logs.stderr


@pytest.mark.parametrize("seconds", first_in_every_run([0, 0.1, 0.05, 0.3], 1))
def test_a_signal_at_its_start_ends_it(seconds: float, tmp_path: Path) -> None:
    """The kernel keeps SIGTERM from a container's first process until that handles it."""
    checkout = commit_skeleton(tmp_path / "hello")
    name = f"migration-gate-test-{secrets.token_hex(6)}"
    words = ("-v", f"{checkout}:/src", built_image(), "check", "/src", "--python", PYTHON, "--install", "off")
    run_docker("run", "-d", "--name", name, *words)
    try:
        time.sleep(seconds)  # (whenever it comes)
        run_docker("stop", "--time", "60", name)  # then SIGKILL, and status 137
        status = run_docker("inspect", "--format", "{{ .State.ExitCode }}", name).stdout.strip()
    finally:
        run_docker("rm", "-f", name)
    assert status == "143"


def _wait_for_sleep(name: str) -> None:
    for _ in range(200):
        running = run_docker(
            "exec", name, "sh", "-c", "grep -l '[w]orker/__main__' /proc/[0-9]*/cmdline | wc -l"
        )
        if int(running.stdout.strip() or 0) >= 3:  # the sandbox, the worker, and its child
            return
        time.sleep(0.1)
    raise AssertionError(run_docker("logs", name).stdout)


@pytest.fixture
def service() -> Iterator[tuple[str, str]]:
    """A service container on a network of its own, as a job with `services:` has it."""
    demand_daemon()
    image, name = stand_in_image("postgres:15"), f"migration-gate-test-{secrets.token_hex(6)}"
    network_options = ("--network", name, "--network-alias", "db")
    run_docker("network", "create", name)
    run_docker("run", "-d", "--name", name, *network_options, "-e", "POSTGRES_PASSWORD=p%w", image)
    try:
        for _ in range(150):
            if run_docker("exec", name, "psql", "-c", "", "postgresql://postgres:p%25w@db").returncode == 0:
                break
            time.sleep(0.2)
        yield name, "postgresql://postgres:p%25w@db:5432/postgres"
    finally:
        run_docker("rm", "-f", "-v", name)
        run_docker("network", "rm", name)


@pytest.mark.release
def test_a_service_of_the_job_is_used_and_cleaned_up(service: tuple[str, str], tmp_path: Path) -> None:
    network, url = service
    result = run_step(
        copy_example(tmp_path / "hello", "drift"), "schedule", None, "--network", network, postgres=url
    )
    databases = run_docker(
        "exec", network, "psql", "-U", "postgres", "-Atc", "SELECT datname FROM pg_database"
    )
    assert result.exit_code in (1, 2), result.log
    assert sorted(databases.stdout.split()) == ["postgres", "template0", "template1"]
    assert "p%25w" not in result.log + result.summary
    assert "p%w" not in result.log + result.summary


@pytest.mark.release
def test_another_major_is_started_through_the_mounted_socket(tmp_path: Path) -> None:
    image = stand_in_image("postgres:17")
    before = run_docker("ps", "-aq", "--filter", f"ancestor={image}").stdout.split()
    result = run_step(commit_skeleton(tmp_path / "hello"), postgres="17")
    assert result.exit_code == 0, result.log
    assert "PostgreSQL 17" in result.log
    assert run_docker("ps", "-aq", "--filter", f"ancestor={image}").stdout.split() == before


@pytest.mark.release
def test_an_image_without_the_socket_is_an_error(tmp_path: Path) -> None:
    result = run_step(
        commit_skeleton(tmp_path / "hello"),
        "schedule",
        None,
        "--no-socket",
        postgres="postgis/postgis:17-3.5",
    )
    assert (result.exit_code, result.outputs["result"]) == (2, "not-checked")
    assert "postgis/postgis:17-3.5" in result.log


@pytest.mark.release
def test_reports_are_files_that_belong_to_the_runner(tmp_path: Path) -> None:
    checkout = copy_example(tmp_path / "hello", "drift")
    subprocess.run(["chown", "-R", "1001:1001", str(checkout)], check=True)
    output = tmp_path / "output"
    output.touch()
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": "/github/workspace",
        "GITHUB_OUTPUT": "/output",
        "INPUT_PYTHON": PYTHON,
        "INPUT_INSTALL": "off",
        "INPUT_SARIF": "out/gate.sarif",
        "INPUT_JUNIT": "out/gate.xml",
    }
    options = [word for name, text in variables.items() for word in ("-e", f"{name}={text}")]
    mounts = ("-v", f"{checkout}:/github/workspace", "-v", f"{output}:/output")
    done = run_docker("run", "--rm", *mounts, *options, built_image(), "action")
    assert done.returncode == 1, done.stdout
    for name in (".migration-gate/report.json", "out/gate.sarif", "out/gate.xml"):
        file = checkout / name
        assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (1001, 0o644), name
    assert json.loads((checkout / "out/gate.sarif").read_text())["version"] == "2.1.0"
    assert "out/gate.sarif" in output.read_text()


@pytest.mark.release
def test_a_checkout_that_others_may_not_read_is_checked_with_a_note(tmp_path: Path) -> None:
    checkout = commit_skeleton(tmp_path / "hello")
    commit(checkout, "x")
    checkout.chmod(0o700)
    result = run_step(checkout)
    assert result.exit_code == 0, result.log
    assert "may not read" in result.log


@pytest.mark.release
def test_a_restored_cache_is_used(tmp_path: Path) -> None:
    """Restored files belong to the runner, as everything in its checkout does."""
    checkout = commit_skeleton(tmp_path / "hello")
    (checkout / "requirements.txt").write_text(
        "alembic==1.16.5\nsqlalchemy==2.0.43\npsycopg2-binary==2.9.10\n"
    )
    words = [
        "run",
        "--rm",
        "-v",
        f"{checkout}:/github/workspace",
        "-e",
        "GITHUB_ACTIONS=true",
        "-e",
        "CI=true",
    ]
    words += ["-e", "GITHUB_WORKSPACE=/github/workspace", bare_image(), "action"]
    runs = []
    for _ in range(2):
        subprocess.run(["chown", "-R", "-h", "1001:1001", str(checkout)], check=True)
        runs.append(run_docker(*words))
    assert [run.returncode for run in runs] == [0, 0], runs[0].stdout + runs[1].stdout
    owners = {path.lstat().st_uid for path in checkout.rglob("*")}
    assert owners == {1001}, "what is left in the checkout must be the runner's to remove"
