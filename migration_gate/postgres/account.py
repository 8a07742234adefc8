"""The account that runs the server where the gate is root, because Postgres refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from migration_gate.sandbox.user import NOBODY_ID, Account


def server_account() -> Account | None:
    """The account that runs the server where the gate is root: postgres, else nobody; None elsewhere."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return Account(entry.pw_uid, entry.pw_gid)
    return Account(NOBODY_ID, NOBODY_ID)


def can_everyone_enter(path: Path) -> bool:
    """Whether every user may enter this folder, or the folders above this file. Links are followed."""
    try:
        resolved = path.resolve(strict=True)
        folders = resolved.parents if resolved.is_file() else (resolved, *resolved.parents)
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)
    except OSError:
        return False
