"""The folders of a process that is killed, at whatever moment, are removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from migration_gate.postgres import folder_remover
from migration_gate.postgres.folder_remover import FolderRemover, remove_if_killed

HANG_SECONDS = 60.0
DIE = """
import os, signal, sys
from pathlib import Path
from migration_gate.postgres.folder_remover import announce_folder, remove_if_killed
first, second = map(Path, sys.argv[1:3])
def end_at(moment):
    if int(sys.argv[3]) == moment:
        os.kill(os.getpid(), signal.SIGKILL)
with remove_if_killed(first):
    end_at(0)
    first.mkdir()
    end_at(1)
    announce_folder(second)
    second.mkdir()
    (second / "file").write_text("x")
    end_at(2)
    (second / "file").unlink()
    second.rmdir()
    end_at(3)
    first.rmdir()
    end_at(4)
"""


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a callable returns true, however long that takes: CI ends what hangs."""
    while not condition():
        time.sleep(0.002)


def is_running(folder: Path) -> bool:
    """Whether there is a shell with this folder."""
    mark = str(folder).encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            if mark in path.read_bytes():
                return True
    return False


@pytest.mark.parametrize("moment", range(5))
def test_a_process_that_is_killed_leaves_neither_folder(tmp_path: Path, moment: int) -> None:
    first, second = tmp_path / "first of 'two'\\n", tmp_path / "second $(touch x)"
    subprocess.run([sys.executable, "-c", DIE, first, second, str(moment)], check=False, cwd=tmp_path)
    wait_until(lambda: not [*tmp_path.iterdir()])


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the machine does not list processes")
def test_the_shell_ends_with_the_block_and_removes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with remove_if_killed(folder):
        folder.mkdir()
        wait_until(lambda: is_running(folder))
    assert not is_running(folder)
    assert folder.exists()


def test_the_folders_stay_until_the_last_process_has_let_go(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    remover = FolderRemover(folder)
    folder.mkdir()
    other = os.dup(remover.descriptor)
    remover.add_folder(folder)
    remover._folders.close()
    assert remover._process.poll() is None
    assert folder.exists()
    os.close(other)
    assert remover._process.wait(HANG_SECONDS) == 0
    assert not folder.exists()


def test_a_name_of_several_lines_is_not_taken_for_several_folders(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    folder = parent / "\n" / "folder"
    folder.mkdir(parents=True)
    remover = FolderRemover(tmp_path / "first")
    remover.add_folder(folder)
    remover._folders.close()
    assert remover._process.wait(HANG_SECONDS) == 0
    assert folder.exists()


def test_a_machine_without_a_shell_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_remover, "SHELL", str(tmp_path / "sh"))
    before = folder_remover.list_descriptors()  # those of a server that other tests use
    with remove_if_killed(tmp_path / "folder"):
        assert folder_remover.list_descriptors() == before
