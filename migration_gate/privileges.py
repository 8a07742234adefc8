"""Who runs the project's code where the gate is root, as it is in a container."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

OURS = "migration-gate"
"""the account that our image brings"""
NOBODY = 65534
CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


def lowered(directory: Path, needed: Sequence[Path]) -> tuple[dict[str, int], Path | None]:
    """`uid` and `gid` for the project's code, and the path that kept us from giving root up.

    Both are empty where the gate is not root. The owner of the project's folder comes first: then the code
    may write there, as it may on its author's machine.
    """
    if os.geteuid() != 0:
        return {}, None
    closed = None
    for uid, gid in _accounts(directory):
        closed = next((path for path in needed if not readable(path, uid, gid)), None)
        if closed is None:
            return {"uid": uid, "gid": gid}, None
    return {}, closed


def _accounts(directory: Path) -> Iterator[tuple[int, int]]:
    state = directory.stat()
    if state.st_uid != 0:
        yield state.st_uid, state.st_gid
    try:
        entry = pwd.getpwnam(OURS)
    except KeyError:
        yield NOBODY, NOBODY
    else:
        yield entry.pw_uid, entry.pw_gid


def readable(path: Path, uid: int = -1, gid: int = -1) -> bool:
    """Whether this user (by default: every one) may read the file, or enter and list the folder."""
    try:
        real = path.resolve(strict=True)
        wanted = 0o5 if real.is_dir() else 0o4
        return _may(real.stat(), uid, gid, wanted) and all(
            _may(folder.stat(), uid, gid, 0o1) for folder in real.parents
        )
    except OSError:
        return False


def _may(state: os.stat_result, uid: int, gid: int, wanted: int) -> bool:
    shift = 6 if state.st_uid == uid else 3 if state.st_gid == gid else 0
    return stat.S_IMODE(state.st_mode) >> shift & wanted == wanted


def in_container(environ: Mapping[str, str]) -> bool:
    """Whether nobody chose to be root here: a container or a CI made it so."""
    return bool(environ.get("CI")) or any(file.exists() for file in CONTAINER)
