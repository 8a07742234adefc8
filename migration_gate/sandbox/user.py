"""Who runs the project's code where the gate is root, as it is in a container."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

IMAGE_ACCOUNT = "migration-gate"
"""the account that our image brings"""
NOBODY = 65534
WITHHELD_PREFIXES = (
    "GITHUB_", "ACTIONS_", "RUNNER_", "INPUT_", "PG", "MIGRATION_GATE_", "PYTHONHOME", "UV_", "PIP_",
    "POETRY_", "NETRC", "GIT_CONFIG_",
)  # fmt: skip
"""Beginnings of variables that the project's code does not get: tokens, and other databases' addresses."""
CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))
COMMAND_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE")
"""variables that name what a runner of GitHub obeys"""


def choose_account(directory: Path, needed: Sequence[Path]) -> tuple[dict[str, int], Path | None]:
    """`uid` and `gid` for the project's code, and the path that kept us from giving enough rights up.

    Both are empty where the gate is not root. The owner of the project's folder comes first: then the code
    may write there, as it may on its author's machine. Not so on GitHub, where the owner is the runner: a
    stranger's code could write what later steps trust, as git's hooks, or obey, as the command files.
    """
    if os.geteuid() != 0:
        return {}, None
    closed = None
    for uid, gid in _accounts(directory):
        lacking = next((path for path in needed if not is_readable(path, uid, gid)), None)
        if lacking is None:
            return {"uid": uid, "gid": gid}, closed if runs_on_github(os.environ) else None
        closed = closed or lacking
    return {}, closed


def _accounts(directory: Path) -> list[tuple[int, int]]:
    state = directory.stat()
    try:
        entry = pwd.getpwnam(IMAGE_ACCOUNT)
        ours = (entry.pw_uid, entry.pw_gid)
    except KeyError:
        ours = (NOBODY, NOBODY)
    found = [(state.st_uid, state.st_gid), ours] if state.st_uid != 0 else [ours]
    return found[::-1] if runs_on_github(os.environ) else found


def runs_on_github(environ: Mapping[str, str]) -> bool:
    """Whether a runner of GitHub started us."""
    return environ.get("GITHUB_ACTIONS") == "true"


def protect_command_files(environ: Mapping[str, str]) -> None:
    """Keep the runner's command files from every account but their owner's (and root's): raises OSError."""
    for name in COMMAND_FILES:
        file = Path(environ.get(name) or "/nowhere")
        if os.geteuid() == 0 and file.is_file():
            file.chmod(0o600)
            file.parent.chmod(stat.S_IMODE(file.parent.stat().st_mode) & ~0o022)


def is_readable(path: Path, uid: int = -1, gid: int = -1) -> bool:
    """Whether this user (by default: every one) may read the file, or enter and list the folder."""
    try:
        real = path.resolve(strict=True)
        wanted = 0o5 if real.is_dir() else 0o4
        return _may(real.stat(), uid, gid, wanted) and all(
            _may(folder.stat(), uid, gid, 0o1) for folder in real.parents
        )
    except OSError:
        return False


def _may(state: os.stat_result, uid: int, gid: int, wanted: int) -> bool:
    shift = 6 if state.st_uid == uid else 3 if state.st_gid == gid else 0
    return stat.S_IMODE(state.st_mode) >> shift & wanted == wanted


def runs_in_container(environ: Mapping[str, str]) -> bool:
    """Whether nobody chose to be root here: a container or a CI made it so."""
    return bool(environ.get("CI")) or any(file.exists() for file in CONTAINER)
