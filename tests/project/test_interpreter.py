"""Choosing the project's interpreter, and the errors where none has what a migration needs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from migration_gate.errors import ProjectNotImported, WorkerDied
from migration_gate.project.interpreter import inspect_interpreter
from migration_gate.project.interpreter_choice import (
    TOOL_MARKERS,
    choose_interpreter,
    suggest_install_command,
)
from migration_gate.sandbox.landlock import find_landlock_version
from tests.project.test_locate import write_environment

GOOD = ("alembic-1.13.0", "SQLAlchemy-2.0.30")


def choose_and_fail(
    setting: Path | None, directory: Path, environ: dict[str, str] | None = None
) -> ProjectNotImported:
    with pytest.raises(ProjectNotImported) as caught:
        choose_interpreter(setting, directory, directory, environ or {"PATH": ""})
    return caught.value


def test_the_nearest_environment_is_taken_up_to_the_top(tmp_path: Path) -> None:
    inner = tmp_path / "services/api"
    inner.mkdir(parents=True)
    outer = write_environment(tmp_path / ".venv", *GOOD)
    assert choose_interpreter(None, inner, tmp_path, {}).python == outer
    nearer = write_environment(inner / "venv", *GOOD)
    assert choose_interpreter(None, inner, tmp_path, {}).python == nearer


def test_an_environment_without_the_packages_is_passed_over_and_named(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    empty = write_environment(project / ".venv")
    active = write_environment(tmp_path / "active", *GOOD)
    chosen = choose_interpreter(None, project, project, {"VIRTUAL_ENV": str(active.parent.parent)})
    assert (chosen.python, chosen.why) == (active, "the active environment ($VIRTUAL_ENV)")
    assert chosen.notes == (f"`{empty}` was passed over: it has no alembic and no sqlalchemy",)


def test_conda_comes_after_a_virtual_environment(tmp_path: Path) -> None:
    one, two = write_environment(tmp_path / "one", *GOOD), write_environment(tmp_path / "two", *GOOD)
    environ = {"CONDA_PREFIX": str(tmp_path / "one"), "VIRTUAL_ENV": str(tmp_path / "two")}
    assert choose_interpreter(None, tmp_path / "x", tmp_path / "x", environ).python == two
    del environ["VIRTUAL_ENV"]
    assert choose_interpreter(None, tmp_path / "x", tmp_path / "x", environ).python == one


def test_installed_packages_are_read_from_the_files_of_the_environment(tmp_path: Path) -> None:
    python = write_environment(
        tmp_path / ".venv", *GOOD, "psycopg2_binary-2.9.9", "left_pad-1.0", version="3.11.7"
    )
    seen = inspect_interpreter(python, "a test", tmp_path, {})
    assert seen.version == (3, 11, 7)
    assert dict(seen.packages) == {"alembic": "1.13.0", "sqlalchemy": "2.0.30", "psycopg2-binary": "2.9.9"}


def test_a_missing_package_names_the_interpreter_and_the_command(tmp_path: Path) -> None:
    python = write_environment(tmp_path / ".venv", "sqlalchemy-2.0.30")
    (tmp_path / "requirements.txt").touch()
    error = choose_and_fail(None, tmp_path)
    assert error.message == f"The project's interpreter `{python}` has no alembic."
    assert error.advice == (
        f"Install the project there: `{python} -m pip install -r {tmp_path / 'requirements.txt'}`. "
        f"It was chosen because of the virtual environment `{tmp_path / '.venv'}`. "
        "Another one can be named with `python:`."
    )


@pytest.mark.parametrize(
    ("packages", "version", "says"),
    [
        (GOOD, "3.8.10", "is Python 3.8.10; the gate needs 3.9 or newer."),
        (
            ("alembic-1.13.0", "SQLAlchemy-1.3.24"),
            "3.9.1",
            "has sqlalchemy 1.3.24; the gate needs 1.4 or newer.",
        ),
        (("alembic-1.4.3", "SQLAlchemy-1.4.54"), "3.9.1", "has alembic 1.4.3; the gate needs 1.7 or newer."),
    ],
)
def test_an_old_python_or_package_is_refused(
    tmp_path: Path, packages: tuple[str, ...], version: str, says: str
) -> None:
    python = write_environment(tmp_path / ".venv", *packages, version=version)
    assert choose_and_fail(python, tmp_path).message == f"The project's interpreter `{python}` {says}"


def test_the_error_without_any_interpreter_says_how_to_install_the_project(tmp_path: Path) -> None:
    error = choose_and_fail(None, tmp_path, {"PATH": str(tmp_path)})
    assert error.message.startswith("No Python with the project's packages was found")
    assert error.advice == (
        "Install the project: `python3 -m pip install alembic sqlalchemy psycopg2-binary`. "
        "Or name its interpreter with `python:`."
    )


@pytest.mark.parametrize(
    ("file", "command"),
    [("uv.lock", "uv sync"), ("poetry.lock", "poetry install"), ("Pipfile.lock", "pipenv install")],
)
def test_the_command_follows_the_lock_file(tmp_path: Path, file: str, command: str) -> None:
    (tmp_path / file).touch()
    (tmp_path / "requirements.txt").touch()
    assert suggest_install_command("python", tmp_path, tmp_path) == command


@pytest.mark.slow
def test_an_interpreter_outside_of_an_environment_is_started_and_asked(tmp_path: Path) -> None:
    real = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    seen = inspect_interpreter(real, "a test", tmp_path, {})
    assert seen.version == sys.version_info[:3]
    assert not seen.problem


@pytest.mark.slow
@pytest.mark.skipif(not find_landlock_version(), reason="this kernel has no Landlock")
def test_an_interpreter_that_is_asked_writes_no_file(tmp_path: Path) -> None:
    python = tmp_path / "python"  # the pull request's settings may name any program
    python.write_text(f'#!/bin/sh\necho x > {tmp_path}/written\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert inspect_interpreter(python, "the setting", tmp_path, {}).version == sys.version_info[:3]
    assert not (tmp_path / "written").exists()


def test_a_program_that_is_not_python_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o755)
    error = choose_and_fail(script, tmp_path)
    assert error.message.startswith(
        f"The project's interpreter `{script}` could not be asked: it is not a Python"
    )
    error = choose_and_fail(tmp_path / "missing", tmp_path)
    assert "No such file or directory" in error.message


@pytest.mark.slow
def test_what_a_program_that_is_not_python_says_last_is_part_of_the_message(tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\necho first >&2\necho 'unknown option -c' >&2\nexit 2\n")
    script.chmod(0o755)
    error = choose_and_fail(script, tmp_path)
    assert "it is not a Python that starts (unknown option -c)" in error.message


@pytest.mark.slow
def test_the_gates_own_environment_is_the_last_resort(tmp_path: Path) -> None:
    environ = {"VIRTUAL_ENV": sys.prefix, "PATH": ""}
    chosen = choose_interpreter(None, tmp_path, tmp_path, environ)
    assert chosen.python == Path(sys.prefix) / "bin/python"
    assert "which is the gate's own environment too" in chosen.why
    other = write_environment(tmp_path / ".venv", *GOOD)
    assert choose_interpreter(None, tmp_path, tmp_path, environ).python == other


@pytest.mark.parametrize("marker", TOOL_MARKERS)
def test_an_environment_that_was_made_for_the_gate_alone_is_never_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: str
) -> None:
    own = write_environment(tmp_path / "hook", *GOOD)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "hook"))
    # As pre-commit runs a hook: its environment is the active one, and first on PATH.
    environ = {"VIRTUAL_ENV": str(tmp_path / "hook"), "PATH": str(own.parent)}
    assert choose_interpreter(None, tmp_path, tmp_path, environ).python == own
    (tmp_path / "hook" / marker).touch()
    with pytest.raises(ProjectNotImported, match=f"own environment, which {TOOL_MARKERS[marker]} made"):
        choose_interpreter(None, tmp_path, tmp_path, environ)
    projects = write_environment(tmp_path / "elsewhere", *GOOD)
    for python in (own, projects):  # environments are links to one Python
        python.unlink()
        python.symlink_to(sys.executable)
    environ["PATH"] = f"{own.parent}:{projects.parent}"
    chosen = choose_interpreter(None, tmp_path, tmp_path, environ)
    assert (chosen.python.parent, chosen.why) == (projects.parent, "`python` on PATH")


def test_choosing_a_virtual_environment_starts_no_interpreter(tmp_path: Path) -> None:
    python = write_environment(tmp_path / ".venv", *GOOD)
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    assert choose_interpreter(None, tmp_path, tmp_path, {}).python == python
    assert not (tmp_path / "started").exists()


@pytest.mark.slow
def test_an_interpreter_that_is_killed_while_it_is_asked_is_no_fault_of_the_project(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -9 $$\n")
    python.chmod(0o755)
    tmp_path.chmod(0o755)
    with pytest.raises(WorkerDied, match=r"was killed by signal 9 \(SIGKILL\) while it was asked"):
        inspect_interpreter(python, "the setting `python`", tmp_path, {})
