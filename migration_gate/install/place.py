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

from migration_gate import privileges
from migration_gate.errors import Misconfigured
from migration_gate.inputs.environment import IMAGE
from migration_gate.settings import Settings

NAME = ".migration-gate-cache"
MARKER = "migration-gate.json"
"""written into an environment last: without it, it is half-built"""
KEPT = 2
"""environments of a project: this one, and the one before"""


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder that can be kept between runs, and who writes there."""

    folder: Path
    account: Mapping[str, int]


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
    account, _ = privileges.lowered(top, [top])
    problems = []
    for folder in [settings.cache] if settings.cache else _usual(top, environ):
        try:
            _make(
                folder, account, {os.geteuid(), top.stat().st_uid} if privileges.on_github(environ) else set()
            )
        except OSError as error:
            problems.append(f"{folder}: {error.strerror or error}")
            continue
        return Cache(folder, account)
    raise Misconfigured(
        "The project's packages need a folder to be installed in, and none could be had.",
        where="cache",
        advice="Name one that can be written to: `cache: /tmp/migration-gate`.",
        evidence="\n".join(problems),
    )


def _usual(top: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("CI") or environ.get(IMAGE):
        yield top / NAME  # what a later step can keep: the rest of a container is gone by then
    home = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    if home and Path(home).is_absolute():
        yield Path(home) / "migration-gate"
    yield (
        Path("/var/cache/migration-gate")
        if os.geteuid() == 0
        else Path(home or "/nowhere") / "migration-gate"
    )
    yield Path(tempfile.gettempdir()) / f"migration-gate-{os.geteuid()}"


def _make(folder: Path, account: Mapping[str, int], trusted: AbstractSet[int]) -> None:
    """Make the folder and what lies in it, for the account to write to; OSError where that cannot be.

    What belongs to a trusted account is handed over: on GitHub, a step of the runner's restored it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    ours = {account.get("uid", os.geteuid()), os.geteuid(), *trusted}
    for path in (folder, *(folder / name for name in ("uv", "python", "home", "environments"))):
        fresh = False
        try:
            path.mkdir()
            fresh = True
        except FileExistsError:
            state = path.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid not in ours:
                # A link could lead anywhere, and whoever owns the folder could change what we trust.
                raise OSError(0, "it is not a folder of ours") from None
        if account and (fresh or path.lstat().st_uid != account["uid"]):
            give(path, account, ours)
        if fresh and path == folder:
            (path / ".gitignore").write_text("*\n", encoding="utf-8")
    if account:
        if not privileges.readable(folder, account["uid"], account["gid"]):
            raise OSError(0, "the account that runs the project's code cannot get there")
    elif not os.access(folder, os.W_OK):
        raise OSError(0, "it cannot be written to")


def give(folder: Path, account: Mapping[str, int], owners: AbstractSet[int] | None = None) -> None:
    """Hand what is ours (or these owners') in a folder to the account; links are not followed."""
    ours = owners or {os.geteuid()}
    for path, names, files, at in os.fwalk(folder):
        del path
        for name in (".", *names, *files):
            if os.stat(name, dir_fd=at, follow_symlinks=False).st_uid in ours:
                os.chown(name, account["uid"], account["gid"], dir_fd=at, follow_symlinks=False)


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


@contextmanager
def held(kept: Cache, name: str) -> Iterator[Home]:
    """The environment's folder, while no other run of ours touches it."""
    folder = kept.folder / "environments"
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(folder / f"{name}.lock", flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Home(folder / name)
    finally:
        os.close(lock)


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
        (folder / f"{old.name}.lock").unlink(missing_ok=True)
