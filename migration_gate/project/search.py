"""Looks for Alembic configurations in a folder and a little below it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from migration_gate.project.alembic_config import AlembicConfig, find_config_in_folder

ALEMBIC_SECTION = re.compile(r"^\[alembic\]\s*$[^\[]*^\s*script_location\s*[=:]", re.MULTILINE)
SKIPPED = frozenset({
    "node_modules", "venv", "env", "site-packages", "dist", "build", "vendor", "__pycache__",
    "tests", "test", "testing", "examples", "example", "docs", "fixtures",
})  # fmt: skip
"""folders whose configurations are not the project's own"""
USUAL_FOLDERS = ("migrations", "alembic", "db", "database")
"""names of folders with an Alembic environment"""
DEEPEST_LEVEL = 12
"""folders between the top and the deepest one that is looked at"""
MOST_FOLDERS = 3000
"""that are looked at: 0.1 s, in a repository of any size"""


def list_subfolders(top: Path) -> list[Path]:
    """The folders below one that may hold a project, in order of name."""
    try:
        folders = sorted(entry for entry in top.iterdir() if entry.is_dir() and not entry.is_symlink())
    except OSError:
        return []
    return [folder for folder in folders if _may_hold_project(folder.name) and not _is_environment(folder)]


def _may_hold_project(name: str) -> bool:
    return name not in SKIPPED and name[0] not in ".{"


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").exists()


def find_nearest_configs(top: Path, section: str) -> list[AlembicConfig]:
    """The configurations at the top, else those one folder down, else those in the usual places below."""
    for folders in _list_levels(top):
        candidates = (find_config_in_folder(folder, section) for folder in folders)
        configs = [config for config in candidates if config is not None]
        if configs:
            return configs
    return []


def _list_levels(top: Path) -> Iterator[list[Path]]:
    """The top; the folders in it; every folder in `src` and its `migrations`, and `migrations` elsewhere."""
    yield [top]
    children = list_subfolders(top)
    yield children
    grandchildren: list[Path] = []
    in_packages: list[Path] = []
    for child in children:
        if child.name != "src":
            grandchildren += _list_usual_folders(child)
            continue
        packages = list_subfolders(child)
        grandchildren += packages
        for package in packages:
            in_packages += _list_usual_folders(package)
    yield [*grandchildren, *in_packages]


def _list_usual_folders(folder: Path) -> list[Path]:
    return [subfolder for subfolder in list_subfolders(folder) if subfolder.name in USUAL_FOLDERS]


def find_ini_files(top: Path) -> Iterator[Path]:
    """Every alembic.ini below a folder, but for skipped folders."""
    return (folder / "alembic.ini" for folder, files in _walk_folders(top) if "alembic.ini" in files)


def find_unusual_ini_files(top: Path) -> list[Path]:
    """Files of another name with a section [alembic] that names scripts, as Pyramid's development.ini."""
    return [
        folder / name
        for folder, files in _walk_folders(top)
        for name in sorted(files)
        if _may_be_ini(name) and ALEMBIC_SECTION.search(read_text_file(folder / name))
    ]


def find_bare_environment(top: Path) -> Path | None:
    """The folder of Alembic's that is nearest to the top, whether or not it has a configuration."""
    return next(iter(list_environments(top)), None)


def list_environments(top: Path) -> list[Path]:
    """Every folder of Alembic's, the nearest to the top first."""
    folders = [
        folder
        for folder, files in _walk_folders(top)
        if "env.py" in files and ("script.py.mako" in files or (folder / "versions").is_dir())
    ]
    return sorted(folders, key=lambda folder: (len(folder.parts), str(folder)))


def has_revisions(environment: Path) -> bool:
    """Whether there is a file of Python in its folder `versions`, or below that."""
    files = (environment / "versions").rglob("*.py")
    return any(file.name != "__init__.py" and not file.name.startswith(".#") for file in files)


def _may_be_ini(name: str) -> bool:
    return name != "alembic.ini" and (name.endswith((".ini", ".cfg")) or name.startswith("alembic.ini."))


def _walk_folders(top: Path) -> Iterator[tuple[Path, list[str]]]:
    """The folders below one that may hold a project, with the names of their files."""
    top_level = str(top).count(os.sep)
    for visited, (path, names, files) in enumerate(os.walk(top)):
        if visited > MOST_FOLDERS:
            return
        is_virtual_environment = "pyvenv.cfg" in files
        is_deep_enough = path.count(os.sep) - top_level >= DEEPEST_LEVEL
        # os.walk goes on into the names that are left in its list.
        if is_virtual_environment or is_deep_enough:
            names.clear()
        names[:] = sorted(name for name in names if _may_hold_project(name))
        if not is_virtual_environment:
            yield Path(path), files


def read_text_file(file: Path) -> str:
    """A file's text, however it is encoded; nothing when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    except OSError:
        return ""
