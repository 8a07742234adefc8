"""The Postgres server programs that are installed on this machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat, from postgresql.org
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",  # from source
)
REQUIRED_PROGRAMS = ("initdb", "postgres")
COMMON_EXTENSIONS = (
    "btree_gin", "btree_gist", "citext", "hstore", "ltree", "pg_trgm", "pgcrypto", "unaccent", "uuid-ossp",
)  # fmt: skip
"""contributed extensions that migrations often use"""
EXTENSION_FOLDERS = ("share/postgresql/extension", "share/extension", "extension", "share")
VERSION_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Installation:
    """One installed server."""

    folder: Path
    """of the programs, with links resolved"""
    version: str
    """`15.18`, `18beta1`"""
    package_folder: Path | None = None
    """what has to be copied where the server's account cannot enter `folder`; None: nothing can be"""
    build: str = ""
    """tells it from other builds, where its folder does not: programs that each run copies"""

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(re.match(r"\d+", self.version).group())  # type: ignore[union-attr]

    @property
    def sort_key(self) -> tuple[int, ...]:
        """Greater for newer versions; least for a beta or release candidate."""
        if not self.is_release:
            return (0,)
        return tuple(int(number) for number in re.findall(r"\d+", self.version)[:2])

    @property
    def is_release(self) -> bool:
        """False for a beta or release candidate."""
        return re.fullmatch(r"[\d.]+", self.version) is not None

    def missing_extensions(self, names: tuple[str, ...] = COMMON_EXTENSIONS) -> tuple[str, ...]:
        """Those of the extensions that this server lacks; () where its folder of them is not found."""
        folder = self._find_extension_folder()
        if folder is None:
            return ()
        return tuple(name for name in names if not (folder / f"{name}.control").is_file())

    def _find_extension_folder(self) -> Path | None:
        debian_root = Path("/usr/share/postgresql") / str(self.major)
        for root in (self.folder.parent, debian_root):
            for name in EXTENSION_FOLDERS:
                if (root / name / "plpgsql.control").is_file():
                    return root / name
        return None


@dataclass(frozen=True, slots=True)
class InstallationSearch:
    """What a search for installed servers found."""

    installations: tuple[Installation, ...]
    """newest first; of equals the one on PATH"""
    problems: tuple[str, ...]
    """folders with server programs that do not work, and why"""


def find_installations(environ: Mapping[str, str] = os.environ) -> InstallationSearch:
    """Every server on PATH and in the usual folders."""
    installations: list[Installation] = []
    problems: list[str] = []
    seen: set[Path] = set()
    for folder in _candidate_folders(environ):
        if not any(os.path.isfile(folder / name) for name in REQUIRED_PROGRAMS):  # noqa: PTH113  (not closed folders)
            continue
        resolved = (folder / "postgres").resolve().parent
        if resolved in seen:
            continue
        seen.add(resolved)
        try:
            installations.append(Installation(resolved, read_version(folder)))
        except OSError as error:
            problems.append(f"{folder}: {error}")
    newest_first = sorted(installations, key=lambda installation: installation.sort_key, reverse=True)
    return InstallationSearch(tuple(newest_first), tuple(problems))


def read_version(folder: Path) -> str:
    """The server's version. Raises OSError, with a message for people, if it cannot be run."""
    for name in REQUIRED_PROGRAMS:
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
            timeout=VERSION_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"postgres -V did not answer within {VERSION_SECONDS} s") from None
    except OSError as error:
        raise OSError(f"postgres does not start: {error.strerror}") from error
    match = re.search(r"\(PostgreSQL\) (\d[\w.]*)", done.stdout)
    if done.returncode or match is None:
        output = (done.stderr or done.stdout).strip()[:200]
        raise OSError(f"postgres -V failed: {output or f'exit status {done.returncode}'}")
    return match.group(1)


def _candidate_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    for entry in environ.get("PATH", "").split(os.pathsep):
        if entry and Path(entry).is_absolute():
            yield Path(entry)
    for pattern in USUAL_FOLDERS:
        yield from sorted(Path("/").glob(pattern[1:]))
