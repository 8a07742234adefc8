"""The choice of the run's Postgres server: which kind, and why.

`postgres: auto` takes a server of this machine, else a container, else the server in a Python package. Each
kind has a module with one context manager that starts it; nothing of a server is left when that ends.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from migration_gate.config.settings_text import hide_password
from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres import embedded
from migration_gate.postgres.binaries import Installation, find_installations
from migration_gate.postgres.image import DEFAULT_IMAGE, find_daemon_problem, is_image_present, start_image
from migration_gate.postgres.local import start_local
from migration_gate.postgres.server import Server
from migration_gate.postgres.url import SCHEME, start_url

WORDS = ("auto", "local", "embedded")
"""values of `postgres:` that are no version, image or URL"""
OLDEST_MAJOR = 12
"""older ones lack settings and functions that the gate needs"""
NAMED_BY_USER = "`postgres:` names it"
ADVICE = (
    "Install PostgreSQL (Debian: apt install postgresql; macOS: brew install postgresql@17), or start "
    f"Docker, or {embedded.EXTRA}, or set `postgres:` to the URL of a server."
)


class ServerKind(StrEnum):
    """Where a server comes from."""

    LOCAL = "local"
    """programs of this machine"""
    IMAGE = "image"
    """a container"""
    URL = "url"
    """a server that the user runs"""
    EMBEDDED = "embedded"
    """programs in a Python package"""


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """A server that can be started, and why it is chosen."""

    kind: ServerKind
    name: str
    """of the image, or the URL; '' for programs"""
    installation: Installation | None
    """of programs; None for an image or a URL"""
    reason: str

    @property
    def description(self) -> str:
        """For people, and without a password."""
        if self.installation:
            return f"{self.kind}, PostgreSQL {self.installation.version} ({self.installation.folder})"
        return f"{self.kind}, {hide_password(self.name)}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What it lacks, as far as can be seen without starting it."""
        if self.installation is None:
            return ()
        if self.kind == ServerKind.EMBEDDED:
            return embedded.describe_limits(self.installation)
        missing = ", ".join(self.installation.missing_extensions())
        return (f"this server lacks the extensions {missing}",) if missing else ()

    def start(self, folder: Path) -> AbstractContextManager[Server]:
        """The running server; see `start_server`."""
        if self.installation:
            return start_local(
                self.installation, folder=folder, kind=self.kind, reason=self.reason, notes=self.notes
            )
        if self.kind == ServerKind.IMAGE:
            return start_image(self.name, folder=folder, reason=self.reason)
        return start_url(self.name, folder=folder, reason=self.reason)


@contextmanager
def start_server(setting: str, *, folder: Path) -> Iterator[Server]:
    """The server for `postgres: <setting>`: auto, local, embedded, a version, an image, or a URL.

    Its files are in `folder` where they can be, else among the temporary files. With `auto`, the next choice
    is started where one cannot be. Raises PostgresNotFound with everything that was tried, Misconfigured, or
    DiskFull.
    """
    search = ServerSearch(setting)
    with ExitStack() as stack:
        for choice in search.find_candidates():
            try:
                server = stack.enter_context(choice.start(folder))
            except PostgresNotFound as error:
                if setting != "auto":
                    raise
                search.failures.append(error.message)
                continue
            yield server
            return
        raise search.not_found_error()


def choose_server(setting: str) -> ServerChoice:
    """What `start_server` would start first. Starts nothing. Raises PostgresNotFound or Misconfigured."""
    search = ServerSearch(setting)
    for choice in search.find_candidates():
        return choice
    raise search.not_found_error()


@dataclass(frozen=True, slots=True)
class ServerSearch:
    """The search for a server that fits the setting."""

    setting: str
    failures: list[str] = field(default_factory=list)
    """what could not be taken so far, and why"""

    def find_candidates(self) -> Iterator[ServerChoice]:
        """The servers that could be started, best first. A later one is looked for when it is asked for."""
        setting = self.setting
        if SCHEME.match(setting):
            yield ServerChoice(ServerKind.URL, setting, None, NAMED_BY_USER)
        elif setting == "auto":
            yield from self._find_local()
            yield from self._find_image(DEFAULT_IMAGE)
            yield from self._find_embedded()
        elif setting == "local":
            yield from self._find_local()
        elif setting == "embedded":
            yield from self._find_embedded()
        elif re.fullmatch(r"\d+(\.\d+)?", setting):
            yield from self._find_local(setting)
            yield from self._find_image(f"postgres:{setting}")
            yield from self._find_embedded(setting)
        else:
            refuse_misspelt_word(setting)
            yield ServerChoice(ServerKind.IMAGE, setting, None, NAMED_BY_USER)

    def not_found_error(self) -> PostgresNotFound:
        """The error for a search that found nothing."""
        server = "a Postgres server" if self.setting in WORDS else f"PostgreSQL {self.setting}"
        return PostgresNotFound(f"{server} was wanted; found {'; '.join(self.failures)}", advice=ADVICE)

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
        fitting = [installation for installation in usable if is_version(installation, version)]
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
        """The newest server in a Python package, if it is of that version."""
        search = embedded.find_embedded()
        self.failures.extend(search.problems)
        for installation in search.installations[:1]:
            if is_version(installation, version):
                reason = "; ".join(self.failures) or NAMED_BY_USER
                yield ServerChoice(ServerKind.EMBEDDED, "", installation, reason)
            else:
                self.failures.append(f"embedded: PostgreSQL {installation.version}")


def is_version(installation: Installation, version: str) -> bool:
    """Whether it is of this version: 18.6 is 18 and 18.6, and not 1. '' is every version."""
    return not version or f"{installation.version}.".startswith(f"{version}.")


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
        f"`postgres:` should be {', '.join(WORDS)}, a version, an image or a URL; found {setting!r}",
        advice=f"Did you mean {similar[0]}?"
        if similar
        else "Write postgres:17 for an image, 17 for a version.",
    )
