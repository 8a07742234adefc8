"""What a run has used: whatever is opened or executed, and by whom; nobody sees what other processes do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import migration_gate

CODE = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from migration_gate.worker.used_files import FilesUsed
used = FilesUsed()
used.watch()
sys.path[0] = "."
exec(compile(sys.argv[2], "project", "exec"))
found = used.list_used()
print(json.dumps([found.files, found.modules, found.folders]))
"""
ROOT = str(Path(migration_gate.__file__).parents[1])


def find_used(folder: Path, code: str, *options: str) -> tuple[list[str], list[str], list[str]]:
    """The files, modules and folders that this code uses, relative to the folder."""
    script = folder.parent / "script.py"
    script.write_text(CODE)
    command = [sys.executable, "-I", "-B", *options, str(script), ROOT, code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files, modules, folders = (
        [os.path.relpath(path, folder) for path in paths if Path(path).is_relative_to(folder)]
        for paths in json.loads(done.stdout.splitlines()[-1])
    )
    return files, modules, folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts/one.py").write_text("A = 1\n")
    (folder / "a.txt").write_text("1")
    return folder


@pytest.mark.parametrize(
    "code",
    [
        "open('a.txt').read()",
        "import os; os.read(os.open('a.txt', os.O_RDONLY), 1)",
        "import sqlite3; sqlite3.connect('a.txt')",
        "from concurrent.futures import ThreadPoolExecutor as Pool; from pathlib import Path\n"
        "with Pool() as pool: list(pool.map(Path.read_text, [Path('a.txt')]))",
        "import parts; from importlib.resources import files; files(parts).joinpath('../a.txt').read_bytes()",
        "import pkgutil, parts.one; pkgutil.get_data('parts.one', '../a.txt')",
    ],
    ids=["open", "os.open", "sqlite", "in a thread", "resources", "get_data"],
)
def test_what_is_opened_is_used(folder: Path, code: str) -> None:
    assert "a.txt" in find_used(folder, code)[0]


@pytest.mark.parametrize(
    "code",
    [
        "import parts.one",
        "import parts.one, sys; del sys.modules['parts.one']",
        "import runpy; runpy.run_path('parts/one.py')",
        "from importlib.util import *; spec = spec_from_file_location('x', 'parts/one.py')\n"
        "spec.loader.exec_module(module_from_spec(spec))",
    ],
    ids=["imported", "removed", "run", "loaded by its path"],
)
@pytest.mark.parametrize("has_bytecode", [False, True])
def test_code_that_runs_is_used(folder: Path, code: str, has_bytecode: bool) -> None:
    if has_bytecode:
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder)], check=True)
    files, modules, _ = find_used(folder, code)
    assert "parts/one.py" in {*files, *modules}
    assert not any("__pycache__" in path for path in (*files, *modules))


def test_compiled_modules_and_libraries_are_used(folder: Path) -> None:
    for event, values in (("import", "'x', '{}/x.so', [], [], []"), ("ctypes.dlopen", "'{}/x.so'")):
        assert find_used(folder, f"sys.audit('{event}', {values.format(folder)})")[1] == ["x.so"]
    assert (
        find_used(folder, "sys.audit('ctypes.dlopen', 'libc.so.6'); sys.audit('ctypes.dlopen', None)")[1]
        == []
    )
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-b", str(folder)], check=True)
    (folder / "parts/one.py").unlink()
    files, modules, _ = find_used(folder, "import parts.one")
    assert "parts/one.pyc" in {*files, *modules}


def test_folders_are_used_where_modules_were_looked_for(folder: Path) -> None:
    code = "import sys; sys.path.append('libraries')\ntry: import parts.two\nexcept ImportError: pass"
    files, modules, folders = find_used(folder, code + "\ntry: import nowhere\nexcept ImportError: pass")
    assert (files, modules) == ([], [])
    assert folders == [".", "libraries", "parts"]
    code = "import importlib.metadata, pkgutil; list(importlib.metadata.entry_points())\nimport parts\n"
    files, _, folders = find_used(folder, code + "list(pkgutil.iter_modules(parts.__path__))")
    assert (files, folders) == ([], [".", "parts"])
    assert find_used(folder, "import os; os.listdir('parts')")[0] == ["parts"]
    assert find_used(folder, "import os; os.listdir()")[0] == ["."]


def test_what_the_project_makes_itself_says_nothing_new(folder: Path) -> None:
    code = """
import os, tempfile
tempfile.tempdir = os.getcwd()
with tempfile.NamedTemporaryFile("w+") as file:
    file.read()
with tempfile.TemporaryDirectory() as made:
    open(made + "/x", "w").close()
    open(made + "/x").read()
os.makedirs("parts", exist_ok=True)
open("parts/one.py").read()
open("a.txt", "a+").read()
try:
    open("parts/one.py", "x")
except FileExistsError:
    pass
"""
    # (A folder that is listed by its descriptor cannot be told from the working directory.)
    assert [path for path in find_used(folder, code)[0] if path != "."] == ["a.txt", "parts/one.py"]


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.fork() or os._exit(0)",
        "import subprocess; subprocess.run(['true'])",
        "import sqlite3; sqlite3.connect('file:a.txt', uri=True)",
        "import sys, types; sys.modules['multiprocessing.popen_spawn_posix'] = types.ModuleType('x')",
    ],
    ids=["a fork", "a program", "an address", "another interpreter"],
)
def test_of_what_nobody_sees_nothing_is_said(folder: Path, code: str) -> None:
    assert find_used(folder, "import parts.one; " + code) == ([], [], [])


def test_programs_that_say_the_same_in_each_run_are_nothing(folder: Path) -> None:
    code = "import platform, subprocess; platform.architecture(); subprocess.run(['git', 'version']); "
    assert find_used(folder, code + "import parts.one")[1] == ["parts/one.py"]


def test_the_machine_and_odd_events_are_nothing(folder: Path) -> None:
    code = """
import platform, sqlite3, sys
open("/proc/self/status").read()
sqlite3.connect(":memory:")
for event in ("open", "exec", "import", "os.listdir", "os.mkdir", "sqlite3.connect", "ctypes.dlopen"):
    for values in ([], [None], [object()], ["a\\0b", None, 1], [None, None, None], [1, 1, 1]):
        sys.audit(event, *values)
"""
    assert find_used(folder, code)[:2] == (["."], [])
