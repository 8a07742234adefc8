"""Each command of the pages runs, in a copy of what the page speaks of."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

import migration_gate
from migration_gate.cli import command_line
from tests.support.action_image import PYTHON, built_image
from tests.support.documentation import ROOT, Block, list_blocks, list_commands, list_inline_commands
from tests.support.git_repositories import started
from tests.test_cli import run

COMMANDS = list_commands()
SERVICE = ROOT / "examples/monorepo/services/accounts"
MONOREPO = ROOT / "examples/monorepo"
OURS = sorted({
    (MONOREPO if command.page == "examples/monorepo/README.md" else SERVICE, command.text)
    for command in COMMANDS
    if command.text.startswith("migration-gate")
})  # fmt: skip
RUN_ELSEWHERE = {
    # What is published has this name and extra: test_release_workflow.
    "uv tool install 'migration-gate[embedded]'",
    # It asks GitHub.
    "gh attestation verify oci://ghcr.io/migration-gate/migration-gate:VERSION --owner migration-gate",
}
"""commands that cannot run here"""
JOIN = "migration-gate join api.json billing.json"
OTHER_STATUS = {
    JOIN: 1,  # of reports that block
    'migration-gate sizes --database "$DATABASE_URL"': 2,  # no such variable here
    "migration-gate doctor --write-hook": 2,  # of a project that needs none
    "migration-gate allow ID --reason TEXT": 2,  # there is no such finding here, and below
    'migration-gate allow 3fb2c81e07 --reason "until the import is done" --until 2027-01-31 --write': 2,
}
PLACEHOLDERS = {"NAME": "drift", "FORMAT": "json", "REPORT...": "report.json"}
OUR_COMMAND = re.compile(r"migration-gate(?::[\w.]+)?\s+((?:check|projects|join|doctor) [^\n']*)")
CI_BLOCKS = [block for block in list_blocks() if OUR_COMMAND.search(block.text)]


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository with one project, or with three."""
    copy = tmp_path / "copy"
    shutil.copytree(request.param, copy, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    return started(copy)


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "text"), OURS, indirect=["folder"])
def test_a_command_of_ours_runs(
    folder: Path, text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MIGRATION_GATE_PYTHON", sys.executable)
    if text == JOIN:
        for name in ("api", "billing"):
            shutil.copy(ROOT / "tests/golden/blocked.json", folder / f"{name}.json")
    words = shlex.split(text.replace("$GITHUB_STEP_SUMMARY", str(folder / "summary.md")))
    status, out, err = run(capsys, *words[1:])
    assert status == OTHER_STATUS.get(text, 0), out + err


@pytest.mark.parametrize("text", sorted({c.text for c in COMMANDS if c.text.startswith("make ")}))
def test_make_has_the_target(text: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *shlex.split(text)[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_command_is_run_by_a_test_or_it_is_said_why_not() -> None:
    known = {text.replace("VERSION", migration_gate.__version__) for text in RUN_ELSEWHERE}
    run_here = ("migration-gate ", "make ", "docker run ")
    others = {command.text for command in COMMANDS if not command.text.startswith(run_here)}
    assert others == known


def read_options(words: list[str]) -> None:
    """Parse a command line of ours, and run nothing. Raises click's errors."""
    words = [PLACEHOLDERS.get(word, word) for word in words]
    with command_line.make_context("migration-gate", words, resilient_parsing=False) as context:
        name, command, arguments = command_line.resolve_command(context, words)
        assert command is not None
        command.make_context(name, arguments, parent=context)


@pytest.mark.parametrize("text", sorted({command.text for command in list_inline_commands()}))
def test_a_command_within_a_sentence_has_options_that_exist(text: str) -> None:
    if text.startswith("migration-gate"):
        read_options(shlex.split(text)[1:])


@pytest.mark.parametrize("block", CI_BLOCKS, ids=lambda block: block.place)
def test_a_command_of_another_ci_system_has_options_that_exist(block: Block) -> None:
    commands = OUR_COMMAND.findall(block.text)
    assert commands
    for text in commands:
        read_options(shlex.split(re.sub(r"\$+\w+", "main", text.replace("'", ""))))


def test_an_option_that_does_not_exist_is_seen() -> None:
    with pytest.raises(click.ClickException):
        read_options(["check", "--nothing"])


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.release
@pytest.mark.parametrize("text", sorted({c.text for c in COMMANDS if c.text.startswith("docker run")}))
def test_a_container_runs(text: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(SERVICE, copy, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    (copy / ".migration-gate.yml").write_text(f'python: {PYTHON}\ninstall: "off"\n')
    started(copy)
    released = f"ghcr.io/migration-gate/migration-gate:{migration_gate.__version__}"
    assert released in text
    command = ["sh", "-c", text.replace(released, built_image())]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed: no findings" in done.stdout
