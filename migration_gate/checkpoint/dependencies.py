"""The files of the repository that the replay of old revisions depends on, with digests of their contents.

What old revisions import, directly or not, counts; so do env.py and the modules to which its imports lead
without a module of models between them. Models change in every pull request, and a revision that needs one
imports it; of them, and of what is behind them, one counts if it names constraints (`naming_convention`),
which revisions get without an import, with the settings and helpers that it imports. So does what the
project's code was seen to read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from migration_gate.change.revision_dependencies import (
    NAMING_MARK,
    Sources,
    follow_helpers,
    has_more_than_models,
)
from migration_gate.git.git_command import run_git
from migration_gate.lazy_dataclass import dataclass

READING = re.compile(
    rb"\bopen\(|read_text\(|read_bytes\(|listdir\(|\bglob\(|get_data\(|files\(|importlib|exec\("
)
"""in code that may read a file which no import names"""
WORD = re.compile(rb"[\w.+-]+")
MAX_FILES = 5000
"""followed from env.py; a project with more has no checkpoint"""
MAX_FOLDER = 200
"""data files in one folder that count if its name stands in a revision which reads files"""
DIGEST_BYTES = 16
INSTALLED_FOLDERS = frozenset({"site-packages", "dist-packages"})
UNREAD_FOLDERS = INSTALLED_FOLDERS | {".git", "__pycache__"}
"""nothing in them says what a revision does: git's own files change with each commit"""
UNLISTED_SUFFIXES = (".py", ".pyc", ".log")
"""of files whose names in a folder do not count: a new revision or model adds one"""


@dataclass(frozen=True, slots=True)
class Dependency:
    """One file."""

    path: str
    """relative to the top of the repository"""
    digest: str
    """of its content; '' if there was no such file"""
    is_essential: bool
    """it may not change; else it only leads to others, as a module of models does"""


def find_dependencies(
    top: Path,
    revisions: Iterable[str],
    roots: Iterable[str],
    *,
    follows_all: bool,
    files_read: Sequence[str] = (),
    modules: Sequence[str] = (),
) -> tuple[Dependency, ...] | None:
    """The files on which these revisions depend, sorted; None if that cannot be told.

    revisions, roots: paths relative to `top`; roots are env.py and what else starts the project.
    follows_all: everything that a root leads to counts, as its code may decide what env.py does.
    files_read, modules: absolute paths of what the project's code has opened, and imported. A module may
    be one that git ignores, or lie beside the repository.
    """
    top = top.resolve()
    paths = list_paths(top)
    paths = sorted({*paths, *(_name_path(top, module) for module in modules)})
    sources = Sources(top, [path for path in paths if path.endswith(".py")])
    essential = _follow(sources, [*revisions, *roots], set(roots))
    if essential is None:
        return None
    further = _follow(sources, [file for root in roots for file in sources.list_imports(root)], set())
    if further is None:
        return None
    naming = {path for path in further if NAMING_MARK in sources.read(path)}
    essential |= naming
    # The names may stand in another module, which it imports.
    helpers = further if follows_all else follow_helpers(sources, [*roots, *naming])
    essential |= {path for path in helpers if has_more_than_models(sources.read(path))}
    readers = [path for path in essential if READING.search(sources.read(path))]
    data = _find_data_files(sources, readers, paths)
    if any(path in set(revisions) for path in readers) and not data:
        return None  # a revision reads something that is not in the repository
    essential |= data | {path for file in files_read if (path := _name_data_file(top, file)) is not None}
    return tuple(
        Dependency(path, compute_digest(top / path), path in essential)
        for path in sorted(essential | further)
    )


def list_changed_dependencies(top: Path, dependencies: Sequence[Dependency]) -> list[str]:
    """The files whose change makes old revisions run again; empty if none did.

    A module of models may change, if it and what it now imports stay modules of models.
    """
    changed = [item for item in dependencies if compute_digest(top / item.path) != item.digest]
    essential = [item.path for item in changed if item.is_essential]
    if essential or not changed:
        return essential
    known = {item.path for item in dependencies}
    sources = Sources(top, [path for path in list_paths(top) if path.endswith(".py")])
    changed_paths = {item.path for item in changed}
    reached = _follow(sources, changed_paths, known - changed_paths)
    if reached is None:
        return sorted(changed_paths)
    candidates = changed_paths | (reached - known)
    return sorted(path for path in candidates if NAMING_MARK in sources.read(path))


def list_paths(top: Path) -> list[str]:
    """The files of the repository, those too that git does not track yet; none where git cannot tell."""
    names = run_git(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return sorted({name for name in names.text.split("\0") if name}) if names.failure is None else []


def compute_digest(path: Path, *, unlisted: tuple[str, ...] = UNLISTED_SUFFIXES) -> str:
    """Of a file's content, or of the names in a folder but those that end so; '' if it cannot be read."""
    try:
        if path.is_dir():
            return _compute_folder_digest(path, unlisted)
        content = path.read_bytes() if path.is_file() else None  # (a pipe would be waited for)
        return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest() if content is not None else ""
    except OSError:
        return ""


def compute_outside_digest(path: Path) -> str:
    """The digest of what lies outside of the repository; there the names of modules in a folder count."""
    return compute_digest(path, unlisted=(".pyc", ".log"))


def _follow(sources: Sources, starts: Iterable[str], ends: set[str]) -> set[str] | None:
    """The files that imports lead to, with the starts; None if there are too many.

    ends: files whose own imports are not followed.
    """
    reached = set(starts)
    waiting = list(reached)
    while waiting:
        path = waiting.pop()
        if path in ends:
            continue
        for file in sources.list_imports(path):
            if file not in reached:
                reached.add(file)
                waiting.append(file)
        if len(reached) > MAX_FILES:
            return None
    return reached


def _name_path(top: Path, file: str) -> str:
    """As `Dependency.path` has it: relative to the top, if it is below."""
    path = Path(os.path.realpath(file))
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else str(path)


def _name_data_file(top: Path, file: str) -> str | None:
    """The path of what was read; None of what is no part of the project."""
    path = Path(_name_path(top, file))
    return None if path.is_absolute() or not UNREAD_FOLDERS.isdisjoint(path.parts) else path.as_posix()


def _compute_folder_digest(folder: Path, unlisted: tuple[str, ...]) -> str:
    names = sorted(path.name for path in folder.iterdir())
    listed = [name for name in names if name not in UNREAD_FOLDERS and not name.endswith(unlisted)]
    text = "\0".join(listed).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).hexdigest()


def _find_data_files(sources: Sources, readers: Iterable[str], paths: Sequence[str]) -> set[str]:
    """The data files that the text of a reader names, by their own names or by their folders'."""
    words: set[str] = set()
    for reader in readers:
        words.update(word.decode("utf-8", "replace") for word in WORD.findall(sources.read(reader)))
    by_folder: dict[str, list[str]] = {}
    named: set[str] = set()
    for path in paths:
        if path.endswith(".py"):
            continue
        folder, _, name = path.rpartition("/")
        if name in words:
            named.add(path)
        by_folder.setdefault(folder, []).append(path)
    return named | _list_named_folders(by_folder, words)


def _list_named_folders(by_folder: Mapping[str, list[str]], words: set[str]) -> set[str]:
    return {
        path
        for folder, files in by_folder.items()
        if folder.rpartition("/")[2] in words and len(files) <= MAX_FOLDER
        for path in files
    }
