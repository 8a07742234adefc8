"""The account that runs the project's code where the gate is root, as it is in a container action."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGE_ACCOUNT = "migration-gate"
"""name of the account that the gate's own container image has for this"""
NOBODY_ID = 65534
WITHHELD_PREFIXES = (
    "GITHUB_", "ACTIONS_", "RUNNER_", "INPUT_", "PG", "MIGRATION_GATE_", "PYTHONHOME", "UV_", "PIP_",
    "POETRY_", "NETRC", "GIT_CONFIG_",
)  # fmt: skip
"""Variables that start so are not passed to the project's code: tokens, and other databases' addresses."""
CONTAINER_MARKERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
COMMAND_FILE_VARIABLES = (
    "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE",
)  # fmt: skip
"""variables that name the files whose lines GitHub's runner carries out"""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine, by number."""

    uid: int
    gid: int


EVERYBODY = Account(-1, -1)
"""owns no file and belongs to no group: has only the rights that every user has"""


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """Who runs the project's code."""

    account: Account | None
    """None: the gate's own user"""
    unreadable: Path | None
    """the path that the preferred account may not read, if it was therefore not taken"""


def choose_account(directory: Path, needed: Sequence[Path]) -> AccountChoice:
    """The first account that may read all `needed` paths; the gate's own where the gate is not root.

    The owner of the project's folder comes first: then the code may write there, as it may on its author's
    machine. Not so on GitHub, where that owner is the runner: the code of a pull request could write what
    later steps trust (git hooks) or carry out (the command files). There the owner comes last, and
    `unreadable` says why it was needed.
    """
    if os.geteuid() != 0:
        return AccountChoice(None, None)
    first_unreadable = None
    for account in _list_accounts(directory):
        unreadable = next((path for path in needed if not is_readable(path, account)), None)
        if unreadable is None:
            return AccountChoice(account, first_unreadable if runs_on_github(os.environ) else None)
        first_unreadable = first_unreadable or unreadable
    return AccountChoice(None, first_unreadable)


def _list_accounts(directory: Path) -> list[Account]:
    """The accounts to try, best first; never root."""
    owner = directory.stat()
    try:
        entry = pwd.getpwnam(IMAGE_ACCOUNT)
        unprivileged = Account(entry.pw_uid, entry.pw_gid)
    except KeyError:
        unprivileged = Account(NOBODY_ID, NOBODY_ID)
    if owner.st_uid == 0:
        return [unprivileged]
    owning = Account(owner.st_uid, owner.st_gid)
    return [unprivileged, owning] if runs_on_github(os.environ) else [owning, unprivileged]


def runs_on_github(environ: Mapping[str, str]) -> bool:
    """Whether GitHub's runner started the gate."""
    return environ.get("GITHUB_ACTIONS") == "true"


def runs_in_container(environ: Mapping[str, str]) -> bool:
    """Whether a container or a CI system made the gate root, and not the user's own choice."""
    return bool(environ.get("CI")) or is_container()


def is_container() -> bool:
    """Whether the gate runs in a container (Docker, Podman)."""
    return any(marker.exists() for marker in CONTAINER_MARKERS)


def protect_command_files(environ: Mapping[str, str]) -> None:
    """Make the runner's command files accessible to their owner (and root) only. Raises OSError."""
    if os.geteuid() != 0:
        return
    for variable in COMMAND_FILE_VARIABLES:
        file = Path(environ.get(variable) or "/nowhere")
        if file.is_file():
            file.chmod(0o600)
            file.parent.chmod(stat.S_IMODE(file.parent.stat().st_mode) & ~0o022)


def is_readable(path: Path, account: Account = EVERYBODY) -> bool:
    """Whether this account may read the file, or enter and list the folder. Links are followed."""
    try:
        resolved = path.resolve(strict=True)
        read_bits = 0o5 if resolved.is_dir() else 0o4
        return _has_rights(resolved.stat(), account, read_bits) and all(
            _has_rights(folder.stat(), account, 0o1) for folder in resolved.parents
        )
    except OSError:
        return False


def _has_rights(status: os.stat_result, account: Account, bits: int) -> bool:
    """Whether the permission bits that count for this account include `bits` (4 read, 2 write, 1 enter)."""
    if status.st_uid == account.uid:
        shift = 6
    elif status.st_gid == account.gid:
        shift = 3
    else:
        shift = 0
    return stat.S_IMODE(status.st_mode) >> shift & bits == bits
