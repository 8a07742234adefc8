"""Keeps environments in a folder between runs; each is built whole, or built again."""

from __future__ import annotations

import contextlib
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
from pathlib import Path

from migration_gate.config.gate_variables import IMAGE_VARIABLE
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sandbox.user import Account, choose_account, is_readable, runs_on_github
from migration_gate.sandbox.writable_folders import REPOSITORY_FOLDER, name_temporary_cache

SUBFOLDERS = ("uv", "python", "pip", "home", "environments", "servers")
OWN_NAMES = frozenset({".gitignore", "lock", "clusters", "checkpoints", *SUBFOLDERS})
"""all that lies in a cache folder"""
SCRATCH_PREFIX = "scratch-"
"""how the names of folders for a moment begin"""
RECORD_FILE = "migration-gate.json"
"""written into an environment last: without it, the environment is incomplete"""
KEPT_ENVIRONMENTS = 2
"""of a project: the newest, and the one before it"""
_new_folders: set[Path] = set()
"""cache folders that this process has created: no step has restored them, so probably none saves them"""


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """What is written about an environment when it is complete."""

    folder: str
    """where it was built: it does not work elsewhere"""
    version: str
    """of its Python"""
    notes: tuple[str, ...]
    """what a reader of the report should know"""
    driver: str
    """the PostgreSQL driver that was added to the project's packages, or nothing"""


@dataclass(frozen=True, slots=True)
class EnvironmentFolder:
    """The folder of one environment, which may not have been built yet."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def read_record(self) -> EnvironmentRecord | None:
        """The record; None if the environment is incomplete, was moved, or lost its interpreter."""
        try:
            record = json.loads((self.folder / RECORD_FILE).read_text("utf-8"))
            driver = str(record.get("driver", ""))
            notes = tuple(map(str, record["notes"]))
            read = EnvironmentRecord(str(record["folder"]), str(record["version"]), notes, driver)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return read if read.folder == str(self.folder) and self.python.exists() else None

    def remove(self) -> None:
        """Remove the environment, complete or not."""
        if self.folder.is_symlink():
            self.folder.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class EnvironmentCache:
    """A folder that can be kept between runs, and who writes there."""

    folder: Path
    account: Account | None
    """None: the gate's own user"""
    owners: frozenset[int]
    """the user ids that its files may belong to"""

    is_kept: bool = True
    """whether a later run is going to find the folder, as far as that is known"""

    def locate_environment(self, name: str) -> EnvironmentFolder:
        """The folder for the environment of this name: another project's, if that has the same packages."""
        own = EnvironmentFolder(self.folder / "environments" / name)
        if own.read_record():
            return own
        pattern = f"*-{name.rpartition('-')[2]}"
        equal = map(EnvironmentFolder, sorted((self.folder / "environments").glob(pattern)))
        return next((environment for environment in equal if environment.read_record()), own)

    def remove_replaced(self, name: str) -> None:
        """Remove the project's environments that newer ones have replaced; never the one of this name."""
        pattern = re.escape(name.rpartition("-")[0]) + r"-[0-9a-f]{16}"
        environments = [
            path for path in (self.folder / "environments").iterdir() if re.fullmatch(pattern, path.name)
        ]
        environments.sort(key=lambda path: (path.name == name, path.lstat().st_mtime), reverse=True)
        for path in environments[KEPT_ENVIRONMENTS:]:
            EnvironmentFolder(path).remove()


def name_environment(project: str, choices: Sequence[str], files: Sequence[Path]) -> str:
    """A name for the environment that these choices and the contents of these files make.

    The files count with their names as seen from the first of them, not with their folder.
    """
    digest = hashlib.sha256(_encode("\0".join(choices)))
    for file in files:
        digest.update(_encode(f"\0{os.path.relpath(file, files[0].parent)}\0"))
        digest.update(file.read_bytes())
    slug = re.sub(r"[^A-Za-z0-9]+", "-", project).strip("-").lower()[:40] or "project"
    return f"{slug}-{digest.hexdigest()[:16]}"


def _encode(text: str) -> bytes:
    """The text as bytes, whatever the names of folders in it are."""
    return text.encode("utf-8", "surrogateescape")


def open_cache(settings: Settings, top: Path, environ: Mapping[str, str]) -> EnvironmentCache:
    """The folder of the setting, else the first usual one that can be written to. Raises Misconfigured."""
    account = choose_account(top, [top]).account
    owners = {account.uid if account else os.geteuid(), os.geteuid()}
    if runs_on_github(environ):
        owners.add(top.stat().st_uid)  # an earlier step of the runner restored the cache
    problems = []
    for folder in [settings.cache] if settings.cache else _list_usual_folders(top, environ):
        try:
            is_new = _prepare_folder(folder, account, owners)
            _require_own_names(folder, is_usual=settings.cache is None)
        except OSError as error:
            problems.append(f"{folder}: {error.strerror or error}")
            continue
        if is_new:
            _new_folders.add(folder)
        is_kept = bool(settings.cache) or not (_is_temporary(environ) and folder in _new_folders)
        return EnvironmentCache(folder, account, frozenset(owners), is_kept)
    raise Misconfigured(
        "The project's packages need a folder to be installed in, and there is none to be had.",
        where="cache",
        advice="Name one that can be written to: `cache: /tmp/migration-gate`.",
        evidence="\n".join(problems),
    )


def _is_temporary(environ: Mapping[str, str]) -> bool:
    """Whether this machine ends with the run, so that a folder lasts only if a later step saves it."""
    return bool(environ.get("CI") or environ.get(IMAGE_VARIABLE))


def _list_usual_folders(top: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    if _is_temporary(environ):
        yield (top / REPOSITORY_FOLDER)  # a later step can save it; the rest of the container is gone then
    home = environ.get("HOME")
    user_cache = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    if Path(user_cache).is_absolute():
        yield Path(user_cache) / "migration-gate"
    if os.geteuid() == 0:
        yield Path("/var/cache/migration-gate")
    yield name_temporary_cache()


def _prepare_folder(folder: Path, account: Account | None, owners: AbstractSet[int]) -> bool:
    """Create the folder; False if it exists. Raises OSError if it is not safe, or of no use."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    is_new = _create_own_folder(folder, owners)
    if is_new:
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    for name in SUBFOLDERS:
        _create_own_folder(folder / name, owners)
    if account and not is_readable(folder, account):
        raise OSError(0, "the account that runs the project's code cannot get there")
    if not account and not os.access(folder, os.W_OK):
        raise OSError(0, "it cannot be written to")
    return is_new


def _require_own_names(folder: Path, *, is_usual: bool) -> None:
    """Raise OSError if a folder that settings name holds anything else.

    What lies in it is given to the account that installs.
    """
    names = [] if is_usual else [path.name for path in folder.iterdir()]
    for name in names:
        if name not in OWN_NAMES and not name.startswith(SCRATCH_PREFIX):
            raise OSError(0, f"it is used for something else: it holds `{name}`")


def _create_own_folder(path: Path, owners: AbstractSet[int]) -> bool:
    """Create the folder; False if it exists. Raises OSError if that is a link, or another user's.

    A link could lead anywhere, and the owner of the folder could change what we trust.
    """
    try:
        path.mkdir()
    except FileExistsError:
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
            raise OSError(0, "it is not a folder of ours") from None
        return False
    return True


@contextmanager
def lock_cache(cache: EnvironmentCache) -> Iterator[None]:
    """Keep other runs from building in the folder; meanwhile the account may write to its subfolders.

    Afterwards they belong to the owner of the folder around it: a runner that could not remove what we leave
    would fail at its next job. So the project's code, which has the account's rights, cannot change what
    later runs take from there.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(cache.folder / "lock", flags, 0o644)
    account = cache.account
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if account:
            _give_subfolders(cache, account.uid, account.gid)
        yield
    finally:
        if account:
            parent = cache.folder.parent.stat()
            _give_subfolders(cache, parent.st_uid, parent.st_gid)
            for name in (".", ".gitignore", "lock"):
                with contextlib.suppress(FileNotFoundError):
                    os.chown(cache.folder / name, parent.st_uid, parent.st_gid, follow_symlinks=False)
        os.close(lock)


def _give_subfolders(cache: EnvironmentCache, uid: int, gid: int) -> None:
    for name in SUBFOLDERS:
        change_owner(cache.folder / name, uid, gid, cache.owners)


def change_owner(folder: Path, uid: int, gid: int, owners: AbstractSet[int]) -> None:
    """Give everything in the folder that belongs to `owners` to the account; links are not followed."""
    for _, names, files, folder_descriptor in os.fwalk(folder):
        for name in (".", *names, *files):
            status = os.stat(name, dir_fd=folder_descriptor, follow_symlinks=False)
            if status.st_uid in owners - {uid}:
                os.chown(name, uid, gid, dir_fd=folder_descriptor, follow_symlinks=False)


@contextmanager
def temporary_folder(cache: EnvironmentCache) -> Iterator[Path]:
    """A folder for files that the installer reads, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=cache.folder))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
