"""The Python that a project asks for in its pyproject.toml, if it runs with an older one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.project import Project

if TYPE_CHECKING:
    from packaging.version import Version


def describe_older_python(project: Project, python_version: str | None) -> str:
    """A sentence, after a space, if the project asks for a newer Python than it runs with; else ''.

    `python_version`: of the project's interpreter, if it is known.
    """
    for folder in (project.directory, project.root):
        file = folder / "pyproject.toml"
        required = _read_oldest_python(file)
        if required is not None and _is_older(python_version, required):
            return (
                f" The project asks for Python {required} (`{file}`), and {project.python} is "
                f"{python_version}: that may be the reason."
            )
    return ""


def _is_older(version: str | None, required: Version) -> bool:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - needed for this error alone

    try:
        return version is not None and Version(version) < required
    except InvalidVersion:  # 3.14.0a1+: somebody's own build
        return False


def _read_oldest_python(pyproject: Path) -> Version | None:
    """The lowest Python that a pyproject.toml allows; None if it names none, or cannot be read."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - for this error alone
    from packaging.version import Version  # noqa: PLC0415 - for this error alone

    try:
        document = tomllib.loads(pyproject.read_text("utf-8"))
        specifiers = SpecifierSet(_find_python_range(document))
    except (OSError, ValueError, InvalidSpecifier):
        return None
    bounds = [
        Version(specifier.version.removesuffix(".*"))
        for specifier in specifiers
        if specifier.operator in (">=", ">", "~=", "==")
    ]
    return max(bounds, default=None)


def _find_python_range(document: dict[str, object]) -> str:
    """`requires-python`, or Poetry's `python`, whose `^` and `~` begin a range as `>=` does."""
    match document:
        case {"project": {"requires-python": str(specifier)}}:
            return specifier
        case {"tool": {"poetry": {"dependencies": {"python": str(specifier)}}}}:
            return ">=" + specifier.lstrip("^~ ") if specifier.startswith(("^", "~")) else specifier
        case _:
            return ""
