"""The revisions as text."""

from __future__ import annotations

from pathlib import Path

from migration_gate.facts import FileDefect
from migration_gate.scan.revision_files import read_revision_files_below


def test_a_revision_with_a_very_long_sum_is_said_to_be_unreadable(tmp_path: Path) -> None:
    text = "revision, down_revision = 'a', None\nTEXT = " + " + ".join(["'a'"] * 20_000)
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "a.py").write_text(text)
    (source,) = read_revision_files_below([versions], tmp_path, tmp_path)
    assert "nested too deeply" in (source.file.error or "")
    assert source.file.defect is FileDefect.NESTING


def test_a_link_to_a_device_is_no_revision_and_is_not_read_without_end(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "a.py").symlink_to("/dev/zero")
    assert read_revision_files_below([versions], tmp_path, tmp_path) == ()
