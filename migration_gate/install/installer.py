"""Runs the installer: a stranger's build scripts run with it, so it gets little of our environment."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import TimedOut
from migration_gate.sandbox.command import sandbox_command
from migration_gate.sandbox.user import Account

KEPT = 400
"""lines of the installer's that are kept for the report: the last ones"""
PASSED = frozenset({
    "PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "NETRC", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "CC", "CXX",
    "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LIBRARY_PATH", "C_INCLUDE_PATH", "CPATH", "PKG_CONFIG_PATH",
    "GIT_CONFIG_COUNT",
})  # fmt: skip
"""variables that the installer gets, whatever their case"""
BEGINNINGS = ("LC_", "PIP_", "UV_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "POETRY_HTTP_BASIC_")
OURS = re.compile(
    r"UV_(PUBLISH_|PROJECT|WORKING_DIR|PYTHON$|SYSTEM_PYTHON|BREAK_SYSTEM|TARGET|PREFIX|CACHE_DIR|NO_CACHE|TOOL_|"
    r"PYTHON_INSTALL_DIR|NO_EDITABLE|FROZEN|LOCKED|QUIET|NO_GROUP|NO_DEV|DEV|COMPILE_BYTECODE|ENV_FILE|ISOLATED)"
)
"""settings of uv that are ours to give, and tokens that are for publishing"""
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    status: int
    lines: tuple[str, ...]

    @property
    def tail(self) -> str:
        """The last lines, for people."""
        return "\n".join(self.lines[-25:])


def environment(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What the installer sees: settings of the machine and of package indexes.

    `given` is the project's `env`.

    Credentials reach it by what uv, pip and Poetry read (UV_INDEX_…, PIP_INDEX_URL, POETRY_HTTP_BASIC_…).
    """
    both = {**environ, **{name: value for name, value in given.items() if name.startswith(BEGINNINGS)}}
    kept = {
        name: value
        for name, value in both.items()
        if (name.upper() in PASSED or name.startswith(BEGINNINGS)) and not OURS.match(name)
    }
    for pip, uv in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX")):
        older = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}[uv]
        if kept.get(pip) and not kept.get(uv) and not kept.get(older):
            kept[uv] = kept[pip]
    for name in [each for each in kept if each.startswith("POETRY_HTTP_BASIC_")]:
        kept.setdefault("UV_INDEX_" + name.removeprefix("POETRY_HTTP_BASIC_"), kept[name])
    return kept


@dataclass(frozen=True, slots=True)
class Installer:
    """Commands, run as whoever may touch the cache and no more."""

    account: Account | None
    """where root's privileges are dropped"""
    environ: Mapping[str, str]
    folder: Path
    """the cache"""
    deadline: float
    """of the monotonic clock"""
    seconds: float
    """the limit, for the message"""

    def run(
        self, command: Sequence[str], cwd: Path | None = None, also: Mapping[str, str] | None = None
    ) -> Generator[str, None, Done]:
        """Run a command to its end: yields what it prints, line by line. Raises TimedOut."""
        process = subprocess.Popen(
            sandbox_command(command, account=self.account),
            cwd=cwd or self.folder,
            env=self._environment(also or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        lines: deque[str] = deque(maxlen=KEPT)
        try:
            for line in self._lines(process, lines):
                lines.append(line)
                yield line
            return Done(process.wait(), tuple(lines))
        finally:
            _end(process)

    def answer(self, command: Sequence[str], cwd: Path | None = None) -> Done:
        """Run a command whose lines nobody waits for."""
        running = self.run(command, cwd)
        while True:
            try:
                next(running)
            except StopIteration as end:
                done: Done = end.value
                return done

    def _environment(self, also: Mapping[str, str]) -> dict[str, str]:
        made = {
            **self.environ,
            "UV_CACHE_DIR": str(self.folder / "uv"),
            "UV_PYTHON_INSTALL_DIR": str(self.folder / "python"),
            "UV_COMPILE_BYTECODE": "1",  # the project's code runs as somebody who may not write there
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
            "PIP_CACHE_DIR": str(self.folder / "pip"),
            "PIP_NO_INPUT": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GIT_TERMINAL_PROMPT": "0",
            # A copy of the project has no git history to take its version from.
            "SETUPTOOLS_SCM_PRETEND_VERSION": "0.0.0",
            "PBR_VERSION": "0.0.0",
            "HOME": str(self.folder / "home") if self.account else os.environ.get("HOME", str(self.folder)),
            **also,
        }
        return {name: value for name, value in made.items() if value}

    def _lines(self, process: subprocess.Popen[bytes], lines: deque[str]) -> Generator[str, None, None]:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        waiting = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if time.monotonic() > self.deadline:
                    raise self._late(lines)
                if not selector.select(timeout=0.25):
                    continue
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    break
                *found, waiting = (waiting + data).replace(b"\r", b"\n").split(b"\n")
                yield from (text for each in found if (text := _plain(each)))
        if text := _plain(waiting):
            yield text

    def _late(self, lines: Iterable[str]) -> TimedOut:
        return TimedOut(
            f"Installing the project's packages took longer than {self.seconds:g} s.",
            advice="If it only needs longer, set `limits: {install: …}`; keep the cache between runs.",
            evidence="\n".join([*lines][-25:]),
        )


def _plain(line: bytes) -> str:
    return COLOUR.sub("", line.decode("utf-8", "replace")).rstrip()[:2000]


def _end(process: subprocess.Popen[bytes]) -> None:
    """The cage ends everything that the command started."""
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
