"""The files of a cluster are copied whole, with their holes, and are private."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migration_gate.postgres.cluster_files import copy_cluster, leave_out_zeros, measure_folder

MIB = 1 << 20
CONTENTS = {
    "empty": b"",
    "small": b"text",
    "all zero": bytes(2 * MIB),
    "data, then zeros": b"wal" + bytes(2 * MIB),
    "zeros, then data": bytes(2 * MIB) + b"end",
    "data at both ends": b"a" * 100_000 + bytes(2 * MIB) + b"b" * 100_001,
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_copy_has_what_the_file_had(content: bytes, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "folder").mkdir(parents=True)
    file = source / "folder/file"
    file.write_bytes(content)

    leave_out_zeros(str(source))
    copied = copy_cluster(str(source), str(target))

    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == ["file"]
    copy = target / "folder/file"
    assert copy.read_bytes() == content
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert measure_folder(str(target)) == measure_folder(str(source)) == (1, len(content)) == copied


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_plain_file_is_refused(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    if kind == "pipe":
        os.mkfifo(source / "file")
    else:
        (source / "file").symlink_to(__file__)
    with pytest.raises(OSError, match=r"plain file|symbolic links"):
        copy_cluster(str(source), str(tmp_path / "target"))


def test_zeros_are_not_stored(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "segment").write_bytes(b"wal" + bytes(4 * MIB))
    leave_out_zeros(str(source))
    if (source / "segment").stat().st_blocks * 512 > MIB:
        pytest.skip("this file system stores zeros")
    copy_cluster(str(source), str(target))
    assert (target / "segment").stat().st_blocks * 512 < MIB
