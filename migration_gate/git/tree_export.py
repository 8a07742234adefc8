"""Writes the tree of a commit into a folder, for code that is to run there.

Nothing of the repository's has a say in it: no filter, no conversion of line ends, no attribute that leaves
files out. A file beside the tree lists what is tracked there, because git itself cannot be asked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from migration_gate.errors import RepositoryUnreadable
from migration_gate.git.git_command import GitOutput, find_repository_root, run_git_on_bytes
from migration_gate.lazy_dataclass import dataclass

LIST_FILE = ".git"
"""where a repository has its folder of this name: what searches for the top of one finds it here"""
LIST_KEY = "migration-gate: files of the commit"
LINK_MODE, PROGRAM_MODE, SUBMODULE_MODE = "120000", "100755", "160000"
MAX_FILE_BYTES = 16 << 20
"""larger files are left out: neither code nor a migration is that long"""
BATCH_FILES = 1000
"""files that are asked for at once"""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file, a symbolic link or a submodule of a commit."""

    mode: str
    object_id: str
    path: str

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link; its content is where it leads."""
        return self.mode == LINK_MODE

    @property
    def is_submodule(self) -> bool:
        """Whether it is a commit of another repository."""
        return self.mode == SUBMODULE_MODE


def export_revision(
    folder: Path, revision: str, target: Path, *, is_needed: Callable[[str], bool] = lambda _: True
) -> None:
    """Write the tree of a git revision into an existing empty folder. Raises RepositoryUnreadable.

    A submodule that is checked out is there as of the commit that the revision names. `is_needed` is asked
    for each path, from the top of the repository.
    """
    top = find_repository_root(folder)
    entries = [entry for entry in _list_entries(top, revision) if is_needed(entry.path)]
    # Links come last: nothing is written through one of them.
    files = sorted((entry for entry in entries if not entry.is_submodule), key=lambda entry: entry.is_link)
    _write_entries(top, files, target)
    for entry in entries:
        if entry.is_submodule:
            _place_submodule(top, entry, target / entry.path)
    mark_as_exported(target, sorted(entry.path for entry in files))


def mark_as_exported(top: Path, paths: Sequence[str]) -> None:
    """Have a folder taken for the top of a repository that tracks these files."""
    (top / LIST_FILE).write_text(json.dumps({LIST_KEY: list(paths)}), "ascii")


@dataclass(frozen=True, slots=True)
class FolderChanges:
    """How some folders of one commit differ from those of another."""

    contents: Mapping[str, bytes]
    """the files that are new or edited, by path from the top of the repository"""
    removed: tuple[str, ...]


def read_folders(folder: Path, revision: str, folders: Sequence[str]) -> dict[str, bytes]:
    """The files in and below some folders of a commit, by path. Raises RepositoryUnreadable.

    Folders and paths are from the top of the repository; '' is all of it.
    """
    top = find_repository_root(folder)
    return _read_files(top, _list_files(top, revision, folders))


def compare_folders(folder: Path, old: str, new: str, folders: Sequence[str]) -> FolderChanges:
    """What commit `new` has otherwise than `old` in and below some folders. Raises RepositoryUnreadable."""
    top = find_repository_root(folder)
    old_files = {entry.path: entry for entry in _list_files(top, old, folders)}
    new_files = {entry.path: entry for entry in _list_files(top, new, folders)}
    changed = [entry for path, entry in new_files.items() if old_files.get(path) != entry]
    return FolderChanges(_read_files(top, changed), tuple(sorted(old_files.keys() - new_files.keys())))


def _list_files(top: Path, revision: str, folders: Sequence[str]) -> list[TreeEntry]:
    paths = [] if "" in folders else list(folders)
    entries = _list_entries(top, revision, *paths) if folders else []
    return [entry for entry in entries if not (entry.is_link or entry.is_submodule)]


def _read_files(top: Path, files: Sequence[TreeEntry]) -> dict[str, bytes]:
    entries = _drop_long_files(top, files)
    return {entry.path: content for entry, content in zip(entries, _read_contents(top, entries), strict=True)}


def identify_tree(folder: Path, revision: str) -> str | None:
    """The object name of a revision's files, which is a digest of them; None if it may not tell them."""
    top = find_repository_root(folder)
    # References of this kind have git give other objects than those that are named.
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{tree}")
    tree, failure = run_git_on_bytes(top, *arguments)
    replaced, listing_failure = run_git_on_bytes(top, "for-each-ref", "--count=1", "refs/replace")
    if failure is not None or listing_failure is not None or replaced:
        return None
    return os.fsdecode(tree).strip()


def has_submodules(folder: Path, revision: str) -> bool:
    """Whether files of other repositories belong to a revision. Raises RepositoryUnreadable."""
    return any(entry.is_submodule for entry in _list_entries(find_repository_root(folder), revision))


def read_exported_paths(top: Path) -> tuple[str, ...] | None:
    """The files that the tree in this folder has, sorted; None if `export_revision` did not make it."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        file = top / LIST_FILE
        if file.is_file():
            return tuple(json.loads(file.read_text("ascii"))[LIST_KEY])
    return None


def _list_entries(top: Path, revision: str, *paths: str) -> list[TreeEntry]:
    arguments = ("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", revision, *paths)
    output, failure = run_git_on_bytes(top, *arguments)
    if failure is not None:
        raise _unreadable_revision(revision, failure)
    return [entry for line in output.split(b"\0") if line and _is_safe(entry := _parse_entry(line))]


def _parse_entry(line: bytes) -> TreeEntry:
    """`100644 blob <id><tab><path>`."""
    description, _, path = os.fsdecode(line).partition("\t")
    mode, _, object_id = description.split()
    return TreeEntry(mode, object_id, path)


def _is_safe(entry: TreeEntry) -> bool:
    """Whether the path stays below the target; git itself writes no other, but a stranger may have."""
    parts = entry.path.split("/")
    return not {"", ".", ".."} & {*parts} and parts[0].lower() != ".git"


def _drop_long_files(top: Path, entries: Sequence[TreeEntry]) -> list[TreeEntry]:
    """The entries without files of more than `MAX_FILE_BYTES`."""
    lines = _ask_for_objects(top, "--batch-check", entries).splitlines()
    short_files = []
    for entry, line in zip(entries, lines, strict=True):
        words = line.split()
        if len(words) != 3:  # `<id> missing`
            raise _unreadable_file(f"it lacks {entry.path}")
        if int(words[2]) <= MAX_FILE_BYTES:
            short_files.append(entry)
    return short_files


def _read_contents(top: Path, entries: Sequence[TreeEntry]) -> Iterator[bytes]:
    output = _ask_for_objects(top, "--batch", entries)
    position = 0
    for _ in entries:  # `<id> blob <size>`, a line end, the content, a line end
        end = output.index(b"\n", position)
        position = end + 1 + int(output[position:end].split()[2]) + 1
        yield output[end + 1 : position - 1]


def _ask_for_objects(top: Path, option: str, entries: Sequence[TreeEntry]) -> bytes:
    ids = "".join(f"{entry.object_id}\n" for entry in entries).encode("ascii")
    if not ids:
        return b""
    output, failure = run_git_on_bytes(top, "cat-file", option, stdin=ids)
    if failure is not None:
        raise _unreadable_file(str(failure.failure))
    return output


def _unreadable_file(reason: str) -> RepositoryUnreadable:
    return RepositoryUnreadable(
        f"git could not read the files of a commit: {reason}.",
        advice="A partial clone may lack them: give actions/checkout no `filter:`.",
    )


def _write_entries(top: Path, entries: Sequence[TreeEntry], target: Path) -> None:
    """Write files and links, in this order, some of them at once."""
    for start in range(0, len(entries), BATCH_FILES):
        batch = _drop_long_files(top, entries[start : start + BATCH_FILES])
        for entry, content in zip(batch, _read_contents(top, batch), strict=True):
            _write_entry(target / entry.path, entry, content)


def _write_entry(file: Path, entry: TreeEntry, content: bytes) -> None:
    with suppress(FileExistsError, NotADirectoryError):  # two names that this file system takes for one
        file.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_link:
            file.symlink_to(os.fsdecode(content))
            return
        with file.open("xb") as stream:
            stream.write(content)
        if entry.mode == PROGRAM_MODE:
            file.chmod(0o755)


def _place_submodule(top: Path, entry: TreeEntry, place: Path) -> None:
    """Link the one that is checked out if that is it, or nobody knows more; else write its commit's tree."""
    checked_out = top / entry.path
    if not checked_out.is_dir() or checked_out.is_symlink():
        return
    with suppress(FileExistsError, NotADirectoryError):
        place.parent.mkdir(parents=True, exist_ok=True)
        if _is_at_commit(checked_out, entry.object_id):
            place.symlink_to(checked_out, target_is_directory=True)
            return
        place.mkdir()
        try:
            export_revision(checked_out, entry.object_id, place)
        except RepositoryUnreadable as error:
            raise RepositoryUnreadable(
                f"The submodule `{entry.path}` stood at commit {entry.object_id[:12]} there, which is not "
                "here: fetch the submodule with its history.",
                advice="Give actions/checkout `fetch-depth: 0` beside `submodules:` "
                "(GitLab: `GIT_SUBMODULE_DEPTH: 0`).",
            ) from error


def _is_at_commit(checked_out: Path, commit: str) -> bool:
    """Whether a submodule is at that commit, or was never fetched, so that nothing of it can be used."""
    if not (checked_out / ".git").exists():
        return True
    output, failure = run_git_on_bytes(checked_out, "rev-parse", "--verify", "--quiet", "HEAD")
    return failure is None and output.strip() == commit.encode("ascii")


def _unreadable_revision(revision: str, failure: GitOutput) -> RepositoryUnreadable:
    if not failure.is_git_error:
        return RepositoryUnreadable(f"git could not be run: {failure.failure}", advice="Install git.")
    return RepositoryUnreadable(
        f"git has no revision {revision} here: {failure.failure}",
        advice="In a shallow clone it may be missing: fetch the whole history (`fetch-depth: 0`).",
    )
