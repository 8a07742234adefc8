"""Where Alembic's configuration says that the revision files are, read without Alembic."""

from __future__ import annotations

import re
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.locate import AlembicEnvironment
from migration_gate.project.search import read_text_file

_VERSION_LOCATIONS = re.compile(r"^version_locations\s*=\s*(.+(?:\n[ \t]+\S.*)*)", re.MULTILINE)
"""the value may go on in indented lines, or be a list of TOML"""
_IS_RECURSIVE = re.compile(
    r"^recursive_version_locations\s*=\s*[\"']?(?:true|yes|on|1)\b", re.MULTILINE | re.IGNORECASE
)
_SEPARATORS = re.compile(r"[\s,;:\[\]\"']+")
"""whatever `path_separator` says, and the signs of a TOML list"""


@dataclass(frozen=True, slots=True)
class VersionLocations:
    """The folders with revision files."""

    folders: tuple[Path, ...] = ()
    """as configured; empty if the configuration names none"""
    is_recursive: bool = False
    """whether the folders inside of them count as well"""


def read_version_locations(environment: AlembicEnvironment) -> VersionLocations:
    """The folders that `version_locations` names; none if only running code could tell."""
    if environment.config is None:
        return VersionLocations()
    is_folder = environment.config.is_dir()
    file = environment.config / "alembic.ini" if is_folder else environment.config
    text = read_text_file(file) if file.is_file() else ""
    is_recursive = _IS_RECURSIVE.search(text) is not None
    setting = _VERSION_LOCATIONS.search(text)
    if setting is None:
        return VersionLocations(is_recursive=is_recursive)
    parts = filter(None, _SEPARATORS.split(setting[1]))
    here = str(file.parent)  # (it may have a space: the value is split before)
    folders = tuple(
        environment.directory / part.replace("%(here)s", here).replace("%%", "%") for part in parts
    )
    return VersionLocations(folders, is_recursive)
