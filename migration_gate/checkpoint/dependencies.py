"""The files of the repository that the replay of old revisions depends on, with digests of their contents.

What old revisions import, directly or not, counts; so do env.py and what it imports itself, but for modules
of models: these change in every pull request, and a revision that needs one imports it. A module further
away counts if it names constraints (`naming_convention`), which revisions get without an import.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from migration_gate.change.revision_dependencies import (
    NAMING_MARK,
    Sources,
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
    top: Path, revisions: Iterable[str], roots: Iterable[str], *, follows_all: bool
) -> tuple[Dependency, ...] | None:
    """The files on which these revisions depend, sorted; None if that cannot be told.

    revisions, roots: paths relative to `top`; roots are env.py and what else starts the project.
    follows_all: everything that a root leads to counts, as its code may decide what env.py does.
    """
    paths = list_paths(top)
    sources = Sources(top, [path for path in paths if path.endswith(".py")])
    essential = _follow(sources, [*revisions, *roots], set(roots))
    if essential is None:
        return None
    helpers = [file for root in roots for file in sources.list_imports(root)]
    further = _follow(sources, helpers, set())
    if further is None:
        return None
    essential |= {
        path
        for path in further - essential
        if _is_essential(sources, path, is_direct=follows_all or path in set(helpers))
    }
    readers = [path for path in essential if READING.search(sources.read(path))]
    data = _find_data_files(sources, readers, paths)
    if any(path in set(revisions) for path in readers) and not data:
        return None  # a revision reads something that is not in the repository
    essential |= data
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


def compute_digest(path: Path) -> str:
    """Of a file's content; '' if it cannot be read."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=DIGEST_BYTES).hexdigest()
    except OSError:
        return ""


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


def _is_essential(sources: Sources, path: str, *, is_direct: bool) -> bool:
    source = sources.read(path)
    return NAMING_MARK in source or (is_direct and has_more_than_models(source))


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
