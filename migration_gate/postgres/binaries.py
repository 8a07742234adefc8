"""Postgres server programs on this machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat, from postgresql.org
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",  # from source
)
WANTED = ("initdb", "postgres")
COMMON_EXTENSIONS = (
    "btree_gin", "btree_gist", "citext", "hstore", "ltree", "pg_trgm", "pgcrypto", "unaccent", "uuid-ossp",
)  # fmt: skip
"""the contributed extensions that migrations ask for"""


@dataclass(frozen=True, slots=True)
class Installation:
    """One installed server."""

    folder: Path
    """of the programs, with links resolved"""
    version: str
    """`15.18`, `18beta1`"""
    package_folder: Path | None = None
    """what to copy, should the server's account be unable to reach the folder"""

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(re.match(r"\d+", self.version).group())  # type: ignore[union-attr]

    @property
    def sort_key(self) -> tuple[int, ...]:
        """The newest is the greatest; a beta (no dot) is less than any release of its major."""
        return (
            tuple(int(number) for number in re.findall(r"\d+", self.version)[:2]) if self.is_release else (0,)
        )

    @property
    def is_release(self) -> bool:
        """Whether it is no beta or release candidate."""
        return re.fullmatch(r"[\d.]+", self.version) is not None

    def missing_extensions(self) -> tuple[str, ...]:
        """Contributed extensions that migrations often ask for and this server does not carry."""
        share = self._share()
        if share is None:
            return ()
        return tuple(name for name in COMMON_EXTENSIONS if not (share / f"{name}.control").is_file())

    def _share(self) -> Path | None:
        for root in (self.folder.parent, Path("/usr/share/postgresql") / str(self.major)):
            for share in ("share/postgresql/extension", "share/extension", "extension", "share"):
                if (root / share / "plpgsql.control").is_file():
                    return root / share
        return None


def find_installations(
    environ: Mapping[str, str] = os.environ,
) -> tuple[tuple[Installation, ...], tuple[str, ...]]:
    """Every server found, newest first (of equals, the one on PATH), and what was wrong with others."""
    installs: list[Installation] = []
    wrong: list[str] = []
    seen: set[Path] = set()
    for folder in _folders(environ):
        missing = [name for name in WANTED if not os.path.isfile(folder / name)]  # noqa: PTH113  (PATH may hold closed folders)
        if missing == list(WANTED):
            continue
        real = (folder / "postgres").resolve().parent
        if real in seen:
            continue
        seen.add(real)
        try:
            installs.append(Installation(real, read_version(folder)))
        except OSError as error:
            wrong.append(f"{folder}: {error}")
    return tuple(sorted(installs, key=lambda install: install.sort_key, reverse=True)), tuple(wrong)


def read_version(folder: Path) -> str:
    """The server's version. Raises OSError, in plain words, where it cannot be run."""
    for name in WANTED:
        if not (folder / name).is_file():
            raise OSError(f"{name} is missing")
        if not os.access(folder / name, os.X_OK):
            raise OSError(f"{name} is not executable")
    try:
        done = subprocess.run(
            [folder / "postgres", "-V"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError("postgres -V did not answer within 20 s") from None
    except OSError as error:
        raise OSError(f"postgres does not start: {error.strerror}") from error
    match = re.search(r"\(PostgreSQL\) (\d[\w.]*)", done.stdout)
    if done.returncode or match is None:
        raise OSError(f"postgres -V said: {(done.stderr or done.stdout).strip()[:200] or done.returncode}")
    return match.group(1)


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    for entry in environ.get("PATH", "").split(os.pathsep):
        if entry and Path(entry).is_absolute():
            yield Path(entry)
    for pattern in FOLDERS:
        yield from sorted(Path("/").glob(pattern[1:]))
