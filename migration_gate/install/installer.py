"""Runs the installer's commands in the sandbox, because packages' build scripts run with them."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from migration_gate.errors import TimedOut
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sandbox.command import sandbox_command, sandbox_environment
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import Account
from migration_gate.sandbox.writable_folders import list_temporary_folders, make_temporary_caches

KEPT_LINES = 400
"""of what a command prints: the last ones"""
SHOWN_LINES = 25
PASSED_VARIABLES = frozenset({
    "PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "NETRC", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "CC", "CXX",
    "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LIBRARY_PATH", "C_INCLUDE_PATH", "CPATH", "PKG_CONFIG_PATH",
    "GIT_CONFIG_COUNT",
})  # fmt: skip
"""variables that the installer gets, in capitals or not"""
PASSED_PREFIXES = ("LC_", "PIP_", "UV_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "POETRY_HTTP_BASIC_")
WITHHELD = re.compile(
    r"UV_(PUBLISH_|PROJECT|WORKING_DIR|PYTHON$|SYSTEM_PYTHON|BREAK_SYSTEM|TARGET|PREFIX|CACHE_DIR|NO_CACHE|TOOL_|"
    r"PYTHON_INSTALL_DIR|NO_EDITABLE|FROZEN|LOCKED|QUIET|NO_GROUP|NO_DEV|DEV|COMPILE_BYTECODE|ENV_FILE|ISOLATED)"
)
"""settings of uv that the gate gives itself, and tokens for publishing"""
OWN_SUBFOLDERS = ("uv", "python", "pip", "home")
"""of the cache folder: what every command may write to"""
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class FinishedCommand:
    """A command that has ended."""

    status: int
    lines: tuple[str, ...]
    """the last lines that it printed"""

    @property
    def tail(self) -> str:
        """The last lines, as evidence in a message."""
        return "\n".join(self.lines[-SHOWN_LINES:])


def select_variables(environ: Mapping[str, str], project_variables: Mapping[str, str]) -> dict[str, str]:
    """What the installer sees of the environment: settings of the machine and of package indexes.

    Credentials reach it by the variables of uv, pip and Poetry (UV_INDEX_…, PIP_INDEX_URL,
    POETRY_HTTP_BASIC_…).

    project_variables: the project's `env`.
    """
    own = {name: value for name, value in project_variables.items() if name.startswith(PASSED_PREFIXES)}
    variables = {name: value for name, value in {**environ, **own}.items() if _is_passed(name)}
    _translate_index(variables, "PIP_INDEX_URL", "UV_DEFAULT_INDEX", older="UV_INDEX_URL")
    _translate_index(variables, "PIP_EXTRA_INDEX_URL", "UV_INDEX", older="UV_EXTRA_INDEX_URL")
    for name in [name for name in variables if name.startswith("POETRY_HTTP_BASIC_")]:
        variables.setdefault("UV_INDEX_" + name.removeprefix("POETRY_HTTP_BASIC_"), variables[name])
    return variables


def _is_passed(name: str) -> bool:
    if WITHHELD.match(name):
        return False
    return name.upper() in PASSED_VARIABLES or name.startswith(PASSED_PREFIXES)


def _translate_index(variables: dict[str, str], pip_name: str, uv_name: str, older: str) -> None:
    """Give uv the index that pip has, where uv has none of its own by its new or its older variable."""
    if variables.get(pip_name) and not variables.get(uv_name) and not variables.get(older):
        variables[uv_name] = variables[pip_name]


@dataclass(frozen=True, slots=True)
class Installer:
    """Runs commands that may use the network, because they are to download.

    Build scripts of packages run with them: they reach no Unix socket (of the Docker daemon, of a Postgres),
    and where the kernel has Landlock they write to no files but the installer's own, and read no variables of
    other programs.
    """

    account: Account | None
    """None: the gate's own user"""
    variables: Mapping[str, str]
    folder: Path
    """the cache folder"""
    deadline: float
    """a time of the monotonic clock"""
    limit_seconds: float
    """the limit that the deadline comes from"""
    compiles_bytecode: bool = True
    """of all packages: worth its time only if later runs find it"""
    writable_folders: tuple[Path, ...] = ()
    """what the commands may write to, besides folders for temporary files and `OWN_SUBFOLDERS`"""

    def allow_writing(self, *folders: Path) -> Installer:
        """The installer, whose commands may write to these existing folders too."""
        return replace(self, writable_folders=(*self.writable_folders, *folders))

    def run(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
        output: IO[bytes] | None = None,
    ) -> Generator[str, None, FinishedCommand]:
        """Run a command to its end: yields what it prints, line by line. Raises TimedOut.

        folder: where it runs; the cache folder if none is given.
        variables: further variables; those without a value are taken away.
        output: the file that gets its standard output, where this is not to be shown.
        """
        process = subprocess.Popen(
            sandbox_command(
                command,
                account=self.account,
                no_unix_sockets=supports_seccomp(),
                writable_folders=self._list_writable_folders(),
            ),
            cwd=folder or self.folder,
            env=sandbox_environment(self._list_variables(variables or {})),
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.PIPE if output else subprocess.STDOUT,
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
        printed = process.stderr if output else process.stdout
        assert printed is not None  # noqa: S101 - it was asked for
        last_lines: deque[str] = deque(maxlen=KEPT_LINES)
        watchdog = threading.Timer(max(self.deadline - time.monotonic(), 0), process.terminate)
        watchdog.start()
        try:
            for line in filter(None, map(_clean_line, printed)):
                last_lines.append(line)
                yield line
            status = process.wait()
        finally:
            watchdog.cancel()
            printed.close()
            _terminate(process)
        if time.monotonic() > self.deadline:
            raise TimedOut(
                f"Installing the project's packages took longer than {self.limit_seconds:g} s.",
                advice="If it only needs longer, set `limits: {install: …}`; keep the cache between runs.",
                evidence="\n".join([*last_lines][-SHOWN_LINES:]),
            )
        return FinishedCommand(status, tuple(last_lines))

    def _list_writable_folders(self) -> list[str]:
        folders = (*(self.folder / name for name in OWN_SUBFOLDERS), *self.writable_folders)
        caches = [] if self.account else [self.folder]
        return [*list_temporary_folders(caches), *map(os.path.realpath, folders)]

    def _choose_temporary_folder(self, own_home: Path) -> dict[str, str]:
        """TMPDIR, if nothing new can be made in the usual folder, because the cache lies there."""
        if self.account or not make_temporary_caches([self.folder]):
            return {}
        own_home.mkdir(exist_ok=True)
        return {"TMPDIR": str(own_home)}

    def _list_variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        """All variables of a command: the passed ones, the gate's settings for uv and pip, and these."""
        own_home = self.folder / "home"
        home = own_home if self.account else os.environ.get("HOME", own_home)
        every = {
            **self.variables,
            "UV_CACHE_DIR": str(self.folder / "uv"),
            "UV_PYTHON_INSTALL_DIR": str(self.folder / "python"),
            # The project's code may run as an account that may not write there.
            "UV_COMPILE_BYTECODE": "1" if self.compiles_bytecode else "",
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
            "PIP_CACHE_DIR": str(self.folder / "pip"),
            "PIP_NO_INPUT": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GIT_TERMINAL_PROMPT": "0",
            # A copy of the project has no git history to take its version from.
            "SETUPTOOLS_SCM_PRETEND_VERSION": "0.0.0",
            "PBR_VERSION": "0.0.0",
            # The user's own home has settings and credentials of indexes, and is not written to.
            "HOME": str(home),
            "XDG_CACHE_HOME": str(own_home / ".cache"),
            "XDG_DATA_HOME": str(own_home / ".local/share"),
            "XDG_STATE_HOME": str(own_home / ".local/state"),
            "CARGO_HOME": str(own_home / ".cargo"),
            **self._choose_temporary_folder(own_home),
            **variables,
        }
        return {name: value for name, value in every.items() if value}


def _clean_line(line: str) -> str:
    """The line without colours, cut if it is very long."""
    return COLOUR.sub("", line).rstrip()[:2000]


def _terminate(process: subprocess.Popen[str]) -> None:
    """End the sandbox, which ends all that the command started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
