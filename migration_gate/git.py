"""Asks the `git` program which files it tracks, and more; without it, the folder is walked."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migration_gate.errors import RepositoryUnreadable

COMMAND_SECONDS = 30.0
"""limit for one git command"""
_NOT_SOURCES = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", "site-packages", ".tox", ".nox", ".venv", "venv"}
    | {".mypy_cache", ".ruff_cache", ".pytest_cache", ".eggs", ".terraform", ".idea", ".cache"}
)


@dataclass(frozen=True, slots=True)
class TrackedFiles:
    """The tracked files under a folder."""

    top: Path
    """the repository's top folder; the folder itself where there is no repository"""
    paths: tuple[str, ...]
    """relative to the folder that was asked about, sorted"""
    notes: tuple[str, ...] = ()


def list_tracked_files(folder: Path) -> TrackedFiles:
    """The tracked files under `folder`; all its files, with a note, where git cannot tell."""
    top, why = run_git(folder, "rev-parse", "--show-toplevel")
    if why is None:
        names, why = run_git(folder, "ls-files", "-z")
        paths = tuple(sorted({name for name in names.split("\0") if name}))
        if why is None and paths:
            return TrackedFiles(Path(top.removesuffix("\n")), paths)
        why = why or "git tracks no file here"
    return TrackedFiles(folder, _walk(folder), (f"{why}: every file under {folder} was read as if tracked",))


def run_git(
    folder: Path, *arguments: str, seconds: float = COMMAND_SECONDS, as_owner: bool = False
) -> tuple[str, str | None]:
    """What git prints, or why it did not. It asks nobody for a password, and reads no one's keyboard.

    `as_owner` is for what writes: as root, it runs as the owner of the repository, who has to be able to
    delete the files later.
    """
    owner = _owner(folder) if as_owner else None
    account: dict[str, Any] = {"user": owner[0], "group": owner[1], "extra_groups": ()} if owner else {}
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            env=_environment() | ({"HOME": "/nonexistent"} if owner else {}),  # root's may not be read
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # without a terminal ssh cannot ask, and all of it can be ended at once
            **account,
        )
    except FileNotFoundError:
        return "", "there is no git program"
    except PermissionError:
        return "", "the git program may not be run"
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return "", f"`git {arguments[0]}` took over {seconds:g} s"
    finally:
        _end(process)
    if process.returncode:
        said = os.fsdecode(err).strip().splitlines()
        if said and "not a git repository" in said[0]:
            return "", "no git repository"
        return "", f"git said `{said[0].removeprefix('fatal: ') if said else process.returncode}`"
    return os.fsdecode(out), None


def _owner(folder: Path) -> tuple[int, int] | None:
    """User and group of the repository, where we are root and they are not."""
    state = (find_repository_root(folder) / ".git").stat()
    return (state.st_uid, state.st_gid) if os.geteuid() == 0 and state.st_uid != 0 else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, where it has not ended by itself."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _environment() -> dict[str, str]:
    """The caller's, without what points git elsewhere; the checkout may belong to another user.

    Settings travel as environment variables, so that nobody's configuration file is touched. A command
    that the repository's own configuration names (fsmonitor) is not run.
    """
    settings = {"safe.directory": "*", "core.fsmonitor": "false", "core.hooksPath": os.devnull}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    environment["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def _walk(folder: Path) -> tuple[str, ...]:
    """Every file below `folder` but those of caches, virtual environments and packages."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCES)
        prefix = os.path.relpath(place, folder)
        found += files if prefix == "." else [os.path.join(prefix, name) for name in files]  # noqa: PTH118
    return tuple(sorted(found))


def find_repository_root(folder: Path) -> Path:
    """The repository's top folder; the folder itself where there is none. Asks the file system, not git."""
    real = folder.resolve()
    return next((each for each in (real, *real.parents) if (each / ".git").exists()), real)


def export_revision(folder: Path, revision: str, into: Path) -> None:
    """Write the tree of a git revision into an existing empty folder. Raises RepositoryUnreadable."""
    import io  # noqa: PLC0415
    import tarfile  # noqa: PLC0415

    try:
        answer = subprocess.run(
            ["git", "archive", "--format=tar", "--end-of-options", revision],
            cwd=find_repository_root(folder),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RepositoryUnreadable(f"git could not be run: {error}", advice="Install git.") from error
    if answer.returncode:
        raise RepositoryUnreadable(
            f"git has no revision {revision} here: {os.fsdecode(answer.stderr).strip()}",
            advice="In a shallow clone it may be missing: fetch the whole history (`fetch-depth: 0`).",
        )
    with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as archive:
        archive.extractall(into, filter="data")
