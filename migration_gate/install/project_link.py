"""Makes packages of the repository importable from where they lie, without building them.

uv can only build them: that would run their build scripts at every change, and could write into the checkout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from migration_gate.install.environment_cache import RECORD_FILE, EnvironmentFolder, EnvironmentRecord
from migration_gate.install.project_metadata import Table, get_table, read_project_name, read_pyproject
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import read_text_file

LINK_SCRIPT = Path(__file__).with_name("link_script.py")
FOLDER_SETTINGS = (
    ("tool.setuptools.packages.find", "where"),
    ("tool.pdm.build", "package-dir"),
    ("tool.uv.build-backend", "module-root"),
)
"""tables and keys that give the folders of the import path"""
UNKNOWN_VERSION = "0.0.0"
VERSION_LINE = r"^(?:__version__|VERSION|version)\s*(?::\s*str\s*)?=\s*[\"'](\d[^\"']*)"


@dataclass(frozen=True, slots=True)
class LinkedPackage:
    """A package of the repository."""

    name: str
    version: str
    import_roots: tuple[str, ...]
    """folders for the import path, nearest first"""
    entry_points: str
    """the text of its entry_points.txt"""


def build_link_command(
    environment: EnvironmentFolder, packages: Sequence[LinkedPackage], record: EnvironmentRecord
) -> list[str]:
    """The command that links the packages and then writes the record, with the environment's own Python."""
    order = {
        "packages": [asdict(package) for package in packages],
        "record_file": RECORD_FILE,
        "record": asdict(record),
    }
    # (as text: the account may not be able to read the gate's folder)
    script = LINK_SCRIPT.read_text("utf-8")
    return [str(environment.python), "-I", "-c", script, json.dumps(order)]


def describe_package(folder: Path) -> LinkedPackage:
    """How the package in the folder is made importable."""
    data = read_pyproject(folder)
    project, poetry = get_table(data, "project"), get_table(data, "tool.poetry")
    version = str(project.get("version") or poetry.get("version") or _read_version_from_code(data, folder))
    if not re.fullmatch(r"\d[\w.+!]*", version):
        version = UNKNOWN_VERSION  # only a build can tell it
    roots = dict.fromkeys(str(root) for root in _list_import_roots(data, folder) if root.is_dir())
    name = canonicalize_name(read_project_name(folder) or folder.name)
    return LinkedPackage(name, version, tuple(roots), _write_entry_points(project, poetry))


def _list_import_roots(data: Table, folder: Path) -> Iterator[Path]:
    """The folders that the build backends' settings name, then `src`, then the folder itself."""
    names = (*_poetry_folders(data), *_setuptools_folders(data), *_named_folders(data), *_hatch_folders(data))
    for name in (*names, "src"):
        yield folder / name
    yield folder


def _poetry_folders(data: Table) -> Iterator[str]:
    """`packages = [{include = "app", from = "lib"}]`."""
    for row in get_table(data, "tool.poetry").get("packages", ()):
        if isinstance(row, dict) and row.get("from"):
            yield str(row["from"])


def _setuptools_folders(data: Table) -> Iterator[str]:
    """`package-dir = {"" = "lib"}`; a folder below another is that of a single package."""
    for name in map(str, get_table(data, "tool.setuptools.package-dir").values()):
        if "/" not in name:
            yield name


def _named_folders(data: Table) -> Iterator[str]:
    for table, key in FOLDER_SETTINGS:
        value = get_table(data, table).get(key, ())
        yield from [value] if isinstance(value, str) else map(str, value)


def _hatch_folders(data: Table) -> Iterator[str]:
    """`packages = ["lib/app"]` names the package itself."""
    for name in map(str, get_table(data, "tool.hatch.build.targets.wheel").get("packages", ())):
        if "/" in name:
            yield str(Path(name).parent)


def _read_version_from_code(data: Table, folder: Path) -> str:
    """The version that stands in a Python file as a literal; empty if no setting says in which one."""
    attribute = str(get_table(data, "tool.setuptools.dynamic.version").get("attr", ""))
    module = attribute.rpartition(".")[0].replace(".", "/")
    files = [str(get_table(data, "tool.hatch.version").get("path", ""))]
    if module:
        files += [f"{module}.py", f"{module}/__init__.py", f"src/{module}.py", f"src/{module}/__init__.py"]
    for name in filter(None, files):
        if match := re.search(VERSION_LINE, read_text_file(folder / name), re.MULTILINE):
            return match[1]
    return ""


def _write_entry_points(project: Table, poetry: Table) -> str:
    groups: dict[str, dict[str, Any]] = {
        "console_scripts": project.get("scripts") or poetry.get("scripts", {}),
        **poetry.get("plugins", {}),
        **project.get("entry-points", {}),
    }
    sections = []
    for group, entries in groups.items():
        lines = [f"{name} = {value}" for name, value in entries.items() if isinstance(value, str)]
        if lines:
            sections.append("\n".join([f"[{group}]", *lines]) + "\n")
    return "\n".join(sections)
