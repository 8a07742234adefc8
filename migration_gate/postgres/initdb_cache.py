"""A copy of a new cluster in the user's cache folder: copying it takes a tenth of the time of initdb.

The cache is not trusted: it must belong to this user, be writable by no other, and be complete. Where
anything is wrong with it, the run makes a new cluster.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from migration_gate.postgres.account import runs_as_root
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.cluster_files import copy_cluster, leave_out_zeros
from migration_gate.sandbox.writable_folders import make_temporary_caches, name_temporary_cache

LAYOUT = "2"
"""changes when the arguments of initdb do, or how its files are stored"""
STALE_SECONDS = 60 * 86400
"""age at which unused clusters are removed: 60 days"""


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """The file `complete` beside a cached cluster; it is written last."""

    password: str
    """of the superuser"""
    files: int
    """number of files in the cluster"""
    bytes: int
    """their size"""


@dataclass(frozen=True, slots=True)
class CachedCluster:
    """The cache's entry for one build of one server. It may not exist yet."""

    folder: Path
    """holds the cluster in `data/` and its record in `complete`"""

    @property
    def data(self) -> Path:
        """The files of the cluster."""
        return self.folder / "data"

    def read_record(self) -> ClusterRecord | None:
        """What is known of the entry; None if it is missing or may not be trusted."""
        try:
            record = ClusterRecord(**json.loads((self.folder / "complete").read_bytes()))
            if not self._is_private():
                return None
            os.utime(self.folder)
        except (OSError, ValueError, TypeError):
            return None
        return record

    def store(self, data: Path, password: str) -> None:
        """Put a copy of a cluster into the cache; if that fails, the next run makes one again.

        It is built beside its place and then renamed, because several runs may do this at once.
        """
        new_folder = self._name_beside()
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new_folder.mkdir(mode=0o700)
            files, size = copy_cluster(str(data), str(new_folder / "data"))
            leave_out_zeros(str(new_folder / "data"))
            record = ClusterRecord(password, files, size)
            (new_folder / "complete").write_text(json.dumps(asdict(record)))
            if self.folder.exists():
                self.remove()
            new_folder.rename(self.folder)
            self._remove_stale()
        except OSError:
            return
        finally:
            shutil.rmtree(new_folder, ignore_errors=True)

    def remove(self) -> None:
        """Take the entry out of the cache. It is renamed first, so that no run copies half of it."""
        removed_folder = self._name_beside()
        try:
            self.folder.rename(removed_folder)
        except OSError:
            return
        shutil.rmtree(removed_folder, ignore_errors=True)

    def _name_beside(self) -> Path:
        return self.folder.parent / f".{self.folder.name}.{secrets.token_hex(4)}"

    def _is_private(self) -> bool:
        """Whether the entry belongs to this user and no other may write to it."""
        statuses = [path.lstat() for path in (self.folder, self.folder.parent, self.folder / "data")]
        return all(status.st_uid == os.geteuid() and not status.st_mode & 0o022 for status in statuses)

    def _remove_stale(self) -> None:
        for path in self.folder.parent.iterdir():
            if path != self.folder and time.time() - path.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def find_cached_cluster(installation: Installation) -> CachedCluster | None:
    """The cache's entry for this build of the server: its path and time of change, or its `build`.

    None if there is no cache folder.
    """
    root = find_cache_folder()
    if root is None or not root.is_absolute():
        return None
    changed = (installation.folder / "postgres").stat().st_mtime_ns
    build = installation.build or f"{installation.folder}|{installation.version}|{changed}"
    digest = hashlib.sha256(f"{build}|{LAYOUT}".encode()).hexdigest()[:16]
    return CachedCluster(root / "clusters" / f"{installation.version}-{digest}")


def list_temporary_caches(caches: Iterable[Path]) -> list[Path]:
    """Of these and the user's cache folders those that lie in folders for temporary files.

    A server may write there.

    None where the gate is root: then the server's account may not write to them.
    """
    if runs_as_root():
        return []
    return make_temporary_caches([find_cache_folder() or name_temporary_cache(), *caches])


def find_cache_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The gate's folder in the user's cache; None if the user has no home."""
    if root := environ.get("XDG_CACHE_HOME"):
        return Path(root) / "migration-gate"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "migration-gate"
