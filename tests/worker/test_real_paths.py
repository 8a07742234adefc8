"""Paths are resolved as the standard library resolves them."""

import os
from pathlib import Path

import pytest

from migration_gate.worker.real_paths import resolve_path


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, a link to the folder, a link to the file, and a link that leads nowhere."""
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "real" / "file.py").touch()
    (tmp_path / "linked").symlink_to("real/inner")
    (tmp_path / "linked.py").symlink_to("real/file.py")
    (tmp_path / "lost.py").symlink_to("nowhere.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "real/file.py",
        "linked/file.py",
        "linked/../file.py",
        "linked.py",
        "lost.py",
        "missing/file.py",
        "file.py",
    ],
)
def test_resolves_as_realpath(tree: Path, path: str) -> None:
    """Relative and absolute, through links of folders and files."""
    assert resolve_path(path) == os.path.realpath(path)
    assert resolve_path(str(tree / path)) == os.path.realpath(tree / path)
