"""The packages of a lock file that uv does not read, and the choice among them for one interpreter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MAIN = ("main", "default")
"""what Poetry, and what PDM and Pipenv call the dependencies that are in no group"""


OPTIONAL = "optional "
"""before the name of a requirement that only an extra asks for, in the place of its group"""


@dataclass(frozen=True, slots=True)
class Package:
    """One entry of a lock file."""

    name: str
    version: str
    groups: frozenset[str] | None = None
    """None where the file does not say: then it follows from what needs it"""
    markers: tuple[tuple[str, str], ...] = ()
    """group ('' for any), and the marker that holds in it"""
    needs: tuple[str, ...] = ()
    """what it requires, as in package metadata"""
    hashes: tuple[str, ...] = ()
    address: str = ""
    """git+https://…, https://… or file://…, where it comes from no index"""
    folder: Path | None = None
    """a package of the repository: made importable, not installed"""

    def line(self) -> str:
        """As in a file of requirements."""
        start = f"{self.name} @ {self.address}" if self.address else f"{self.name}=={self.version}"
        return " ".join((start, *(f"--hash={each}" for each in self.hashes)))


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, read."""

    packages: tuple[Package, ...]
    roots: tuple[tuple[str, str], ...] = ()
    """group, and a requirement of the project; for files that do not say which group a package is in"""
    indexes: tuple[tuple[str, str], ...] = ()
    """name and URL of each index beside PyPI"""
    groups: tuple[str, ...] = ()
    """every group that there is"""
    optional: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """each extra of the project, and the names of its packages"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to choose from a lock."""

    python: tuple[int, ...]
    """of the interpreter, to the patch"""
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    known: dict[str, str] = field(default_factory=dict)

    def holds(self, marker: str, extras: Iterable[str] = ()) -> bool:
        """Whether a marker is true for this interpreter, on this machine."""
        if not marker:
            return True
        from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - only for locks of this kind

        dotted = ".".join(map(str, self.python))
        here = {
            "python_version": ".".join(map(str, self.python[:2])),
            "python_full_version": dotted,
            "implementation_version": dotted,
        }
        try:
            parsed = Marker(marker)
        except InvalidMarker:
            return True  # the installer will say what is wrong with it
        return any(parsed.evaluate({**here, "extra": each}) for each in (*extras, ""))


def choose(lock: Lock, wanted: Wanted) -> list[Package]:
    """The packages to install, each once, in the order of the file."""
    if any(each.groups is not None for each in lock.packages):
        groups = {*MAIN, *wanted.groups, *wanted.extras}
        return [each for each in lock.packages if _in_groups(each, groups, wanted)]
    chosen = {id(each) for each in _closure(lock, wanted)}
    return [each for each in lock.packages if id(each) in chosen]


def _in_groups(package: Package, groups: set[str], wanted: Wanted) -> bool:
    inside = (package.groups or frozenset()) & groups
    markers = [marker for group, marker in package.markers if not group or group in inside]
    return bool(inside) and (not markers or any(wanted.holds(each, wanted.extras) for each in markers))


def _closure(lock: Lock, wanted: Wanted) -> Iterator[Package]:
    """What the chosen groups need, and what that needs."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - as above

    groups = {*MAIN, *wanted.groups}
    optional = dict(lock.optional)
    extra = {canonical(name) for each in wanted.extras for name in optional.get(each, ())}
    groups |= {f"{OPTIONAL}{name}" for name in extra}
    waiting = [(text, wanted.extras) for group, text in lock.roots if group in groups]
    by_name: dict[str, list[Package]] = {}
    for each in lock.packages:
        by_name.setdefault(canonical(each.name), []).append(each)
    seen: set[tuple[int, tuple[str, ...]]] = set()
    while waiting:
        text, extras = waiting.pop()
        try:
            needed = Requirement(text)
        except InvalidRequirement:
            continue  # what is locked is what counts; an unusual spelling of the need is not
        if needed.marker and not wanted.holds(str(needed.marker), extras):
            continue
        asked = tuple(sorted(needed.extras))
        for package in _fitting(by_name.get(canonical(needed.name), []), needed.specifier, wanted):
            if (id(package), asked) not in seen:
                seen.add((id(package), asked))
                waiting += [(each, asked) for each in package.needs]
                yield package


def _fitting(found: Sequence[Package], specifier: object, wanted: Wanted) -> list[Package]:
    """Where a package is locked in several versions, those for this interpreter."""
    usable = [each for each in found if all(wanted.holds(marker) for _, marker in each.markers)]
    if len(usable) < 2:
        return usable or list(found[:1])
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - as above

    assert isinstance(specifier, SpecifierSet)  # noqa: S101 - what a Requirement holds
    fitting = [each for each in usable if specifier.contains(each.version, prereleases=True)]
    return fitting[:1] or usable[:1]


def canonical(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def git(url: str, revision: str, folder: str = "") -> str:
    """The address of a package in a git repository."""
    url = re.sub(r"^git@([^:]+):", r"ssh://git@\1/", url)
    return f"git+{url}@{revision}" + (f"#subdirectory={folder}" if folder else "")
