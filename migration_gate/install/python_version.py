"""Chooses the Python that the packages are installed for: from the settings, or from the project's files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.install.package_source import PackageSource
from migration_gate.install.project_metadata import get_table, read_pyproject, read_toml
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import read_text_file

VERSION_FILES = {
    ".python-version": r"^(?:cpython-|python-?)?(3\.\d+)",
    ".tool-versions": r"^python\s+(3\.\d+)",
    "runtime.txt": r"^python-(3\.\d+)",
    "Pipfile": r"^python_(?:full_)?version\s*=\s*[\"'](3\.\d+)",
    "Dockerfile": r"^FROM\s+(?:--\S+\s+)?(?:\S+/)?python:(3\.\d+)",
}
"""Files that name a Python version, and how. uv reads only the first of them."""
OLDEST_PYTHON = ">=3.9"
NAMED_NOWHERE = "no file names one"
SETTING = "the setting `python_version`"


@dataclass(frozen=True, slots=True)
class PythonRange:
    """The Pythons that the project says it runs on."""

    specifier: str
    """such as `>=3.10,<4`; empty if no file says it"""
    origin: str
    """the setting or the file that says it, in backticks"""


@dataclass(frozen=True, slots=True)
class PythonRequest:
    """The Python to install for."""

    specifier: str
    """3.12, 3.12.1, or a range"""
    origin: str
    """the setting or the file that asks for it"""
    project_range: str
    """what the project says it runs on; empty if it does not"""

    @property
    def alternative(self) -> str:
        """The range to take a Python from where the requested one cannot be had; empty if none may be.

        A version in a Dockerfile or a .python-version is a preference where the project runs on more.
        """
        is_preference = self.origin != SETTING and self.specifier != self.project_range
        return self.project_range if is_preference else ""


def request_python(
    settings: Settings, source: PackageSource | None, folders: Sequence[Path]
) -> PythonRequest:
    """The setting, else what a file of the nearest folder names, else what the project runs on."""
    project_range = find_python_range(source) if source else PythonRange("", "")
    if settings.python_version:
        return PythonRequest(settings.python_version, SETTING, project_range.specifier)
    for folder in folders:
        for name, pattern in VERSION_FILES.items():
            match = re.search(pattern, read_text_file(folder / name), re.MULTILINE)
            if match and _allows_minor(project_range.specifier, match[1]):
                return PythonRequest(match[1], f"`{name}`", project_range.specifier)
    return PythonRequest(
        project_range.specifier or OLDEST_PYTHON,
        project_range.origin or NAMED_NOWHERE,
        project_range.specifier,
    )


def find_python_range(source: PackageSource) -> PythonRange:
    """The range that the project's metadata or its lock file gives."""
    folder = source.project or source.folder
    data = read_pyproject(folder)
    specifier = str(get_table(data, "project").get("requires-python", ""))
    if not specifier:
        poetry_range = get_table(data, "tool.poetry.dependencies").get("python", "")
        specifier = convert_poetry_range(str(poetry_range))
    if specifier:
        return PythonRange(specifier, "`requires-python`")
    setup_text = read_text_file(folder / "setup.cfg") + read_text_file(folder / "setup.py")
    if match := re.search(r"python_requires\s*=\s*[\"']?([^\"'\n]+)", setup_text):
        return PythonRange(match[1].strip().rstrip(","), "`python_requires`")
    if source.kind in ("uv", "pylock", "pdm"):
        locked = read_toml(source.file)
        specifier = str(
            locked.get("requires-python") or get_table(locked, "metadata").get("requires_python", "")
        )
    return PythonRange(specifier, f"`{source.file.name}`" if specifier else "")


def convert_poetry_range(text: str) -> str:
    """Poetry's `^3.10`, `~3.10` or `3.*` as a standard specifier; of alternatives (`||`) the last.

    Empty for `*`. No tool prints this range before the interpreter is chosen.
    """
    comparisons = re.findall(r"([\^~<>=!]*)\s*(\d[\w.*]*)", text.rpartition("||")[2])
    return ",".join(_convert_comparison(operator, version) for operator, version in comparisons)


def _convert_comparison(operator: str, version: str) -> str:
    major, _, minor = version.partition(".")
    if operator == "~" and minor:
        return f">={version},<{major}.{int(minor.partition('.')[0]) + 1}"
    if operator in ("^", "~"):
        return f">={version},<{int(major) + 1}"
    return f"{operator or '=='}{version}"


def _allows_minor(specifier: str, minor: str) -> bool:
    """Whether the range has a patch release of this minor version."""
    return allows_python(specifier, f"{minor}.99")


def allows_python(specifier: str, version: str) -> bool:
    """Whether a range of Pythons has this version; one that cannot be read has all."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - 20 ms, and seldom needed

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True
