"""Finds and reads requirements in pip's format: the project's own files, and exported lock files."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from migration_gate.errors import Misconfigured
from migration_gate.install.project_metadata import is_package
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import read_text_file

MAIN_FILES = (
    "requirements.txt", "requirements/prod.txt", "requirements/production.txt", "requirements/main.txt",
    "requirements/base.txt", "requirements/requirements.txt", "requirements/common.txt",
    "requirements-prod.txt", "requirements/default.txt", "requirements.lock", "requirements.in",
    "requirements/main.in", "requirements/base.in",
)  # fmt: skip
"""the files that list what the project needs to run, in the order in which they are preferred"""
DEVELOPER_WORDS = ("dev", "test", "doc", "lint", "ci")
"""parts of the names of files that list what only its developers need"""
GROUP_FILES = (
    "requirements-{}.txt", "requirements_{}.txt", "requirements/{}.txt", "{}-requirements.txt",
    "requirements.{}.txt", "{}.txt",
)  # fmt: skip
"""the files that may list the packages of a group"""
INCLUDE = re.compile(r"^\s*(?:-(r)|-c|--(r)equirement|--constraint)[ =]?\s*(?!\w+://)([^\s#]+)")
RELATIVE_OPTION = re.compile(r"^(\s*(?:-c|--constraint|-f|--find-links)[ =]\s*)(?!\w+://|/)")
EDITABLE = re.compile(r"^\s*(?:-e|--editable)[ =]?\s*")
PATH_REQUIREMENT = re.compile(r"^(?:[\w.-]+(?:\[[^\]]*\])?\s*@\s*)?(file:(?://)?)?([^\s;#\[]+)")
"""`./libs/shared`, `file:///srv/shared[extra] ; marker`, `shared @ file:///srv/shared`"""
NAMED_ADDRESS = re.compile(r"^\s*(?P<name>[\w.-]+)\s*(?:\[[^\]]*\])?\s*@")
"""a requirement of a package that lies elsewhere than in an index"""


@dataclass(frozen=True, slots=True)
class SeparatedRequirements:
    """A list of requirements, and the packages of the repository that were in it."""

    text: str
    """the other requirements, one a line"""
    folders: tuple[Path, ...]


def find_requirement_file(folder: Path) -> Path | None:
    """The file that lists what the project in the folder needs to run."""
    for name in MAIN_FILES:
        if (folder / name).is_file():
            return folder / name
    for file in _list_requirement_files(folder):
        if not any(word in file.stem for word in DEVELOPER_WORDS):
            return file
    return None


def find_group_files(file: Path, groups: Sequence[str]) -> list[Path]:
    """The files beside `file` that list these groups' packages. Raises Misconfigured if one has none."""
    folder = _get_base_folder(file)
    files = []
    for group in groups:
        names = [pattern.format(group) for pattern in GROUP_FILES]
        group_file = next((folder / name for name in names if (folder / name).is_file()), None)
        if group_file is None:
            raise Misconfigured(
                f"`groups` names `{group}`, and no file of requirements beside `{file.name}` is for it.",
                where=str(folder),
                advice=f"Looked for {', '.join(names[:4])}. Rename the group, or leave it out.",
            )
        files.append(group_file)
    return files


def list_other_groups(file: Path) -> dict[str, Path]:
    """The files beside `file`, by the group that each is for."""
    groups = {}
    for other in _list_requirement_files(_get_base_folder(file)):
        group = re.sub(r"^requirements[-_.]?|[-_.]?requirements$", "", other.stem)
        if group and other != file:
            groups[group] = other
    return groups


def _list_requirement_files(folder: Path) -> list[Path]:
    patterns = ("*requirements*.txt", "requirements/*.txt")
    return sorted(file for pattern in patterns for file in folder.glob(pattern))


def _get_base_folder(file: Path) -> Path:
    """The folder that has the project's files of requirements, or their folder `requirements`."""
    return file.parent.parent if file.parent.name == "requirements" else file.parent


def list_included_files(file: Path) -> list[Path]:
    """The file, and the files that it includes with -r and -c, each once."""
    return _follow_includes(file, constraints=True)


def read_requirement_files(files: Sequence[Path], without: Collection[str] = ()) -> SeparatedRequirements:
    """The requirements of these files and of those that they include with -r, in one list.

    Paths in it are absolute, so that it can be written to another folder. Left out is `name @ address` of
    `without`, canonical names: what lies in the repository would be read, which may mean to build it.
    """
    lines: list[str] = []
    folders: list[Path] = []
    for file in files:
        for included in _follow_includes(file, constraints=False):
            # pip resolves relative paths from where it is run, which is often the folder above.
            bases = (included.parent, included.parent.parent)
            text = _leave_out(read_text_file(included), without)
            separated = separate_local_packages(text, bases)
            folders += separated.folders
            for line in separated.text.splitlines():
                include = INCLUDE.match(line)
                if not (include and _is_requirement_option(include)):
                    lines.append(RELATIVE_OPTION.sub(rf"\1{included.parent}/", line))
    return SeparatedRequirements("\n".join(lines) + "\n", tuple(dict.fromkeys(folders)))


def _leave_out(text: str, without: Collection[str]) -> str:
    matches = [(line, NAMED_ADDRESS.match(line)) for line in text.splitlines()]
    return "\n".join(
        line for line, match in matches if match is None or canonicalize_name(match["name"]) not in without
    )


def separate_local_packages(text: str, bases: Sequence[Path]) -> SeparatedRequirements:
    """Take the lines out that ask for a package in a folder (`-e .`, `./libs/shared`).

    bases: the folders that a relative path may start from.
    """
    lines: list[str] = []
    folders: list[Path] = []
    for line in text.splitlines():
        folder = _find_local_package(line, bases)
        if folder is None:
            lines.append(_without_editable_address(line))
        else:
            folders.append(folder)
    return SeparatedRequirements("\n".join(lines) + "\n", tuple(dict.fromkeys(folders)))


def _find_local_package(line: str, bases: Sequence[Path]) -> Path | None:
    """The folder that a requirement means by its path or file URL, where a package is there."""
    requirement = EDITABLE.sub("", line).strip()
    match = PATH_REQUIREMENT.match(requirement)
    if match is None:
        return None
    path = unquote(match[2]) if match[1] else match[2]
    is_path = (
        requirement != line.strip() or match[1] or path.startswith(("/", "./", "../")) or path in (".", "..")
    )
    folders = ((base / path).resolve() for base in bases if is_path)
    return next((folder for folder in folders if is_package(folder)), None)


def _without_editable_address(line: str) -> str:
    """`-e git+https://…`, as Pipenv exports it, without the `-e`, which uv rejects."""
    address = EDITABLE.sub("", line)
    return address if re.match(r"\w+\+\w+://", address) else line


def _follow_includes(file: Path, *, constraints: bool) -> list[Path]:
    """The file and those that it includes with -r, and with -c where `constraints` is true; each once."""
    files: dict[Path, None] = {}
    waiting = [file.resolve()]
    while waiting:
        current = waiting.pop(0)
        if current in files or not current.is_file():
            continue
        files[current] = None
        for line in read_text_file(current).splitlines():
            include = INCLUDE.match(line)
            if include and (constraints or _is_requirement_option(include)):
                waiting.append((current.parent / include[3]).resolve())
    return list(files)


def _is_requirement_option(include: re.Match[str]) -> bool:
    """Whether the line is `-r`, not `-c`."""
    return bool(include[1] or include[2])
