"""The server programs of a package, as files: measured, and copied to where only the gate may write.

The cache that they come from is not trusted: with the rights that installed the project's packages, a build
script may have written there. So each run takes a copy, and compares the copy with what was in the package
when its version was chosen.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from migration_gate.errors import PostgresNotFound
from migration_gate.postgres.server_package import ServerPackage, ServerWheel

PARTS = ("bin", "lib", "share")
"""of a server's folder; the others are for those who compile"""


def list_folders(package: ServerPackage) -> tuple[str, ...]:
    """The folders of the package that its server needs, relative to the package's root."""
    return (*(f"{package.programs}/{part}" for part in PARTS), *package.libraries)


def measure_contents(root: Path, package: ServerPackage) -> str:
    """A digest of the names and the contents of all files that the server needs. Raises OSError."""
    digest = hashlib.sha256()
    for path in sorted(_list_files(root, list_folders(package))):
        content = hashlib.sha256((root / path).read_bytes()).hexdigest()
        digest.update(f"{path}\0{content}\n".encode())
    return digest.hexdigest()


def copy_programs(source: Path, target: Path, package: ServerPackage, wheel: ServerWheel) -> Path:
    """Copy the server to `target`, which everyone may enter, and return the folder of its programs.

    Raises PostgresNotFound, and leaves nothing, if the files are not those of the package.
    """
    for name in list_folders(package):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, copy_function=_copy_file, symlinks=True)
    if measure_contents(target, package) != wheel.contents:
        shutil.rmtree(target)
        raise PostgresNotFound(
            f"the server programs of {package.name} {package.version} should be those that were published; "
            f"found other files in {source}",
            advice=f"Remove {source}: the next run fetches the package again.",
        )
    return target / package.programs / "bin"


def _copy_file(source: str, target: str) -> str:
    """Copy a file, which everyone may read and run. A link is kept as one, and measured as what is there."""
    shutil.copyfile(source, target, follow_symlinks=False)
    if not os.path.islink(target):  # noqa: PTH114 - as copytree calls it
        os.chmod(target, 0o755)  # noqa: PTH101, S103 - the server's account runs it
    return target


def _list_files(root: Path, folders: tuple[str, ...]) -> Iterator[str]:
    for folder in folders:
        for parent, _, names in os.walk(root / folder):
            for name in names:
                yield Path(parent, name).relative_to(root).as_posix()
