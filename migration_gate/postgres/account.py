"""The account that runs the server where the gate is root, because Postgres refuses to run as root."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from migration_gate.config.gate_variables import in_image
from migration_gate.sandbox.user import NOBODY_ID, Account

FREE_NUMBERS = range(64_101, 65_001)
"""for a server's account: above those that systems give out, below `nobody`"""


def runs_as_root() -> bool:
    """Whether the server needs an account of its own."""
    return os.geteuid() == 0


def server_account() -> Account | None:
    """The account that runs the server where the gate is root; None elsewhere.

    A migration may run programs with the server's rights (`COPY … FROM PROGRAM`). Outside of the gate's image
    `postgres` owns this machine's real clusters: there it is a number that owns nothing and runs nothing.
    """
    if not runs_as_root():
        return None
    if in_image():
        entry = pwd.getpwnam("postgres")
        return Account(entry.pw_uid, entry.pw_gid)
    used = {*_numbers_of_accounts(), *_numbers_of_processes()}
    free = [number for number in FREE_NUMBERS if number not in used]
    number = secrets.choice(free)
    return Account(number, number)


def initdb_account() -> Account | None:
    """The account that makes a new cluster where the gate is root: initdb wants one that has a name."""
    if not runs_as_root():
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return Account(entry.pw_uid, entry.pw_gid)
    return Account(NOBODY_ID, NOBODY_ID)


def _numbers_of_accounts() -> Iterator[int]:
    for account in pwd.getpwall():
        yield from (account.pw_uid, account.pw_gid)
    yield from (group.gr_gid for group in grp.getgrall())


def _numbers_of_processes() -> Iterator[int]:
    """Of other runs' servers, too."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield path.stat().st_uid


def give_away(folder: Path, account: Account) -> None:
    """Make the account the owner of the folder and of all in it. Raises OSError."""
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(parent, name), account.uid, account.gid, follow_symlinks=False)


def can_everyone_enter(path: Path) -> bool:
    """Whether every user may enter this folder, or the folders above this file. Links are followed."""
    try:
        resolved = path.resolve(strict=True)
        folders = resolved.parents if resolved.is_file() else (resolved, *resolved.parents)
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)
    except OSError:
        return False
