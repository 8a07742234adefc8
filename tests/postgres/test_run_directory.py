"""Where the folder of a run is made."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from migration_gate.errors import Misconfigured
from migration_gate.postgres import run_directory
from migration_gate.postgres.run_directory import has_memory_folder, temporary_run_directory


@pytest.fixture
def memory_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the role of /dev/shm, with room, on a machine where no log-out empties it."""
    monkeypatch.setattr(run_directory, "MEMORY_FOLDER", tmp_path)
    monkeypatch.setattr(run_directory, "MEMORY_REQUIRED_BYTES", 0)
    monkeypatch.setattr(run_directory, "FIRST_PERSONAL_ID", os.geteuid() + 1)
    monkeypatch.delenv("TMPDIR", raising=False)
    return tmp_path


def test_the_folder_of_a_run_lies_in_memory_where_there_is_room(memory_folder: Path) -> None:
    with temporary_run_directory() as folder:
        assert folder.parent == memory_folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    assert not folder.exists()


def test_the_folder_of_a_run_lies_in_tmpdir_where_that_is_set(
    memory_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = memory_folder / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with temporary_run_directory() as folder:
        assert folder.parent == temporary


def test_memory_without_room_is_not_used(memory_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_memory_folder()
    monkeypatch.setattr(run_directory, "MEMORY_REQUIRED_BYTES", 1 << 60)
    assert not has_memory_folder()


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="the machine does not say what memory is free")
@pytest.mark.parametrize(("systemd_runs", "is_emptied"), [(True, True), (False, False)])
def test_memory_that_a_log_out_may_empty_is_not_used(
    memory_folder: Path, monkeypatch: pytest.MonkeyPatch, systemd_runs: bool, is_emptied: bool
) -> None:
    monkeypatch.setattr(run_directory, "FIRST_PERSONAL_ID", os.geteuid())
    monkeypatch.setattr(run_directory, "SYSTEMD_FOLDER", memory_folder / ("" if systemd_runs else "none"))
    monkeypatch.setattr(run_directory, "LINGER_FOLDER", memory_folder / "none")
    assert has_memory_folder() is not is_emptied


def test_the_error_where_no_folder_can_be_made_names_tmpdir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_directory, "MEMORY_FOLDER", tmp_path / "missing")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(Misconfigured) as caught, temporary_run_directory():
        pass
    assert caught.value.where == "TMPDIR"
