"""The facts of a run in which no revision was new, kept beside the checkpoint from which it began.

They serve again where everything is the same on which they depend; then nothing of the project runs, and no
server is started. Two kinds of files may differ: those that are no part of a replay by their kinds, as pages
and pictures, and Python files that were there before as well, if the run neither executed nor opened them.
All else counts: the names of all other files, their contents, and what was read outside of the repository. In
the folders of all these, and where modules were looked for, each name counts, ignored by git or not: code may
ask whether a file is there without opening it.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePosixPath

from migration_gate.change.revision_dependencies import UNREAD_SUFFIXES
from migration_gate.checkpoint.dependencies import INSTALLED_FOLDERS, list_paths
from migration_gate.checkpoint.facts_key import FactsPlace
from migration_gate.checkpoint.sealed_file import decode_facts, read_sealed_file, write_sealed_file
from migration_gate.facts import Facts
from migration_gate.lazy_dataclass import dataclass

FILE = "facts"
LAYOUT = "1"
"""changes when the file does"""
FURTHER_PARTS = frozenset({"migration_gate.scan.revision_files._read_calls"})
"""of facts, beside facts: it parses the text of a revision when its calls are asked for"""
OTHER_LANGUAGES = frozenset({
    ".c", ".cc", ".cpp", ".cs", ".dart", ".erb", ".ex", ".go", ".h", ".hpp", ".ipynb", ".java", ".jsx", ".kt",
    ".less", ".mdx", ".mjs", ".php", ".proto", ".rb", ".rs", ".sass", ".scala", ".scss", ".svelte", ".swift",
    ".vue",
})  # fmt: skip
"""files that no check and no Python reads"""
MAX_FILES = 20_000
"""that count in the repository; in a larger one facts are not kept"""
MAX_BYTES = 1 << 26
"""of the files whose contents count; facts that depend on more are not kept"""
MAX_USED = 5000
"""files that the project's code imports or opens; facts that depend on more are not kept either"""
BYTECODE_FOLDER = "__pycache__"
UNLISTED_NAMES = frozenset({
    BYTECODE_FOLDER, ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".coverage",
    ".DS_Store",
})  # fmt: skip
UNLISTED_SUFFIXES = (".log", ".swp", "~")
"""what comes and goes in a folder without being a part of the project"""


@dataclass(frozen=True, slots=True)
class FactsInputs:
    """What facts depend on, beside what their key says."""

    used: tuple[str, ...]
    """what the run has executed or opened: absolute paths, sorted"""
    folders: tuple[str, ...]
    """in which modules were looked for: absolute paths, sorted"""
    digest: str
    """see `compute_inputs`"""


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """Facts in the cache."""

    key: str
    """see `FactsPlace.compute_key`"""
    inputs: FactsInputs
    migration_files: tuple[str, ...]
    """absolute paths of the files of the revisions"""
    shared: str
    """digest of what the process that examines the base was told: see `kept_base`; '' if none was"""
    data: bytes
    """the facts, pickled"""

    def read_facts(self) -> Facts | None:
        """The facts; None if it is something else."""
        facts = decode_facts(self.data, FURTHER_PARTS)
        return facts if isinstance(facts, Facts) else None


def select_used_files(paths: Collection[str], run_directory: Path) -> tuple[str, ...] | None:
    """Those of the paths whose contents count, sorted; None if there are too many.

    An installed package is known by its version, and what the gate made for a run is made for each.
    """
    own = f"{os.path.realpath(run_directory)}{os.sep}"
    used = {
        path
        for path in map(os.path.abspath, paths)
        if INSTALLED_FOLDERS.isdisjoint(Path(path).parts) and not os.path.realpath(path).startswith(own)
    }
    return tuple(sorted(used)) if len(used) <= MAX_USED else None


def compute_inputs(top: Path, used: Collection[str], folders: Collection[str]) -> str:
    """A digest of the repository and of what the run used; '' if that cannot be told.

    folders: in which modules were looked for.
    """
    names = _list_counting_names(top)
    if names is None:
        return ""
    others = [f"{top}/{name}" for name in names if not name.endswith(".py")]
    if any(os.path.isdir(path) and not os.path.islink(path) for path in others):  # noqa: PTH112, PTH114
        return ""  # a submodule: whatever is in it has a history of its own
    if sum(map(_find_size, others)) > MAX_BYTES:
        return ""
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape"))
    budget = MAX_BYTES
    for path in (*others, *sorted(used)):
        content = _read(path, budget)
        if content is None:
            return ""
        budget -= len(content)
        digest.update(f"\0{path}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
    for folder in _list_folders(top, names, used, folders):
        listed = "\0".join(sorted(filter(_is_listed, _list_names(folder))))
        digest.update(f"\0\0{folder}\0{listed}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def has_changed_since(top: Path, used: Collection[str], folders: Collection[str], moment: float) -> bool:
    """Whether one of the files that count was changed then or later, or something came or went beside it.

    moment: seconds since 1970. What the run has seen would not be what is there now.
    """
    names = _list_counting_names(top)
    if names is None:
        return True
    files = [f"{top}/{name}" for name in names]
    paths = {*files, *used, *_list_folders(top, names, used, folders)}
    return any(_find_change_time(path) >= moment for path in paths)


def read_kept_facts(place: FactsPlace, key: str) -> KeptFacts | None:
    """What is kept under this key; None if there is nothing, or it is damaged."""
    content = read_sealed_file(place.state.folder / FILE)
    if content is None:
        return None
    header, _, data = content.partition(b"\n")
    try:
        fields = json.loads(header)
        if fields["key"] != key:
            return None
        used, folders = (tuple(map(str, fields[name])) for name in ("used", "folders"))
        inputs = FactsInputs(used, folders, str(fields["digest"]))
        migration_files, shared = tuple(map(str, fields["migration_files"])), str(fields["shared"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return KeptFacts(key, inputs, migration_files, shared, data)


def write_kept_facts(place: FactsPlace, kept: KeptFacts) -> None:
    """Keep facts in the place of any others. Raises OSError."""
    header = {
        "key": kept.key,
        "used": kept.inputs.used,
        "folders": kept.inputs.folders,
        "digest": kept.inputs.digest,
        "migration_files": kept.migration_files,
        "shared": kept.shared,
    }
    write_sealed_file(place.state.folder / FILE, json.dumps(header).encode("ascii") + b"\n" + kept.data)


def has_kept_facts(place: FactsPlace) -> bool:
    """Whether there are any, of whatever key."""
    return (place.state.folder / FILE).is_file()


def remove_kept_facts(place: FactsPlace) -> None:
    """Keep none."""
    with suppress(OSError):
        (place.state.folder / FILE).unlink()


def _list_counting_names(top: Path) -> list[str] | None:
    """The files of the repository that count, from its top; None if git cannot tell, or they are too many."""
    names = [path for path in list_paths(top) if _counts(path)]
    return names if 0 < len(names) <= MAX_FILES else None


def _counts(name: str) -> bool:
    suffix = PurePosixPath(name).suffix.lower()
    return suffix not in UNREAD_SUFFIXES and suffix not in OTHER_LANGUAGES


def _list_folders(
    top: Path, names: Collection[str], used: Collection[str], folders: Collection[str]
) -> list[str]:
    """Those in which a file may come or go that counts, sorted: a module may take the place of another."""
    found = {str(top), *folders}
    for name in {name.rpartition("/")[0] for name in names}:
        parts = name.split("/")
        found.update(f"{top}/{'/'.join(parts[:count])}" for count in range(1, len(parts) + 1) if name)
    found.update(os.path.dirname(file) for file in used if not os.path.isdir(file))  # noqa: PTH112, PTH120
    return sorted(found)


def _list_names(folder: str) -> list[str]:
    """Of what is in a folder; none if there is no such folder, or it is another user's."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - many
    except OSError:
        return []


def _is_listed(name: str) -> bool:
    return _counts(name) and name not in UNLISTED_NAMES and not name.endswith(UNLISTED_SUFFIXES)


def _read(path: str, budget: int) -> bytes | None:
    """What counts of a file, a link or a folder; None if it is larger than that, or cannot be read."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return _read_link(path, budget)
        if stat.S_ISDIR(status.st_mode):
            names = sorted(os.listdir(path))  # noqa: PTH208 - many
            return b"\0".join(os.fsencode(name) for name in names if name != BYTECODE_FOLDER)
        if stat.S_ISREG(status.st_mode) and status.st_size <= budget:
            with open(path, "rb") as stream:  # noqa: PTH123 - many
                return stream.read()
    except (FileNotFoundError, NotADirectoryError):  # (or it is in an archive, which was opened itself)
        return b"\0missing"
    except OSError:
        return None
    return b"" if stat.S_ISCHR(status.st_mode) else None  # /dev/null and its like; a pipe would be waited for


def _read_link(path: str, budget: int) -> bytes | None:
    """Where it leads, and what it leads to; of a folder nothing more, since what is read in it is seen."""
    content = _read(os.path.realpath(path), budget) if os.path.isfile(path) else b""  # noqa: PTH113
    return None if content is None else os.fsencode(os.readlink(path)) + b"\0" + content  # noqa: PTH115


def _find_size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _find_change_time(path: str) -> float:
    """Of a file, and of what it links to; of one that is missing, that of the folder where it was missed."""
    try:
        states = (os.lstat(path), os.stat(path))  # noqa: PTH116 - many
    except OSError:
        folder = os.path.dirname(path)  # noqa: PTH120
        return _find_change_time(folder) if folder != path else 0.0
    return max(time for state in states for time in (state.st_mtime, state.st_ctime))
