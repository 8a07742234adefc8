"""A cluster fresh from initdb, kept in the user's cache: copying it takes a tenth of the time.

The cache is never trusted: it must be ours, private, complete. Whatever is wrong with it, we go without.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres import image_cluster
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.server import DISK_FULL_MESSAGES, disk_full_error
from migration_gate.postgres.supervisor_client import Lifeline
from migration_gate.sandbox.user import Account

LAYOUT = "1"
"""changes when the arguments of initdb do"""
STALE_SECONDS = 60 * 86400
FULL = (errno.ENOSPC, errno.EDQUOT)
SUPERUSER = "postgres"
INITDB = ("--username", SUPERUSER, "--encoding=UTF8", "--lc-messages=C", "--no-sync", "--no-instructions")


@dataclass(frozen=True, slots=True)
class Template:
    """One cluster in the cache, for one build of one server. It may not exist yet."""

    folder: Path
    """holds `data/` and `complete`, a JSON object with the password, the number of files and of bytes"""

    def copy(self, data: Path, account: Account | None) -> str | None:
        """Copy to `data`, which must not exist, and give the superuser's password; None if it won't do.

        Raises OSError where the disk is full.
        """
        try:
            complete = json.loads((self.folder / "complete").read_bytes())
            password, files, size = str(complete["password"]), complete["files"], complete["bytes"]
            if not self._ours() or _measure(self.folder / "data") != (files, size):
                return None
            os.utime(self.folder)
            copy(self.folder / "data", data, account)
        except (OSError, ValueError, KeyError, TypeError) as error:
            shutil.rmtree(data, ignore_errors=True)
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            return None
        return password

    def keep(self, data: Path, password: str) -> None:
        """Put a cluster into the cache if that can be done: built aside, then renamed, as others may, too."""
        aside = self.folder.parent / f".{self.folder.name}.{secrets.token_hex(4)}"
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.mkdir(mode=0o700)
            copy(data, aside / "data", None)
            files, size = _measure(aside / "data")
            order = {"password": password, "files": files, "bytes": size}
            (aside / "complete").write_text(json.dumps(order))
            if self.folder.exists():
                self.discard()
            aside.rename(self.folder)
            self._prune()
        except OSError:
            return  # a cache that can't be written costs half a second a run
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def discard(self) -> None:
        """Take it out of the cache, whole, so that nobody copies half of it."""
        aside = self.folder.parent / f".{self.folder.name}.{secrets.token_hex(4)}"
        try:
            self.folder.rename(aside)
        except OSError:
            return
        shutil.rmtree(aside, ignore_errors=True)

    def _ours(self) -> bool:
        return all(
            state.st_uid == os.geteuid() and not state.st_mode & 0o022
            for state in (path.lstat() for path in (self.folder, self.folder.parent, self.folder / "data"))
        )

    def _prune(self) -> None:
        for path in self.folder.parent.iterdir():
            if path != self.folder and time.time() - path.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The user's cache folder for us; None where there is no home."""
    if root := environ.get("XDG_CACHE_HOME"):
        return Path(root) / "migration-gate"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "migration-gate"


def template_of(install: Installation) -> Template | None:
    """The cache's entry for this build of the server: its path, version and time of change."""
    root = None if image_cluster.in_image() else cache_folder()
    if root is None or not root.is_absolute():
        return None
    changed = (install.folder / "postgres").stat().st_mtime_ns
    name = f"{install.folder}|{install.version}|{changed}|{LAYOUT}"
    return Template(root / "clusters" / f"{install.version}-{hashlib.sha256(name.encode()).hexdigest()[:16]}")


def initdb(install: Installation, data: Path, lifeline: Lifeline, account: Account | None) -> str:
    """Make a cluster and give its superuser's password. C.UTF-8 where the system knows it, else C."""
    password = secrets.token_urlsafe(24)
    log = data.with_name("initdb.log")
    with tempfile.NamedTemporaryFile("w", dir=data.parent, prefix="password-") as secret:
        secret.write(password + "\n")
        secret.flush()
        if account:
            os.chown(secret.name, account.uid, account.gid)
        ended = said = ""
        for locale in ("C.UTF-8", "C"):
            words = ("-D", data, f"--locale={locale}", f"--pwfile={secret.name}", "--auth=scram-sha-256")
            ended = lifeline.run((install.folder / "initdb", *words, *INITDB), account=account, log=log)
            said = log.read_text(errors="replace")
            if "invalid locale name" not in said:
                break
            log.unlink()
    if ended and any(text in said for text in DISK_FULL_MESSAGES):
        raise disk_full_error(said[-2000:])
    if ended:
        raise PostgresNotFound(
            f"{install.folder}/initdb should have made a cluster in {data}; found {ended}",
            advice="Read its output below; `initdb -D <folder>` by hand should fail the same way.",
            evidence=said[-2000:],
        )
    return password


def copy(source: Path, target: Path, account: Account | None) -> None:
    """Copy a cluster (files and folders, private to the account). Raises OSError."""
    target.mkdir(mode=0o700)
    if account:
        os.chown(target, account.uid, account.gid)
    with os.scandir(source) as entries:
        for entry in entries:
            path = target / entry.name
            if entry.is_dir(follow_symlinks=False):
                copy(Path(entry.path), path, account)
            else:
                shutil.copyfile(entry.path, path, follow_symlinks=False)
                path.chmod(0o600)
                if account:
                    os.chown(path, account.uid, account.gid)


def _measure(folder: Path) -> tuple[int, int]:
    """Number of files and of bytes."""
    files = size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            files += 1
            size += os.lstat(f"{parent}/{name}").st_size
    return files, size
