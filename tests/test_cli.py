"""The command line: what it asks, what it says when something is wrong, and its exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from migration_gate import __version__, cli, entrypoint, explain
from migration_gate.check import check_name
from migration_gate.config.schema import ProjectKeys
from migration_gate.errors import Broken, Misconfigured
from migration_gate.process.interruption import Terminated
from migration_gate.report.deliver import ReportFile, ReportTargets
from migration_gate.report.error_text import render_error
from migration_gate.sandbox import user
from tests.project.test_locate import FLASK, INI, write_project
from tests.support.github_runner import read_log

COMMAND = (sys.executable, "-m", "migration_gate")
HEAVY_LIBRARIES = {
    "alembic",
    "sqlalchemy",
    "psycopg",
    "pydantic",
    "yaml",
    "rich",
    "requests",
    "migration_gate.facts",
}
"""what is loaded only once a project is examined: together they take longer than printing help"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        status = cli.run_command_line(arguments)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    out, err = capsys.readouterr()
    return status, out, err


def test_each_setting_has_an_option() -> None:
    options = {option.name for option in cli.check_project.params if isinstance(option, click.Option)}
    keys = set(ProjectKeys.model_fields) - {
        "prepare",
        "start_from",
        "rehearsal",
        "tables",
        "raw_sql",
        "owners",
        "checks",
        "allow",
        "forbid_allow",
        "limits",
    }
    assert keys <= options
    assert {"config", "project", "section", "run_timeout", "statement_timeout", "import_timeout"} <= options


def test_options_become_the_settings_of_a_configuration_file() -> None:
    seen: dict[str, object] = {}

    def collect(path: Path, options: Mapping[str, object], targets: ReportTargets) -> int:
        seen.update(path=path, options=dict(options), targets=targets)
        return 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entrypoint, "run_check", collect)
        status = cli.command_line.main(
            ["check", "db", "--alembic", "a.ini", "--section", "s", "--env", "A=b=c", "--env", "D=",
             "-x", "q=1", "--target", "h1", "--target", "h2", "--run-timeout", "9", "--no-network",
             "--project", "api", "--format", "json", "--output", "r.json",
             "--report", "sarif=a=b.sarif", "--report", "junit=j.xml"],
            standalone_mode=False,
        )  # fmt: skip
    assert status == 1
    assert seen == {
        "path": Path("db"),
        "targets": ReportTargets(
            "json",
            Path("r.json"),
            (ReportFile("sarif", Path("a=b.sarif")), ReportFile("junit", Path("j.xml"))),
        ),
        "options": {
            "alembic": {"config": "a.ini", "section": "s"},
            "env": {"A": "b=c", "D": ""},
            "x": ("q=1",),
            "target": ("h1", "h2"),
            "limits": {"run": "9"},
            "network": False,
            "project": ("api",),
        },
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("chekc",), "No such command 'chekc'"),
        (("check", "--format", "xml"), "'xml' is not one of 'text', 'json', 'summary', 'sarif'"),
        (("check", "--report", "xml=a"), "'xml=a' is not FORMAT=FILE; the formats are text, json"),
        (("check", "--env", "A"), "'A' is not NAME=VALUE."),
        (("check", "--postgre", "17"), "No such option"),
    ],
)
def test_a_wrong_command_line_ends_with_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert says in err


def test_an_error_says_what_where_and_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / ".migration-gate.yml").write_text("fail_on: eror\nsnapshots: 1\n")
    status, out, err = run(capsys, "check", str(tmp_path))
    assert (status, out) == (2, "")
    assert err == (
        "error: `fail_on` must be error or warning, but is `eror`.\n  at .migration-gate.yml:1\n\n"
        "Did you mean `error`?\n"
    )


def test_the_text_of_an_error_fits_80_columns_and_keeps_code() -> None:
    error = Misconfigured(
        "A long sentence " * 8,
        where="a:1",
        advice="Write this:\n\n    projects:\n      a: {}",
        evidence="one\ntwo",
    )
    lines = render_error(error).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-8:] == ["", "Write this:", "", "    projects:", "      a: {}", "", "    one", "    two"]


def test_a_bug_is_one_message_and_a_log_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "describe_all_checks", lambda: 1 // 0)
        patch.setattr(user, "is_container", lambda: False)
        patch.delenv("CI", raising=False)
        status, _, err = run(capsys, "explain")
        assert status == 3
        assert err.startswith("error: The gate broke: ZeroDivisionError: ")
        assert "Traceback" not in err
        file = Path(err.split("  at ")[1].splitlines()[0])
        assert "ZeroDivisionError" in file.read_text()
        file.unlink()
        status, _, err = run(capsys, "--debug", "explain")
        assert (status, "Traceback" in err) == (3, True)


@pytest.mark.parametrize("arguments", [["explain"], ["check", "--format", "json"]])
def test_a_bug_on_github_is_shown_in_the_log_and_in_the_summary(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("::error::no\n`@team`")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "describe_all_checks", fail)
        patch.setattr(entrypoint, "run_check", fail)
        for name, value in (("ACTIONS", "true"), ("STEP_SUMMARY", str(tmp_path / "summary"))):
            patch.setenv(f"GITHUB_{name}", value)
        patch.setenv("CI", "true")
        status, out, err = run(capsys, *arguments)
    assert status == 3
    log = read_log(out + err)
    assert [command.name for command in log.commands] == ["group", "endgroup", "error"]
    assert log.named("error")[0].message.startswith("The gate broke: ValueError: ::error::no")
    assert any(line.startswith("Traceback") for line in log.shown)
    if arguments != ["explain"]:
        assert not out, "stdout is for the report"
    summary = (tmp_path / "summary").read_text()
    assert summary.startswith("## Migration Gate broke\n")
    assert "Traceback" in summary
    assert "@team" not in summary.partition("```")[0]


def test_a_bug_in_a_container_shows_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "describe_all_checks", lambda: 1 // 0)
        patch.setattr(user, "is_container", lambda: True)
        status, _, err = run(capsys, "explain")
    assert status == 3
    assert "Traceback" in err
    assert "  at " not in err.partition("Traceback")[0]


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), 130), (Terminated(15), 143), (Broken("b"), 3)]
)
def test_signals_have_their_own_exit_statuses(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    def fail() -> None:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explain, "describe_all_checks", fail)
        assert run(capsys, "explain")[0] == status


def test_explain_lists_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "explain")
    assert status == 0
    assert all(f" {check_name(check)} " in out for check in explain.known_checks())
    assert max(map(len, out.splitlines())) <= 80


def test_names_of_checks_are_known_without_loading_them() -> None:
    kinds = explain.known_kinds()
    assert kinds.names == set(kinds) == {check_name(check) for check in explain.known_checks()}
    assert "drift" in kinds
    assert "type" in kinds["drift"]
    for wrong in ("no-such-check", "nullable_owner", "__init__", "../checks/drift", ""):
        assert wrong not in kinds


def test_explain_describes_one_check(capsys: pytest.CaptureFixture[str]) -> None:
    for check in explain.known_checks():
        status, out, _ = run(capsys, "explain", check_name(check))
        assert status == 0
        assert out.startswith(f"{check_name(check)} ({check.SEVERITY.value})\n")
        assert "Instead, " in out


def test_explain_of_an_unknown_check_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "explain", "nulable-owner")
    assert status == 2
    assert "Did you mean `nullable-owner`?" in err


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "schema")
    assert (status, json.loads(out)["title"]) == (0, "Migration Gate")


def test_doctor_says_what_it_found_and_what_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    env = "import os\nfrom app.settings import settings\nos.environ['DATABASE_URL']\nos.getenv('PGHOST')\n"
    settings = "class Settings(BaseSettings):\n    model_config = dict(env_prefix='APP_')\n    key: str\n"
    ini = INI + "sqlalchemy.url = postgresql://me:hush@db/app\n"
    files = {"alembic.ini": ini, "migrations/env.py": env, "app/settings.py": settings, "app/__init__.py": ""}
    write_project(tmp_path, files)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("PGHOST", raising=False)
        _, out, _ = run(
            capsys, "doctor", str(tmp_path), "--postgres", "postgresql://me:hush@db/x", "--format", "json"
        )
    assert "hush" not in out
    (project,) = json.loads(out)["projects"]
    assert project["project"]["found"] == "ini"
    assert project["interpreter"]["drivers"] == "psycopg2-binary 2.9.9"
    assert project["database url"] == {
        "in the ini": "postgresql://me:***@db/app",
        "required": ["DATABASE_URL  migrations/env.py:3", "APP_KEY  app/settings.py:3"],
        "optional": ["PGHOST  migrations/env.py:4"],
        "not set": [
            "a run leaves them unset, and gives dummy values only to those without which env.py fails; "
            "where a value matters, set it in .migration-gate.yml:",
            "env:",
            "  DATABASE_URL: …",
            "  APP_KEY: …",
        ],
        "at run time": "whatever it says, every connection is redirected to the ephemeral server",
    }
    assert project["postgres"]["wanted"] == "postgresql://me:***@db/x"
    assert project["configuration"]["postgres"] == "postgresql://me:***@db/x  (--postgres)"
    assert project["missing"] == []


def test_doctor_ends_with_2_when_something_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_project(tmp_path, FLASK)
    status, out, _ = run(capsys, "doctor", str(tmp_path))
    assert status == 2
    assert "Missing\n  - `" in out
    assert "    Name the application, as FLASK_APP would: `flask_app:" in out


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"], ["rebase", "--help"]])
def test_help_and_version_import_no_heavy_library(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from migration_gate import cli\n"
        f"cli.run_command_line({arguments!r})\n"
        f"print('imported:', *sorted({HEAVY_LIBRARIES!r} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1].split() == ["imported:"]


def test_the_base_is_examined_without_alembic_unless_there_is_something_to_render() -> None:
    script = (
        "import sys; import migration_gate.change.base_process, migration_gate.replay.examination_on_server\n"
        "print(*sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("\n", "")


@pytest.mark.slow
def test_the_version_is_printed_before_anything_is_imported_or_started() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "migration_gate", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f"migration-gate {__version__}\n"
    imported = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    assert imported.count("site") == 1, "there is a second interpreter"
    assert [name for name in imported if name.partition(".")[0] in {"click", "signal", "migration_gate"}] == [
        "migration_gate"
    ]


@pytest.mark.slow
def test_a_closed_pipe_is_no_error() -> None:
    command = subprocess.Popen([*COMMAND, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None
    command.stdout.close()
    _, err = command.communicate()
    assert b"Traceback" not in err


@pytest.mark.slow
def test_an_interrupt_while_the_isolated_interpreter_starts_ends_it_in_silence() -> None:
    script = """
import os, signal, sys
from migration_gate import __main__ as start
start.block_interrupts()
os.kill(os.getpid(), signal.SIGINT)
os.execv(sys.executable, start.isolated_command(["explain"]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


@pytest.mark.slow
def test_sigterm_ends_with_143(tmp_path: Path) -> None:
    script = "import signal, sys, time\nfrom migration_gate import cli, explain\n"
    script += "explain.describe_all_checks = lambda: (print('ready', flush=True), time.sleep(30))\n"
    script += "sys.exit(cli.run_command_line(['explain']))\n"
    started = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    os.kill(started.pid, signal.SIGTERM)
    _, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (143, b"\nInterrupted; nothing is left behind.\n")


@pytest.mark.parametrize("arguments", [["explain"], ["explain", "drift"], ["check", "/nowhere"]])
def test_on_githubs_runner_commands_in_what_is_printed_are_suspended(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    cli.run_command_line(arguments)
    first, *_, last = capsys.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert token != first
    assert last == f"::{token}::"


@pytest.mark.parametrize("option", [["--format", "json"], ["--format=json"]])
def test_the_lines_that_suspend_commands_are_no_part_of_json(
    option: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    cli.run_command_line(["check", str(tmp_path), *option])
    out, err = capsys.readouterr()
    assert "::stop-commands::" not in out
    assert err.startswith("::stop-commands::")
