"""The copy of a cluster, which the code of a project could have written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migration_gate.checkpoint import cluster_copy
from migration_gate.checkpoint.cluster_copy import ClusterRefused, compute_folder_digest, copy_running_cluster

WAL = ("000000010000000000000002", "000000010000000000000003")


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for folder in ("base/1", "pg_wal", "pg_stat_tmp"):
        (data / folder).mkdir(parents=True)
    (data / "base/1/2").write_bytes(b"x" + bytes(300_000) + b"y" * 70_000)
    (data / "PG_VERSION").write_text("17\n")
    (data / "postmaster.pid").write_text("1\n")
    (data / "pg_stat_tmp/old").write_text("1\n")
    for number in range(1, 5):
        (data / f"pg_wal/00000001000000000000000{number}").write_bytes(bytes(100_000))
    return data


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_only_what_a_start_needs_is_copied(cluster: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    copy_running_cluster(cluster, target, WAL)
    assert list_files(target) == {"PG_VERSION", "base/1/2", *(f"pg_wal/{name}" for name in WAL)}
    assert (target / "base/1/2").read_bytes() == (cluster / "base/1/2").read_bytes()
    assert (target / "pg_stat_tmp").is_dir()
    assert target.stat().st_mode & 0o777 == 0o700
    assert (target / "PG_VERSION").stat().st_mode & 0o777 == 0o600


def test_zeros_take_no_room(cluster: Path, tmp_path: Path) -> None:
    copy_running_cluster(cluster, tmp_path / "copy", WAL)
    status = (tmp_path / "copy/pg_wal" / WAL[0]).stat()
    assert status.st_size == 100_000
    assert status.st_blocks * 512 < 100_000


def plant_link(folder: Path) -> None:
    (folder / "base/1/3").symlink_to("/etc/passwd")


def plant_pipe(folder: Path) -> None:
    os.mkfifo(folder / "base/1/3")


@pytest.mark.parametrize("plant", [plant_link, plant_pipe])
def test_what_is_no_plain_file_is_refused(cluster: Path, tmp_path: Path, plant: object) -> None:
    assert callable(plant)
    plant(cluster)
    with pytest.raises((ClusterRefused, OSError)):
        copy_running_cluster(cluster, tmp_path / "copy", WAL)
    assert "root:" not in "".join(
        path.read_text(errors="replace") for path in (tmp_path / "copy").rglob("3") if path.is_file()
    )


def test_a_large_cluster_is_refused(cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_copy, "MAX_BYTES", 1000)
    with pytest.raises(ClusterRefused, match="more than 0 MB"):
        copy_running_cluster(cluster, tmp_path / "copy", WAL)


def test_the_digest_is_of_names_sizes_and_contents(cluster: Path) -> None:
    digests = [compute_folder_digest(cluster)]
    file = cluster / "base/1/2"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    digests.append(compute_folder_digest(cluster))
    file.write_bytes(data[:-1])
    digests.append(compute_folder_digest(cluster))
    file.write_bytes(data[:-1] + bytes(1))
    digests.append(compute_folder_digest(cluster))
    file.rename(cluster / "base/1/4")
    digests.append(compute_folder_digest(cluster))
    (cluster / "base/5").mkdir()
    digests.append(compute_folder_digest(cluster))
    assert len(set(digests)) == len(digests)
