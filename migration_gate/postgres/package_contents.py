"""The server programs of a package, as files: measured, and copied to where only the gate may write.

The cache that they come from is not trusted: with the rights that installed the project's packages, a build
script may have written there. So each run takes a copy, and compares the copy with what was in the package
when its version was chosen.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.cluster_files import DISK_FULL_ERRORS
from migration_gate.postgres.server import disk_full_error
from migration_gate.postgres.server_package import ServerPackage, ServerWheel

PARTS = ("bin", "lib", "share")
"""of a server's folder; the others are for those who compile"""


def list_folders(package: ServerPackage) -> tuple[str, ...]:
    """The folders of the package that its server needs, relative to the package's root."""
    return (*(f"{package.programs}/{part}" for part in PARTS), *package.libraries)


def measure_contents(root: Path, package: ServerPackage) -> str:
    """A digest of the names and the contents of all files that the server needs. Raises OSError.

    Links and pipes count as missing: a package has none, and what they lead to can be exchanged at any time.
    """
    digest = hashlib.sha256()
    for path in sorted(_list_files(root, list_folders(package))):
        with (root / path).open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(os.fsencode(f"{path}\0{content}\n"))
    return digest.hexdigest()


def copy_programs(source: Path, target: Path, package: ServerPackage, wheel: ServerWheel) -> Path:
    """Copy the server to `target`, which everyone may enter, and return the folder of its programs.

    Raises PostgresNotFound, and leaves nothing, if the files are not those of the package; DiskFull.
    """
    is_original = False
    try:
        for name in list_folders(package):
            if (source / name).is_dir():
                _copy_folder(source / name, target / name)
        for parent, _, _ in os.walk(target):
            os.chmod(parent, 0o755)  # noqa: PTH101, S103 - whatever the umask is
        is_original = measure_contents(target, package) == wheel.contents
    except OSError as error:  # somebody changes the files while they are copied
        if error.errno in DISK_FULL_ERRORS:
            raise disk_full_error(str(error)) from error
    finally:
        if not is_original:
            shutil.rmtree(target, ignore_errors=True)
    if not is_original:
        raise PostgresNotFound(
            f"the server programs of {package.name} {package.version} should be those that were published; "
            f"found other files in {source}",
            advice=f"Remove {source}: the next run fetches the package again.",
        )
    return target / package.programs / "bin"


def _copy_folder(source: Path, target: Path) -> None:
    """Copy the files in it, which everyone may read and run, and its folders; nothing that is a link."""
    target.mkdir(parents=True)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _copy_folder(source / entry.name, target / entry.name)
            elif entry.is_file(follow_symlinks=False):
                _copy_file(source / entry.name, target / entry.name)


def _copy_file(source: Path, target: Path) -> None:
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # it may have become a link
    with os.fdopen(descriptor, "rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer)
    target.chmod(0o755)  # the server's account runs it


def _list_files(root: Path, folders: tuple[str, ...]) -> Iterator[str]:
    for folder in folders:
        for parent, _, names in os.walk(root / folder):
            for name in names:
                if stat.S_ISREG(os.lstat(f"{parent}/{name}").st_mode):
                    yield Path(parent, name).relative_to(root).as_posix()
