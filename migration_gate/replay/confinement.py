"""What the project's code is kept from: chosen by the gate, carried out by the sandbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.initdb_cache import find_cache_folder
from migration_gate.project import Project
from migration_gate.sandbox.landlock import find_landlock_version
from migration_gate.sandbox.seccomp import supports_seccomp
from migration_gate.sandbox.user import (
    WITHHELD_PREFIXES,
    Account,
    AccountChoice,
    choose_account,
    is_readable,
    runs_in_container,
)
from migration_gate.sandbox.writable_folders import (
    REPOSITORY_FOLDER,
    list_writable_folders,
    make_temporary_caches,
    name_temporary_cache,
)

ALL_NETWORKS = "`network: true`: the project's code could reach other machines"
NO_FILTER = (
    f"no network filter on {sys.platform}: connections through SQLAlchemy and the usual drivers "
    "are redirected, but a program that the project starts could reach another database"
)
NO_LANDLOCK = (
    "this kernel has no Landlock (Linux 5.13 has it): the project's code could change other files of this "
    "user, and read the variables of this user's other programs"
)
CACHE_AMONG_TEMPORARY_FILES = (
    "the gate's cache is {}, among temporary files: the project's code makes no new files beside it, and "
    "TMPDIR is a folder of the run; set XDG_CACHE_HOME or `cache:` to a folder elsewhere"
)
FIXED_HASH_SEED = "0"
HOME_VARIABLES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
"""name folders of the user's, which programs look for in HOME where these are not set"""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What the sandbox keeps the project's code from."""

    account: Account | None
    """whose rights the code has; None: those of this process"""
    unix_sockets_only: bool
    writable_folders: list[str]
    has_own_temporary_folder: bool
    """whether nothing new can be made in the usual folders for temporary files"""
    notes: tuple[str, ...]
    """what could not be kept from it, for the report"""


def choose_confinement(project: Project, settings: Settings, folder: Path) -> Confinement:
    """The account, the network and the folders of the project's code, as far as this machine can limit them.

    `folder` is the run's own. Raises Misconfigured.
    """
    choice = choose_account(project.root, [project.python, project.root])
    _require_readable(project, choice.account)
    caches = list_caches(settings)
    temporary_caches = [] if choice.account else make_temporary_caches(caches)
    checkout = find_repository_root(project.root)
    return Confinement(
        account=choice.account,
        unix_sockets_only=not settings.network and supports_seccomp(),
        writable_folders=list_writable_folders(checkout, folder, caches, temporary_caches),
        has_own_temporary_folder=bool(temporary_caches),
        notes=tuple(_list_notes(choice, settings, temporary_caches)),
    )


def _list_notes(choice: AccountChoice, settings: Settings, temporary_caches: list[Path]) -> Iterator[str]:
    """What could not be kept from the project's code."""
    if temporary_caches:
        yield CACHE_AMONG_TEMPORARY_FILES.format(" and ".join(map(str, temporary_caches)))
    if settings.network:
        yield ALL_NETWORKS
    elif not supports_seccomp():
        yield NO_FILTER
    if choice.account is None and supports_seccomp() and not find_landlock_version():
        yield NO_LANDLOCK
    if choice.unreadable is not None and runs_in_container(os.environ):
        yield _describe_account(choice.account, choice.unreadable)


def list_caches(settings: Settings) -> list[Path]:
    """The folders that later runs may take something from."""
    last_resort = name_temporary_cache()
    in_checkout = find_repository_root(settings.root) / REPOSITORY_FOLDER
    caches = [
        find_cache_folder() or last_resort,
        settings.cache,
        last_resort if last_resort.is_dir() else None,
        in_checkout if in_checkout.is_dir() else None,
    ]
    return [*dict.fromkeys(cache for cache in caches if cache is not None)]


def _require_readable(project: Project, account: Account | None) -> None:
    """Raise Misconfigured where the settings name a folder or a file that the account may not read.

    They do not choose the account: whoever writes them would else choose whose files the code can read.
    """
    for path in (project.directory, project.hook):
        if account is not None and path is not None and not is_readable(path, account):
            raise Misconfigured(
                f"The project's code runs as user {account.uid}, who may not read `{path}`.",
                where=str(path),
                advice="Put it where every user may read it, or change its permissions (`chmod -R a+rX`).",
            )


def _describe_account(account: Account | None, unreadable: Path) -> str:
    """Why the project's code had more rights than it needs, in a container."""
    owner = "as the owner of its folder, who may write to the runner's files"
    return (
        f"the project's code ran {owner if account else 'as root'}, "
        f"because other users may not read `{unreadable}`: put it where they may"
    )


def build_environment(
    settings: Settings, confinement: Confinement, folder: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """The variables that the interpreter starts with; what names the server follows with the order.

    Sets have one order in every run, so that a revision that goes through one does the same each time.
    HOME is a folder of the run's: the user's own holds keys, and what programs run at the next log-in. The
    packages that the user has installed for all projects (`pip install --user`) are found where they are.
    """
    environment = {name: value for name, value in environ.items() if not name.startswith(WITHHELD_PREFIXES)}
    environment.setdefault("PYTHONHASHSEED", FIXED_HASH_SEED)
    if not sys.platform.startswith("linux"):
        return environment | settings.env_by_name()
    account = confinement.account
    home = folder / "home"
    home.mkdir(exist_ok=True)
    for name in HOME_VARIABLES:
        environment.pop(name, None)
    if account is not None:
        os.chown(home, account.uid, account.gid)
        environment |= {"USER": "nobody", "LOGNAME": "nobody"}
    elif environ.get("HOME"):
        environment.setdefault("PYTHONUSERBASE", f"{environ['HOME']}/.local")
    if confinement.has_own_temporary_folder:
        environment["TMPDIR"] = str(home)
    return environment | {"HOME": str(home)} | settings.env_by_name()
