"""The checkpoints of one project, in the cache folder of the gate's user.

In the gate's own image that is the folder that `cache:` names, which a later step of the job saves; without
one there are no checkpoints.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from migration_gate.checkpoint.cluster_copy import remove_folder
from migration_gate.checkpoint.dependencies import list_changed_dependencies
from migration_gate.checkpoint.saved_state import SavedState, is_private, read_state
from migration_gate.config.gate_variables import in_image
from migration_gate.config.settings import Settings
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.initdb_cache import find_cache_folder

KEPT = 3
"""checkpoints of one project: more than one branch is worked on"""
STALE_SECONDS = 3600.0
"""age at which a folder that a run was ended in is removed"""
KEPT_PROJECTS = 12
"""whose checkpoints are kept: the last ones that were checked"""
FOLDER = "checkpoints"


@dataclass(frozen=True, slots=True)
class CheckpointStore:
    """The folder of one project; it need not exist."""

    folder: Path
    top: Path
    """of the repository: files are named relative to it"""
    receiver: tuple[int, int] | None = None
    """user and group that get what is written, where the gate is root: a runner that could not remove what
    root leaves would fail at its next job"""

    def find(self, surroundings: str, list_changed: Callable[[], Collection[str]]) -> SavedState | None:
        """The checkpoint with the most revisions that fits the repository as it is now.

        Without one in which revisions of the change have run, which a run on a later base may have left.
        `list_changed`: the change's files, relative to the top; only asked if a checkpoint is there.
        """
        states = [state for state in self._list() if state.record.surroundings == surroundings]
        states.sort(key=lambda state: len(state.record.revisions), reverse=True)
        for state in states:
            if list_changed_dependencies(self.top, state.record.dependencies):
                continue
            if not set(state.record.scripts).intersection(list_changed()):
                self._mark_used(state)
                return state
        return None

    @property
    def _owners(self) -> frozenset[int]:
        """Users who may have written a checkpoint."""
        return frozenset({os.geteuid(), *(self.receiver or ())[:1]})

    def make_folder(self) -> Path:
        """A folder in which a checkpoint can be written. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.folder / f".{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        if not is_private(folder, self._owners):
            folder.rmdir()
            raise PermissionError(f"other users may write to {self.folder}")
        return folder

    def add(self, folder: Path) -> None:
        """Give a complete checkpoint its place, and remove the oldest ones. Raises OSError."""
        if self.receiver is not None:
            _give_away(folder, *self.receiver)
        folder.rename(self.folder / secrets.token_hex(8))
        self._prune()
        self._prune_projects()

    def _mark_used(self, state: SavedState) -> None:
        """The checkpoint is not the oldest any more."""
        with contextlib.suppress(OSError):
            os.utime(state.folder)
            os.utime(self.folder)

    def remove(self, state: SavedState) -> None:
        """Take a checkpoint out. It is renamed first, so that no run copies half of it."""
        removed = self.folder / f".{secrets.token_hex(8)}"
        try:
            state.folder.rename(removed)
        except OSError:
            return
        remove_folder(removed)

    def _list(self) -> Iterator[SavedState]:
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208
        except OSError:
            return
        for name in names:
            state = read_state(self.folder / name, self._owners) if not name.startswith(".") else None
            if state is not None:
                yield state

    def _prune_projects(self) -> None:
        os.utime(self.folder)
        projects = sorted(self.folder.parent.iterdir(), key=lambda path: path.lstat().st_mtime, reverse=True)
        for path in projects[KEPT_PROJECTS:]:
            remove_folder(path)

    def _prune(self) -> None:
        folders = sorted(self.folder.iterdir(), key=lambda path: path.lstat().st_mtime, reverse=True)
        complete = [path for path in folders if not path.name.startswith(".")]
        abandoned = [
            path
            for path in folders
            if path.name.startswith(".") and time.time() - path.lstat().st_mtime > STALE_SECONDS
        ]
        for path in (*complete[KEPT:], *abandoned):
            remove_folder(path)


def find_store(settings: Settings, top: Path) -> CheckpointStore | None:
    """The checkpoints of the project of these settings; None if there is no cache folder."""
    root = settings.cache if in_image() else find_cache_folder()
    if root is None or not root.is_absolute():
        return None
    receiver = _find_receiver(root) if in_image() and os.geteuid() == 0 else None
    key = "\0".join([str(settings.root), str(settings.project_folder), settings.name, settings.section])
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return CheckpointStore(root / FOLDER / name, top, receiver)


def _find_receiver(cache: Path) -> tuple[int, int] | None:
    """The owner of the folder around the cache."""
    try:
        status = cache.parent.stat()
    except OSError:
        return None
    return status.st_uid, status.st_gid


def _give_away(folder: Path, uid: int, gid: int) -> None:
    """Change the owner of a new checkpoint, and of the two folders around it. Raises OSError."""
    for parent, folders, names, descriptor in os.fwalk(folder, follow_symlinks=False):
        os.chown(parent, uid, gid, follow_symlinks=False)
        for name in (*folders, *names):
            os.chown(name, uid, gid, dir_fd=descriptor, follow_symlinks=False)
    for around in (folder.parent, folder.parent.parent):
        os.chown(around, uid, gid, follow_symlinks=False)
