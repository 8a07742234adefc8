"""The facts of a run in which no revision was new, kept beside the checkpoint from which it began.

They serve again where everything is the same on which they depend; then nothing of the project runs, and no
server is started. Two kinds of files may differ: those that are no part of a replay by their kinds, as pages
and pictures, and Python files that were there before as well, if the project's code neither imported nor
opened them. All else counts: the names of all other files, their contents, what lies beside the modules that
were imported, and what was read outside of the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator
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
OTHER_LANGUAGES = frozenset(
    {
        ".c",
        ".cc",
        ".cpp",
        ".cs",
        ".dart",
        ".erb",
        ".ex",
        ".go",
        ".h",
        ".hpp",
        ".ipynb",
        ".java",
        ".jsx",
        ".kt",
    }
    | {
        ".less",
        ".mdx",
        ".mjs",
        ".php",
        ".proto",
        ".rb",
        ".rs",
        ".sass",
        ".scala",
        ".scss",
        ".svelte",
        ".swift",
        ".vue",
    }
)
"""files that no check and no Python reads"""
MAX_FILES = 20_000
"""that count in the repository; in a larger one facts are not kept"""
MAX_BYTES = 1 << 26
"""of the files whose contents count; facts that depend on more are not kept"""
MAX_USED = 5000
"""files that the project's code imports or opens; facts that depend on more are not kept either"""
BYTECODE_FOLDER = "__pycache__"


@dataclass(frozen=True, slots=True)
class FactsInputs:
    """What facts depend on, beside what their key says."""

    used: tuple[str, ...]
    """what the project's code has imported or opened: absolute paths, sorted"""
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
    facts: Facts


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


def compute_inputs(top: Path, used: Collection[str]) -> str:
    """A digest of the repository and of what the project's code used; '' if that cannot be told."""
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
    for path in (*others, *sorted(used), *_list_folders(used)):
        content = _read(path, budget)
        if content is None:
            return ""
        budget -= len(content)
        digest.update(f"\0{path}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def has_changed_since(top: Path, used: Collection[str], moment: float) -> bool:
    """Whether one of the files that count was changed then or later, or something came or went beside it.

    moment: seconds since 1970. What the run has seen would not be what is there now.
    """
    names = _list_counting_names(top)
    if names is None:
        return True
    files = [*(f"{top}/{name}" for name in names), *used]
    paths = {*files, *(os.path.dirname(file) for file in files)}  # noqa: PTH120 - many
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
        inputs = FactsInputs(tuple(map(str, fields["used"])), str(fields["digest"]))
        migration_files, shared = tuple(map(str, fields["migration_files"])), str(fields["shared"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    facts = decode_facts(data, FURTHER_PARTS)
    return KeptFacts(key, inputs, migration_files, shared, facts) if isinstance(facts, Facts) else None


def write_kept_facts(place: FactsPlace, kept: KeptFacts, data: bytes) -> None:
    """Keep facts in the place of any others. `data`: the facts, pickled. Raises OSError."""
    header = {
        "key": kept.key,
        "used": kept.inputs.used,
        "digest": kept.inputs.digest,
        "migration_files": kept.migration_files,
        "shared": kept.shared,
    }
    write_sealed_file(place.state.folder / FILE, json.dumps(header).encode("ascii") + b"\n" + data)


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


def _list_folders(files: Collection[str]) -> Iterator[str]:
    """The folders of files: a new file in one may be imported in the place of another."""
    yield from sorted({os.path.dirname(file) for file in files})  # noqa: PTH120 - many


def _read(path: str, budget: int) -> bytes | None:
    """What counts of a file, a link or a folder; None if it is larger than that, or cannot be read."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return _read_link(path, budget)
        if stat.S_ISDIR(status.st_mode):
            names = sorted(filter(_counts, os.listdir(path)))  # noqa: PTH208 - many
            return b"\0".join(os.fsencode(name) for name in names if name != BYTECODE_FOLDER)
        if stat.S_ISREG(status.st_mode) and status.st_size <= budget:
            with open(path, "rb") as stream:  # noqa: PTH123 - many
                return stream.read()
    except FileNotFoundError:
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
    try:
        status = os.lstat(path)
    except OSError:
        return 0.0
    return max(status.st_mtime, status.st_ctime)
