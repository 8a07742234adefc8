"""Which Python the packages are installed for, and where it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotImported
from migration_gate.install.installer import Installer
from migration_gate.install.source import Source, pyproject, toml
from migration_gate.install.span import fits, pep440
from migration_gate.project.search import read_text_file
from migration_gate.sandbox.user import is_readable

HINTS: tuple[tuple[str, str], ...] = (
    (".python-version", r"^(?:cpython-|python-?)?(3\.\d+)"),
    (".tool-versions", r"^python\s+(3\.\d+)"),
    ("runtime.txt", r"^python-(3\.\d+)"),
    ("Pipfile", r"^python_(?:full_)?version\s*=\s*[\"'](3\.\d+)"),
    ("Dockerfile", r"^FROM\s+(?:--\S+\s+)?(?:\S+/)?python:(3\.\d+)"),
)
"""files that name a Python, and how"""
OLDEST = ">=3.9"


@dataclass(frozen=True, slots=True)
class Wish:
    """The Python that is wanted."""

    request: str
    """3.12, 3.12.1, or a range"""
    why: str
    limits: str
    """what the project says it runs on: a range, or nothing"""


@dataclass(frozen=True, slots=True)
class Found:
    """An interpreter to make the environment with."""

    path: Path
    version: tuple[int, ...]
    note: str = ""


def wish(settings: Settings, source: Source | None, folders: Sequence[Path]) -> Wish:
    """From the setting, else from the files of the folders, nearest first, else what the project runs on."""
    limits, said = _limits(source)
    if settings.python_version:
        return Wish(settings.python_version, "the setting `python_version`", limits)
    for folder in folders:
        for name, pattern in HINTS:
            match = re.search(pattern, read_text_file(folder / name), re.M)
            if match and fits((*_numbers(match[1]), 99), limits):
                return Wish(match[1], f"`{name}`", limits)
    return Wish(limits or OLDEST, said or "no file names one", limits)


def _limits(source: Source | None) -> tuple[str, str]:
    """The range of Pythons that the project or its lock file names, and which file did."""
    if source is None:
        return "", ""
    home = source.project or source.folder
    data = pyproject(home)
    poetry = data.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python", "")
    text = str(data.get("project", {}).get("requires-python", "")) or pep440(str(poetry))
    if not text and (match := re.search(r"python_requires\s*=\s*[\"']?([^\"'\n]+)", _setup(home))):
        text = match[1].strip().rstrip(",")
        return text, "`python_requires`"
    if text:
        return text, "`requires-python`"
    if source.kind in ("uv", "pylock", "pdm"):
        locked: dict[str, Any] = toml(source.file)
        text = str(locked.get("requires-python", "") or locked.get("metadata", {}).get("requires_python", ""))
    return text, f"`{source.file.name}`" if text else ""


def _setup(home: Path) -> str:
    return read_text_file(home / "setup.cfg") + read_text_file(home / "setup.py")


def find(wanted: Wish, installer: Installer, uv: str) -> Generator[str, None, Found]:
    """The interpreter: one that is here, else one that uv downloads. Raises ProjectNotImported.

    Where none can be downloaded, one that the project says it runs on serves, and that is said.
    """
    here = [each for each in _here(installer) if _suits(each[0], wanted.request)]
    if here:
        return Found(here[0][1], here[0][0])
    asked = [uv, "python", "find", "--system", "--no-python-downloads", "--no-project", wanted.request]
    if found := _told(installer.answer(asked).lines, installer):
        return found
    yield f"Downloading Python {wanted.request}"
    done = yield from installer.run([uv, "python", "install", "--no-bin", wanted.request])
    if done.status == 0 and (found := _told(installer.answer(asked).lines, installer)):
        return found
    every = [Found(path, version) for version, path in _here(installer)]
    # A Dockerfile's or a .python-version's is a preference where the project says that it runs on more.
    for request in dict.fromkeys((wanted.limits or OLDEST, OLDEST)):
        found = _told(installer.answer([*asked[:-1], request]).lines, installer)
        every += [found] if found else []
    others = [each for each in every if wanted.limits and fits(each.version, wanted.limits)]
    if others and wanted.why != "the setting `python_version`" and wanted.request != wanted.limits:
        note = (
            f"Python {wanted.request} ({wanted.why}) is not here and could not be downloaded: "
            f"{_dots(others[0].version)} was taken, which `{wanted.limits}` allows"
        )
        return replace(others[0], note=note)
    known = ", ".join(dict.fromkeys(_dots(each.version) for each in every)) or "none"
    raise ProjectNotImported(
        f"Python {wanted.request} is wanted ({wanted.why}); here are {known}, and no download worked.",
        where=str(installer.folder / "python"),
        advice="Install it on this machine, set `python_version:` to one of these, or let uv reach its "
        "downloads (`UV_PYTHON_INSTALL_MIRROR` names another place).",
        evidence=done.tail,
    )


def _told(lines: Sequence[str], installer: Installer) -> Found | None:
    """The path that `uv python find` printed, among its warnings."""
    for line in reversed(lines):
        path = Path(line.strip())
        if path.is_absolute() and path.is_file() and _reachable(path, installer):
            asked = [str(path), "-I", "-S", "-c", "import sys; print(*sys.version_info[:3])"]
            numbers = [
                int(part) for part in " ".join(installer.answer(asked).lines[-1:]).split() if part.isdigit()
            ]
            return Found(path, tuple(numbers)) if len(numbers) == 3 else None
    return None


def _here(installer: Installer) -> Iterator[tuple[tuple[int, ...], Path]]:
    """Interpreters that are known without asking: the gate's own, then in usual places the newest first.

    A folder's name says the version.
    """
    own = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    if _reachable(own, installer):
        yield tuple(sys.version_info[:3]), own
    found = []
    for pattern in ("*/bin/python3", "*/x64/bin/python3", "*/arm64/bin/python3"):
        for top in (
            installer.folder / "python",
            Path.home() / ".pyenv/versions",
            Path("/opt/hostedtoolcache/Python"),
        ):
            for path in top.glob(pattern) if top.is_dir() else ():
                name = path.relative_to(top).parts[0]
                numbers = re.match(r"(?:cpython-)?(3)\.(\d+)\.(\d+)(?!\w)", name)
                if numbers and _reachable(path, installer):
                    found.append((tuple(int(part) for part in numbers.groups()), path))
    yield from sorted(found, reverse=True)


def _reachable(path: Path, installer: Installer) -> bool:
    account = installer.account
    return path.exists() and (not account or is_readable(path, account))


def _suits(version: tuple[int, ...], request: str) -> bool:
    if re.fullmatch(r"\d+(\.\d+)*", request):
        numbers = _numbers(request)
        return version[: len(numbers)] == numbers
    return version >= (3, 9) and fits(version, request)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _dots(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
