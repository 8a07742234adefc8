"""The `git` program, started so that nothing which a repository configures is run, nor as its root."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from functools import cache
from pathlib import Path

from migration_gate.config import repository_root
from migration_gate.git.git_environment import HELPER_KEYS, PROGRAM_KEYS, build_environment
from migration_gate.lazy_dataclass import dataclass

COMMAND_SECONDS = 30.0
"""limit for one git command"""


@dataclass(frozen=True, slots=True)
class GitOutput:
    """What a git command printed, or why it failed."""

    text: str = ""
    failure: str | None = None
    """why there is no text: no git, no repository, out of time, or git's own first line of error"""
    is_git_error: bool = False
    """git ran in a repository and reported an error: it does not know a name, for example"""


@dataclass(frozen=True, slots=True)
class _Account:
    """The user and group that own a repository."""

    user: int
    group: int


def run_git(
    folder: Path, *arguments: str, seconds: float = COMMAND_SECONDS, fetches: bool = False
) -> GitOutput:
    """What git prints, or why it failed. It asks for no password and reads no keyboard.

    As root it runs as the owner of the repository, whose configuration it reads. Only if `fetches` does it
    reach another repository.
    """
    environment = build_environment(_program_keys(folder), fetches=fetches)
    if fetches:
        # (not the program that the remote's settings name)
        arguments = (*arguments[:1], "--upload-pack=git-upload-pack", *arguments[1:])
    output, failure = _run_command(folder, arguments, seconds, environment)
    return failure or GitOutput(os.fsdecode(output))


def run_git_on_bytes(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[bytes, GitOutput | None]:
    """What git prints, as it is; and why it failed, if so. It reaches no other repository."""
    return _run_command(folder, arguments, COMMAND_SECONDS, build_environment(_program_keys(folder)), stdin)


@cache
def _program_keys(folder: Path) -> tuple[str, ...]:
    """Settings of the repository that name programs, under names of its own."""
    pattern = f"{PROGRAM_KEYS}|{HELPER_KEYS}"
    arguments = ("config", "--includes", "--null", "--name-only", "--get-regexp", pattern)
    output, _ = _run_command(folder, arguments, COMMAND_SECONDS, build_environment())
    return tuple(sorted({key for key in os.fsdecode(output).split("\0") if key}))


def _run_command(
    folder: Path, arguments: tuple[str, ...], seconds: float, environment: dict[str, str], stdin: bytes = b""
) -> tuple[bytes, GitOutput | None]:
    """What git prints; and why it failed, if so."""
    try:
        process = _start_git(folder, arguments, environment, has_input=bool(stdin))
    except FileNotFoundError:
        return b"", GitOutput(failure="there is no git program")
    except PermissionError:
        return b"", GitOutput(failure="the git program may not be run")
    try:
        output, error = process.communicate(stdin or None, timeout=seconds)
    except subprocess.TimeoutExpired:
        return b"", GitOutput(failure=f"`git {arguments[0]}` took over {seconds:g} s")
    finally:
        _end_process(process)
    if process.returncode:
        return b"", _read_error(os.fsdecode(error), process.returncode)
    return output, None


def _start_git(
    folder: Path, arguments: tuple[str, ...], environment: dict[str, str], *, has_input: bool
) -> subprocess.Popen[bytes]:
    account = _find_owner(folder)
    if account is not None:
        environment = environment | {"HOME": "/nonexistent"}  # root's own may not be readable
    return subprocess.Popen(
        ["git", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # without a terminal ssh cannot ask, and all processes can be ended at once
        user=account.user if account else None,
        group=account.group if account else None,
        extra_groups=() if account else None,
    )


def _find_owner(folder: Path) -> _Account | None:
    """Who owns the repository, or its configuration, where this process is root and the owner is not."""
    if os.geteuid() != 0:
        return None
    git = find_repository_root(folder) / ".git"
    for path in (git, git / "config", git.parent):
        with contextlib.suppress(OSError):
            state = path.stat()
            if state.st_uid != 0:
                return _Account(state.st_uid, state.st_gid)
    return None


def _end_process(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, if it has not ended by itself."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _read_error(error: str, status: int) -> GitOutput:
    lines = error.strip().splitlines()
    if lines and "not a git repository" in lines[0]:
        return GitOutput(failure="no git repository")
    reason = lines[0].removeprefix("fatal: ") if lines else f"exit status {status}"
    return GitOutput(failure=f"git reported `{reason}`", is_git_error=True)


def find_repository_root(folder: Path) -> Path:
    """The repository's top folder as a real path; the folder itself if there is none."""
    return repository_root.find_repository_root(folder.resolve())
