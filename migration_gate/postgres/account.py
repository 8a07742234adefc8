"""Postgres refuses to run as root: who runs it then, and where that account can get to."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged user of this machine."""

    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """The account that runs the server where we are root: postgres, else nobody; None where we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return Account(name, entry.pw_uid, entry.pw_gid)
    return Account("65534", 65534, 65534)


def reachable(path: Path) -> bool:
    """Whether every user may pass through to this file or folder."""
    try:
        real = path.resolve(strict=True)
        folders = real.parents if real.is_file() else (real, *real.parents)
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)
    except OSError:
        return False
