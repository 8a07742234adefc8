"""What the settings of a checkout name is not run, read or given away with the gate's own rights."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.config.loading import load_settings
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.install.environment_cache import SUBFOLDERS, lock_cache, open_cache
from migration_gate.project import Project
from migration_gate.project.interpreter import inspect_interpreter
from migration_gate.replay.worker_process import start_worker
from migration_gate.sandbox.command import sandbox_command, sandbox_environment
from migration_gate.sandbox.user import NOBODY_ID, Account
from tests.support.privileges import folder_for_everybody

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the variables of Linux's loader"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights that others have not"),
]
RUNNER = 1001
"""the user that owns the files of GitHub's runner"""


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout that everybody may read, and write to."""
    with folder_for_everybody() as folder:
        folder.chmod(0o777)
        (folder / ".git").mkdir()
        yield folder


def load(checkout: Path, configuration: str) -> Settings:
    """The settings of the only project."""
    (checkout / ".migration-gate.yml").write_text(configuration)
    (settings,) = load_settings(checkout, {}, {})
    return settings


def test_a_variable_of_the_command_has_no_effect_on_the_sandbox() -> None:
    """The loader complains in each process about what it cannot load."""
    account = Account(NOBODY_ID, NOBODY_ID)
    variables = {"LD_PRELOAD": "/nonexistent/library.so", "PATH": os.defpath, "EMPTY": ""}
    done = subprocess.run(
        sandbox_command(["/usr/bin/env"], account=account),
        env=sandbox_environment(variables), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.count("cannot be preloaded") == 1
    assert "LD_PRELOAD=/nonexistent/library.so\n" in done.stdout
    assert "EMPTY=\n" in done.stdout
    assert "COMMAND:" not in done.stdout


def test_a_program_of_the_checkout_is_asked_for_its_packages_without_roots_rights(checkout: Path) -> None:
    program = checkout / "tools" / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nid -u >&2\n")
    program.chmod(0o755)
    seen = inspect_interpreter(program, "a test", checkout, {"PATH": os.defpath})
    assert f"({NOBODY_ID})" in seen.problem


def test_a_module_of_the_checkout_does_not_run_with_roots_rights_in_another_interpreter(
    checkout: Path,
) -> None:
    (checkout / "sitecustomize.py").write_text("import os; os.write(2, b'%d' % os.getuid()); os._exit(1)")
    variables = {"PYTHONPATH": str(checkout)}
    seen = inspect_interpreter(Path("/usr/bin/python3"), "a test", checkout, variables)
    assert f"({NOBODY_ID})" in seen.problem


@pytest.mark.parametrize("names", ["hook", "directory"])
def test_a_file_that_others_may_not_read_does_not_make_the_code_run_as_root(
    checkout: Path, names: str
) -> None:
    with folder_for_everybody() as elsewhere:
        secret = elsewhere / "secret"
        secret.mkdir(mode=0o700)
        hook = secret / "hook.py"
        hook.touch()
        project = Project(
            name="x", root=checkout, python=Path("/usr/bin/python3"), kind="hook", config=None, section="",
            directory=secret if names == "directory" else checkout,
            hook=hook if names == "hook" else None,
        )  # fmt: skip
        settings = Settings(name="x", root=checkout, working_directory=checkout)
        with (
            pytest.raises(Misconfigured, match="who may not read"),
            start_worker(project, settings, elsewhere),
        ):
            pass


@pytest.mark.parametrize("key", ["env_file", "hook", "prepare", "start_from", "alembic"])
def test_a_file_that_only_root_may_read_is_not_read_for_a_checkout(checkout: Path, key: str) -> None:
    with folder_for_everybody() as elsewhere:
        secret = elsewhere / "secret.env"
        secret.write_text("PASSWORD=hunter2\n")
        value = {"prepare": f"[{{sql_file: {secret}}}]", "start_from": f"{{dump: {secret}}}"}
        configuration = f"{key}: {value.get(key, str(secret))}\n"
        secret.chmod(0o600)
        with pytest.raises(Misconfigured, match="not for the project's code"):
            load(checkout, configuration)
        (checkout / "link").symlink_to(secret)
        with pytest.raises(Misconfigured, match="not for the project's code"):
            load(checkout, configuration.replace(str(secret), "link"))
        secret.chmod(0o644)
        load(checkout, configuration)


def test_the_checkouts_own_files_may_be_roots_alone(checkout: Path) -> None:
    (checkout / ".env").write_text("PASSWORD=hunter2\n")
    (checkout / ".env").chmod(0o600)
    assert load(checkout, "env_file: .env\n").env_by_name() == {"PASSWORD": "hunter2"}


@pytest.mark.parametrize("name", ["/proc/self/environ", "/proc/1/environ", "/proc/self/maps"])
def test_variables_of_processes_are_no_dotenv_files(checkout: Path, name: str) -> None:
    with pytest.raises(Misconfigured):
        load(checkout, f"env_file: {name}\n")


@pytest.mark.parametrize("github", [False, True])
def test_a_folder_with_other_files_is_not_given_to_the_account_that_installs(
    checkout: Path, github: bool
) -> None:
    with folder_for_everybody() as elsewhere:
        commands = elsewhere / "file_commands"
        (commands / "home").mkdir(parents=True)
        for file in (commands / "set_env_1", commands / "home" / "file"):
            file.touch()
            os.chown(file, RUNNER if github else 0, 0)
        os.chown(checkout, RUNNER, RUNNER)
        settings = Settings(name="x", root=checkout, working_directory=checkout, cache=commands)
        with pytest.raises(Misconfigured) as caught:
            open_cache(settings, checkout, {"GITHUB_ACTIONS": "true"} if github else {})
        assert "it holds `set_env_1`" in str(caught.value.evidence)
        assert (commands / "home" / "file").stat().st_uid == (RUNNER if github else 0)


def test_the_project_cannot_write_to_the_packages_when_they_are_installed(checkout: Path) -> None:
    settings = Settings(name="x", root=checkout, working_directory=checkout, cache=checkout / "cache")
    cache = open_cache(settings, checkout, {})
    assert cache.account is not None
    with lock_cache(cache):
        installed = cache.folder / "environments" / "x"
        assert installed.parent.stat().st_uid == cache.account.uid
        installed.mkdir()
        os.chown(installed, cache.account.uid, cache.account.gid)
    for path in (cache.folder, installed, *(cache.folder / name for name in SUBFOLDERS)):
        assert path.stat().st_uid == 0
        assert not path.stat().st_mode & stat.S_IWOTH
    with lock_cache(cache):  # and again
        assert installed.stat().st_uid == cache.account.uid
