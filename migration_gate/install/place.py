"""The folder in which environments are kept, and one environment in it: made whole, or made again."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migration_gate.config.gate_variables import IMAGE_VARIABLE
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.sandbox.user import Account, choose_account, is_readable, runs_on_github

NAME = ".migration-gate-cache"
FOLDERS = ("uv", "python", "pip", "home", "environments")
MARKER = "migration-gate.json"
"""written into an environment last: without it, it is half-built"""
KEPT = 2
"""environments of a project: this one, and the one before"""


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder that can be kept between runs, and who writes there."""

    folder: Path
    account: Account | None
    """None: whoever runs the gate"""
    owners: frozenset[int]
    """whom its files may belong to"""


@dataclass(frozen=True, slots=True)
class Home:
    """An environment's folder."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def record(self) -> dict[str, Any] | None:
        """What was written when it was complete; None where it is not, was moved, or lost its interpreter."""
        try:
            found = json.loads((self.folder / MARKER).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        whole = isinstance(found, dict) and found.get("folder") == str(self.folder) and self.python.exists()
        return found if whole else None


def cache(settings: Settings, top: Path, environ: Mapping[str, str]) -> Cache:
    """The folder of the setting, else the first usual one that can be written to; else Misconfigured."""
    account = choose_account(top, [top]).account
    owners = {account.uid if account else os.geteuid(), os.geteuid()}
    if runs_on_github(environ):
        owners.add(top.stat().st_uid)  # a step of the runner's restored it
    problems = []
    for folder in [settings.cache] if settings.cache else _usual(top, environ):
        try:
            _make(folder, account, owners)
        except OSError as error:
            problems.append(f"{folder}: {error.strerror or error}")
            continue
        return Cache(folder, account, frozenset(owners))
    raise Misconfigured(
        "The project's packages need a folder to be installed in, and none could be had.",
        where="cache",
        advice="Name one that can be written to: `cache: /tmp/migration-gate`.",
        evidence="\n".join(problems),
    )


def _usual(top: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("CI") or environ.get(IMAGE_VARIABLE):
        yield top / NAME  # what a later step can keep: the rest of a container is gone by then
    home = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    if home and Path(home).is_absolute():
        yield Path(home) / "migration-gate"
    if os.geteuid() == 0:
        yield Path("/var/cache/migration-gate")
    yield Path(tempfile.gettempdir()) / f"migration-gate-{os.geteuid()}"


def _make(folder: Path, account: Account | None, owners: AbstractSet[int]) -> None:
    """Make the folder, or see that it is ours; OSError where that cannot be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for path in (folder, *(folder / name for name in FOLDERS)):
        try:
            path.mkdir()
            if path == folder:
                (path / ".gitignore").write_text("*\n", encoding="utf-8")
        except FileExistsError:
            state = path.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid not in owners:
                # A link could lead anywhere, and whoever owns the folder could change what we trust.
                raise OSError(0, "it is not a folder of ours") from None
    if account:
        if not is_readable(folder, account):
            raise OSError(0, "the account that runs the project's code cannot get there")
    elif not os.access(folder, os.W_OK):
        raise OSError(0, "it cannot be written to")


@contextmanager
def building(kept: Cache) -> Iterator[None]:
    """While nobody else builds in the folder, the account may write to it.

    Afterwards it belongs to whoever owns the folder around it: a runner that could not remove what we leave
    would fail at its next job.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(kept.folder / "lock", flags, 0o644)
    around = kept.folder.parent.stat()
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.account:
            give(kept.folder, kept.account.uid, kept.account.gid, kept.owners)
        yield
    finally:
        if kept.account and around.st_uid not in (0, kept.account.uid):
            give(kept.folder, around.st_uid, around.st_gid, kept.owners)
        os.close(lock)


def give(folder: Path, uid: int, gid: int, owners: AbstractSet[int]) -> None:
    """Hand what belongs to these owners in a folder to an account; links are not followed."""
    for _, names, files, at in os.fwalk(folder):
        for name in (".", *names, *files):
            if os.stat(name, dir_fd=at, follow_symlinks=False).st_uid in owners - {uid}:
                os.chown(name, uid, gid, dir_fd=at, follow_symlinks=False)


def key(parts: Sequence[str], files: Sequence[Path]) -> str:
    """What an environment is good for: the bytes of the files that list its packages, and the choices."""
    digest = hashlib.sha256("\0".join(parts).encode())
    for file in files:
        digest.update(f"\0{file}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def slug(name: str) -> str:
    """A project's name as part of a folder's."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:40] or "project"


def home(kept: Cache, name: str) -> Home:
    """The folder of an environment."""
    return Home(kept.folder / "environments" / name)


def clear(home: Home) -> None:
    """Remove a half-built environment."""
    if home.folder.is_symlink():
        home.folder.unlink()
    shutil.rmtree(home.folder, ignore_errors=True)


def prune(kept: Cache, name: str) -> None:
    """Remove environments of the project's that newer ones have replaced."""
    start = name.rpartition("-")[0]
    folder = kept.folder / "environments"
    every = [
        each for each in folder.iterdir() if re.fullmatch(re.escape(start) + r"-[0-9a-f]{16}", each.name)
    ]
    every.sort(key=lambda each: (each.name == name, each.lstat().st_mtime), reverse=True)
    for old in every[KEPT:]:
        clear(Home(old))
