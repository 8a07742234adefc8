"""Which files a configuration file may name: the gate reads them with rights that its author may not have."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from migration_gate.config.precedence import SettingValue
from migration_gate.config.repository_root import find_repository_root
from migration_gate.errors import Misconfigured

FILE_LINE = re.compile(r":\d+$")
"""how the origin of a value ends that stands in a file"""
PROCESS_FOLDER = Path("/proc")
"""holds the variables and the memory of processes"""


def require_shared(setting: SettingValue, path: Path, key: str) -> None:
    """Raise Misconfigured where a configuration file names what is open to the gate alone.

    The file may be a stranger's, as a pull request can change it: what root alone may read, or belongs to a
    process, is not to come into the hands of the project's code. The repository's own files are.
    """
    if not FILE_LINE.search(setting.where):
        return
    target = path.resolve()
    repository = find_repository_root(setting.folder.resolve())
    is_private = os.geteuid() == 0 and key != "python" and not _may_everybody_read(target)
    if target.is_relative_to(PROCESS_FOLDER) or (is_private and not target.is_relative_to(repository)):
        raise Misconfigured(
            f"`{key}` names `{path}`, which is not for the project's code: other users may not read it.",
            where=setting.where,
            advice="Name a file of the repository; or give the path on the command line or in a variable.",
        )


def _may_everybody_read(path: Path) -> bool:
    """Whether every user may read the file, or enter and list the folder."""
    status = path.stat()
    bits = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else 0)
    return stat.S_IMODE(status.st_mode) & bits == bits and all(
        folder.stat().st_mode & stat.S_IXOTH for folder in path.parents
    )
