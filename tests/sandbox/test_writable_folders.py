"""Where the project's code may write: Landlock, as it limits a command in the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration_gate.sandbox import writable_folders
from migration_gate.sandbox.command import sandbox_command
from migration_gate.sandbox.landlock import find_landlock_version
from migration_gate.sandbox.writable_folders import (
    list_temporary_folders,
    list_writable_folders,
    make_temporary_caches,
)
from tests.sandbox.test_socket_attacks import HANG_SECONDS, NOBODY, PYTHON, needs_root
from tests.support.privileges import folder_for_everybody

needs_landlock = pytest.mark.skipif(not find_landlock_version(), reason="this kernel has no Landlock")
WRITES = """
import os, socket, sys
folder = sys.argv[1]
def attempt(function, *words):
    try:
        function(*words)
    except OSError as error:
        return error.errno
    return 0
print(
    attempt(open, f"{folder}/new", "w"), attempt(open, f"{folder}/file", "w"),
    attempt(os.mkdir, f"{folder}/d"),
    attempt(os.symlink, "x", f"{folder}/l"), attempt(os.unlink, f"{folder}/file"),
    attempt(os.truncate, f"{folder}/other", 0), attempt(os.rename, f"{folder}/other", f"{folder}/moved"),
    attempt(socket.socket(socket.AF_UNIX).bind, f"{folder}/socket"),
)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may write to, with two files."""
    with folder_for_everybody() as made:
        made.chmod(0o777)
        for name in ("file", "other"):
            (made / name).write_text("text")
            (made / name).chmod(0o666)
        yield made


def run_sandboxed(code: str, *words: str, **options: object) -> str:
    """What the code prints."""
    done = subprocess.run(
        sandbox_command([PYTHON, "-I", "-S", "-c", code, *words], unix_sockets_only=True, **options),  # type: ignore[arg-type]
        capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@needs_landlock
def test_nothing_is_written_outside_of_the_list(folder: Path) -> None:
    account = NOBODY if os.geteuid() == 0 else None
    printed = run_sandboxed(WRITES, str(folder), account=account, writable_folders=["/nonexistent"])
    assert printed == "13 13 13 13 13 13 13 13\n"
    assert sorted(path.name for path in folder.iterdir()) == ["file", "other"]


@needs_landlock
def test_everything_is_written_inside_of_it(folder: Path) -> None:
    account = NOBODY if os.geteuid() == 0 else None
    printed = run_sandboxed(WRITES, str(folder), account=account, writable_folders=[str(folder)])
    assert printed == "0 0 0 0 0 0 0 0\n"


@needs_landlock
def test_a_link_on_the_list_allows_nothing(folder: Path) -> None:
    with folder_for_everybody() as other:
        (other / "link").symlink_to(folder)
        printed = run_sandboxed(WRITES, str(folder), writable_folders=[str(other / "link")])
    assert printed == "13 13 13 13 13 13 13 13\n"


@needs_landlock
def test_variables_and_descriptors_of_other_processes_of_the_account_are_closed(folder: Path) -> None:
    account = NOBODY if os.geteuid() == 0 else None
    victim = subprocess.Popen(
        ["/bin/sleep", "600"], env={"TOKEN": "secret"}, stdin=subprocess.PIPE,
        user=account.uid if account else None, group=account.gid if account else None,
    )  # fmt: skip
    code = """
import sys
for name in ("environ", "mem", "fd/0", "maps"):
    try:
        open(f"/proc/{sys.argv[1]}/{name}", "rb").read(1)
        print(name)
    except OSError:
        pass
"""
    try:
        assert not run_sandboxed(code, str(victim.pid), account=account, writable_folders=[str(folder)])
    finally:
        victim.kill()
        victim.communicate()


KEEP_CAPABILITIES = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
header, everything = struct.pack("=Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
libc.capget(header, everything)
low, _, _, high, _, _ = struct.unpack("=6I", everything.raw)
assert libc.capset(header, struct.pack("=6I", low, low, low, high, high, high)) == 0  # inheritable, too
libc.prctl(24, 8, 0, 0, 0)  # CAP_SETPCAP leaves the bounding set: after exec() none of it can be dropped
os.execv(sys.argv[1], sys.argv[1:])
"""


@needs_root
@pytest.mark.parametrize("before", [[], [PYTHON, "-I", "-S", "-c", KEEP_CAPABILITIES]])
def test_root_gives_up_its_capabilities_where_it_has_no_other_account(before: list[str]) -> None:
    command = sandbox_command(
        [PYTHON, "-c", "print(open('/proc/self/status').read())"], unix_sockets_only=True
    )
    done = subprocess.run(
        [*before, *command], capture_output=True, text=True, timeout=HANG_SECONDS, check=True
    )
    sets = dict(line.split(":\t") for line in done.stdout.splitlines() if line.startswith("Cap"))
    kept = [int(sets[name], 16) & ~(1 << 2) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")]
    assert kept == [0, 0, 0, 0]  # but that to read


@needs_root
def test_no_file_is_opened_past_the_folders_above_it() -> None:
    code = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.open_by_handle_at(-1, ctypes.create_string_buffer(136), 0)  # needs the right to read everything
print(ctypes.get_errno() == errno.EPERM)
"""
    assert run_sandboxed(code) == "True\n"


@needs_root
def test_root_without_another_account_changes_no_folder_of_another_user(folder: Path) -> None:
    os.chown(folder, 1001, 1001)
    folder.chmod(0o755)
    # Files that everybody may write to are opened and truncated.
    assert run_sandboxed(WRITES, str(folder)) == "13 0 13 13 13 0 13 13\n"


@pytest.mark.parametrize(("ci", "cache"), [(False, False), (False, True), (True, False), (True, True)])
def test_what_is_trusted_later_is_not_on_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: bool, cache: bool
) -> None:
    monkeypatch.setenv("CI", "true" if ci else "")
    monkeypatch.setattr(writable_folders, "TEMPORARY_FOLDERS", ())
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "none"))
    checkout, run, caches = tmp_path / "checkout", tmp_path / "run", tmp_path / "checkout" / "tools" / "cache"
    for path in (checkout / ".git" / "hooks", checkout / "src", checkout / "tools" / "bin", run):
        path.mkdir(parents=True)
    (checkout / "link").symlink_to("/")
    (checkout / "file").touch()
    if cache:
        caches.mkdir()
    paths = list_writable_folders(checkout, run, [caches, tmp_path / "elsewhere"])
    listed = {str(Path(path).relative_to(tmp_path.resolve())) for path in paths}
    if cache:
        assert listed == {"run", "checkout/src", "checkout/file", "checkout/tools/bin"}
    elif ci:
        assert listed == {"run", "checkout/src", "checkout/file", "checkout/tools"}
    else:
        assert listed == {"run", "checkout"}


@needs_landlock
def test_a_cache_among_temporary_files_is_not_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writable_folders, "TEMPORARY_FOLDERS", ())
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder))
    (folder / "other").unlink()
    (folder / "other").mkdir()
    cache, elsewhere = folder / ".cache" / "migration-gate", Path("/nowhere/cache")
    assert make_temporary_caches([cache, elsewhere]) == [cache]
    names = [str(folder.resolve() / name) for name in ("file", "other")]
    assert sorted(list_temporary_folders([cache])) == names
    account = NOBODY if os.geteuid() == 0 else None
    for path in (folder, folder / ".cache", cache, folder / "other"):
        path.chmod(0o777)
    code = """
import os, sys
for name in (".cache/migration-gate/new", ".cache/new", "new", "other/new"):
    try:
        open(f"{sys.argv[1]}/{name}", "w")
        print(name)
    except OSError:
        pass
os.rename(f"{sys.argv[1]}/.cache", f"{sys.argv[1]}/other/moved")
"""
    done = subprocess.run(
        sandbox_command(
            [PYTHON, "-I", "-S", "-c", code, str(folder)], account=account, unix_sockets_only=True,
            writable_folders=list_temporary_folders([cache]),
        ),
        capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert done.stdout == "other/new\n"
    assert "PermissionError" in done.stderr or "cross-device" in done.stderr


@pytest.mark.skipif(sys.platform == "linux", reason="Linux may have it")
def test_other_systems_have_no_landlock() -> None:
    assert find_landlock_version() == 0
