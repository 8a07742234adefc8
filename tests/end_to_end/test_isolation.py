"""The gate's own interpreter imports nothing that a checkout or a variable brings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.user_project import COMMAND

pytestmark = pytest.mark.slow
SHADOWED_MODULES = ("click", "yaml", "json")
"""what the gate imports early: packages, and one of the standard library"""
ROOT = Path(__file__).parents[2]
PROGRAMS = {"the command": (COMMAND,), "the module": (sys.executable, "-m", "migration_gate")}


@pytest.mark.parametrize("variable", ["PYTHONPATH", "PYTHONUSERBASE", "none"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_code_of_the_checkout_is_not_imported(program: str, variable: str, tmp_path: Path) -> None:
    packages = tmp_path / "src"
    if variable == "PYTHONUSERBASE":
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = tmp_path / "src" / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    for folder in (packages, tmp_path):
        for name in SHADOWED_MODULES:
            (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    environment = {**os.environ, variable: "src"}
    done = subprocess.run(
        [*PROGRAMS[program], "explain", "drift"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("variable", ["PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONNOUSERSITE", "none"])
def test_code_beside_the_command_is_not_imported(variable: str, tmp_path: Path) -> None:
    """Where nothing else is to be kept out, the command of a virtual environment does not start anew."""
    venv.create(tmp_path / "venv", symlinks=True)
    programs = tmp_path / "venv" / "bin"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    paths = [path for path in sys.path if path.endswith("site-packages")] + [str(ROOT)]
    link = programs.parent / "lib" / version / "site-packages" / "gate.pth"
    link.write_text("\n".join(paths) + "\n")
    for name in SHADOWED_MODULES:
        (programs / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    starts = "import os\nfrom migration_gate import __main__ as start\nexecv = os.execv\n"
    starts += f"os.execv = lambda *all: (open({str(tmp_path / 'anew')!r}, 'w'), execv(*all))\nstart.main()\n"
    (programs / "migration-gate").write_text(starts)
    done = subprocess.run(
        [programs / "python", programs / "migration-gate", "explain", "drift"],
        env={**{name: value for name, value in os.environ.items() if "PYTHON" not in name}, variable: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "anew").exists() is (variable in {"PYTHONPATH", "PYTHONNOUSERSITE"})


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_has_closed(closed: str, tmp_path: Path) -> None:
    for command in ("--version", "check ."):
        done = subprocess.run(
            ["sh", "-c", f"{COMMAND} {command} {closed}"], cwd=tmp_path, check=False, timeout=60
        )
        assert done.returncode == (0 if command == "--version" else 2)


LIMITS = {
    "ulimit -n 30": ("128 open files at a time, and the limit is 30", "ulimit -n 1024"),
    "ulimit -f 8000": ("64 MB in a file, and the limit is", "ulimit -f unlimited"),
}
"""and what is said about it"""


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_is_too_low(limit: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{limit}; {COMMAND} check ."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    for words in LIMITS[limit]:
        assert words in done.stderr


def test_a_limit_that_the_user_may_raise_is_raised(tmp_path: Path) -> None:
    """Then it is no matter of limits that there is no project here."""
    command = f"ulimit -S -n 30; ulimit -S -f 8000; {COMMAND} check ."
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "limit of" not in done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")
def test_root_without_its_rights(tmp_path: Path) -> None:
    done = subprocess.run(
        ["setpriv", "--bounding-set=-chown,-setuid", "--inh-caps=-all", COMMAND, "check", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "--user 1000" in done.stderr
    assert "--cap-add CHOWN --cap-add SETUID" in " ".join(done.stderr.split())
