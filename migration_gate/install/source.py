"""Finds the file that lists the project's packages: a lock file first, then requirements, then metadata."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migration_gate.errors import Misconfigured
from migration_gate.project.search import list_subfolders

LOCKS = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "pylock.toml": "pylock",
    "Pipfile.lock": "pipenv",
}
"""lock files, and what they are; in this order where a folder has several"""
REQUIREMENTS = (
    "requirements.txt", "requirements/prod.txt", "requirements/production.txt", "requirements/main.txt",
    "requirements/base.txt", "requirements/requirements.txt", "requirements/common.txt",
    "requirements-prod.txt", "requirements/default.txt", "requirements.lock",
)  # fmt: skip
"""files of requirements without the developers' own, in the order in which they are taken"""
DEVELOPERS = ("dev", "test", "doc", "lint", "ci")


@dataclass(frozen=True, slots=True)
class Source:
    """What says which packages the project needs."""

    kind: str
    """uv, poetry, pdm, pylock, pipenv, requirements, or project (metadata without a lock)"""
    file: Path
    project: Path | None
    """the nearest folder with the metadata of a package: it is made importable"""

    @property
    def folder(self) -> Path:
        """Where the file lies."""
        return self.file.parent


def find(starts: Sequence[Path], top: Path) -> Source | None:
    """The nearest source at or above one of the folders, up to `top`; else the only one a folder below it."""
    for start in starts:
        above = _up(start, top)
        project = next((each for each in above if is_package(each)), None)
        for folder in above:
            found = _lock(folder) or (_requirements(folder) if _near(folder, project) else None)
            if found:
                return Source(*found, project)
        if project:
            return Source("project", _metadata(project), project)
    below = [each for folder in list_subfolders(top) if (each := _below(folder))]
    return below[0] if len(below) == 1 else None


def _up(start: Path, top: Path) -> list[Path]:
    every = [start, *start.parents]
    return every[: every.index(top) + 1] if top in every else [start]


def _near(folder: Path, project: Path | None) -> bool:
    """Requirements above a package are another one's: those of the documentation, often."""
    return project is None or folder.is_relative_to(project)


def _below(folder: Path) -> Source | None:
    project = folder if is_package(folder) else None
    if found := _lock(folder) or _requirements(folder):
        return Source(*found, project)
    return Source("project", _metadata(folder), folder) if project else None


def _lock(folder: Path) -> tuple[str, Path] | None:
    return next(((kind, folder / name) for name, kind in LOCKS.items() if (folder / name).is_file()), None)


def _requirements(folder: Path) -> tuple[str, Path] | None:
    for name in REQUIREMENTS:
        if (folder / name).is_file():
            return "requirements", folder / name
    found = [*folder.glob("requirements*.txt"), *folder.glob("requirements/*.txt")]
    plain = [each for each in sorted(found) if not any(word in each.stem for word in DEVELOPERS)]
    return ("requirements", plain[0]) if plain else None


def of_groups(file: Path, groups: Sequence[str]) -> list[Path]:
    """The files of requirements that stand for groups: requirements-dev.txt, requirements/dev.txt, others."""
    home = file.parent.parent if file.parent.name == "requirements" else file.parent
    found = []
    for group in groups:
        names = (
            f"requirements-{group}.txt", f"requirements_{group}.txt", f"requirements/{group}.txt",
            f"{group}-requirements.txt", f"requirements.{group}.txt", f"{group}.txt",
        )  # fmt: skip
        path = next((home / name for name in names if (home / name).is_file()), None)
        if path is None:
            raise Misconfigured(
                f"`groups` names `{group}`, and no file of requirements beside `{file.name}` is for it.",
                where=str(home),
                advice=f"Looked for {', '.join(names[:4])}. Rename the group, or leave it out.",
            )
        found.append(path)
    return found


def is_package(folder: Path) -> bool:
    """Whether a folder holds the metadata of a package."""
    if (folder / "setup.py").is_file() or ((folder / "setup.cfg").is_file() and "name" in _setup(folder)):
        return True
    data = pyproject(folder)
    poetry = data.get("tool", {}).get("poetry", {})
    return "project" in data or "dependencies" in poetry


def _setup(folder: Path) -> dict[str, str]:
    import configparser  # noqa: PLC0415 - for the few that still have one

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(folder / "setup.cfg", encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    return dict(parser["metadata"]) if "metadata" in parser else {}


def setup_name(folder: Path) -> str:
    """The name that setup.cfg gives, or nothing."""
    return _setup(folder).get("name", "")


def _metadata(folder: Path) -> Path:
    data = pyproject(folder)
    written = "project" in data or "poetry" in data.get("tool", {})
    names = ("pyproject.toml", "setup.py", "setup.cfg") if written else ("setup.py", "setup.cfg")
    return next(folder / name for name in names if (folder / name).is_file())


def pyproject(folder: Path) -> dict[str, Any]:
    """What `pyproject.toml` says; nothing where there is none."""
    file = folder / "pyproject.toml"
    return toml(file) if file.is_file() else {}


def toml(file: Path) -> dict[str, Any]:
    """A TOML file; Misconfigured where it cannot be read."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(
            f"`{file.name}` was wanted for the project's packages, and cannot be read: {error}.",
            where=str(file),
            advice="Mend it, or give the command that installs them: `install: …`.",
        ) from error


def walk(file: Path, seen: set[Path] | None = None) -> Iterator[Path]:
    """A file of requirements and all that it includes by -r and -c."""
    seen = set() if seen is None else seen
    if file in seen or not file.is_file():
        return
    seen.add(file)
    yield file
    for line in file.read_text("utf-8", "replace").splitlines():
        words = line.replace("=", " ", 1).split() if line.startswith("--") else line.split()
        if words and words[0] in ("-r", "-c", "--requirement", "--constraint") and len(words) > 1:
            yield from walk((file.parent / words[1]).resolve(), seen)
        elif words and words[0][:2] in ("-r", "-c") and words[0][2:3].isalnum():
            yield from walk((file.parent / words[0][2:]).resolve(), seen)
