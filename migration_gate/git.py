"""What the `git` program says: which files are tracked, and the tree of a revision."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.config import repository_root
from migration_gate.errors import RepositoryUnreadable

COMMAND_SECONDS = 30.0
"""limit for one git command"""
_NOT_SOURCES = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", "site-packages", ".tox", ".nox", ".venv", "venv"}
    | {".mypy_cache", ".ruff_cache", ".pytest_cache", ".eggs", ".terraform", ".idea", ".cache"}
)
"""folders of tools, which are not read where git cannot say what is tracked"""
_SETTINGS = {
    "safe.directory": "*",  # the checkout may belong to another user
    "core.fsmonitor": "false",  # a command that the repository's own configuration names is not run
    "core.hooksPath": os.devnull,
}
_WITHOUT_QUESTIONS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class TrackedFiles:
    """The tracked files under a folder."""

    top: Path
    """the repository's top folder; the folder itself where there is no repository"""
    paths: tuple[str, ...]
    """relative to the folder that was listed, sorted"""
    notes: tuple[str, ...] = ()


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


def list_tracked_files(folder: Path) -> TrackedFiles:
    """The tracked files under `folder`; all its files, with a note, where git cannot tell."""
    top = run_git(folder, "rev-parse", "--show-toplevel")
    failure = top.failure
    if failure is None:
        names = run_git(folder, "ls-files", "-z")
        paths = tuple(sorted({name for name in names.text.split("\0") if name}))
        if paths:
            return TrackedFiles(Path(top.text.removesuffix("\n")), paths)
        failure = names.failure or "git tracks no file here"
    note = f"{failure}: every file under {folder} was read as if tracked"
    return TrackedFiles(folder, _walk_folder(folder), (note,))


def run_git(
    folder: Path, *arguments: str, seconds: float = COMMAND_SECONDS, as_owner: bool = False
) -> GitOutput:
    """What git prints, or why it failed. It asks for no password and reads no keyboard.

    `as_owner` is for commands that write: as root, they run as the owner of the repository, who has to be
    able to delete the files later.
    """
    try:
        process = _start_git(folder, arguments, _find_owner(folder) if as_owner else None)
    except FileNotFoundError:
        return GitOutput(failure="there is no git program")
    except PermissionError:
        return GitOutput(failure="the git program may not be run")
    try:
        output, error = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return GitOutput(failure=f"`git {arguments[0]}` took over {seconds:g} s")
    finally:
        _end_process(process)
    if process.returncode:
        return _read_error(os.fsdecode(error), process.returncode)
    return GitOutput(os.fsdecode(output))


def _start_git(folder: Path, arguments: tuple[str, ...], account: _Account | None) -> subprocess.Popen[bytes]:
    environment = _make_environment()
    if account is not None:
        environment["HOME"] = "/nonexistent"  # root's own may not be readable
    return subprocess.Popen(
        ["git", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # without a terminal ssh cannot ask, and all processes can be ended at once
        user=account.user if account else None,
        group=account.group if account else None,
        extra_groups=() if account else None,
    )


def _find_owner(folder: Path) -> _Account | None:
    """Who owns the repository, where this process is root and the owner is not."""
    state = (find_repository_root(folder) / ".git").stat()
    return _Account(state.st_uid, state.st_gid) if os.geteuid() == 0 and state.st_uid != 0 else None


def _end_process(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, where it has not ended by itself."""
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


def _make_environment() -> dict[str, str]:
    """The caller's variables without those that point git elsewhere, and with our settings.

    Settings travel as environment variables, so that no configuration file is changed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return environment | _WITHOUT_QUESTIONS | _settings_as_variables(_SETTINGS)


def _settings_as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


def _walk_folder(folder: Path) -> tuple[str, ...]:
    """Every file below `folder` but those of caches, virtual environments and packages."""
    paths: list[str] = []
    for current, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCES)
        prefix = os.path.relpath(current, folder)
        paths += files if prefix == "." else [os.path.join(prefix, name) for name in files]  # noqa: PTH118
    return tuple(sorted(paths))


def find_repository_root(folder: Path) -> Path:
    """The repository's top folder as a real path; the folder itself where there is none."""
    return repository_root.find_repository_root(folder.resolve())


def export_revision(folder: Path, revision: str, target: Path) -> None:
    """Write the tree of a git revision into an existing empty folder. Raises RepositoryUnreadable."""
    import io  # noqa: PLC0415 - only for `start_from.create_all`
    import tarfile  # noqa: PLC0415

    try:
        archive = subprocess.run(
            ["git", "archive", "--format=tar", "--end-of-options", revision],
            cwd=find_repository_root(folder),
            env=_make_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RepositoryUnreadable(f"git could not be run: {error}", advice="Install git.") from error
    if archive.returncode:
        raise RepositoryUnreadable(
            f"git has no revision {revision} here: {os.fsdecode(archive.stderr).strip()}",
            advice="In a shallow clone it may be missing: fetch the whole history (`fetch-depth: 0`).",
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(target, filter="data")
