"""Where the revisions that a change edits are at the base, so that they are tried there, too.

What such a revision did before, or lacked, is old; without a trial at the base it would be new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from migration_gate.scan.revision_files import read_revision_file


def find_earlier_files(
    tree: Path, checkout: Path, edited_paths: Iterable[str], changed_paths: Sequence[str]
) -> Iterator[str]:
    """The base's paths of edited revisions: the same, or that of a deleted file with their identifier.

    tree, checkout: folders with the base's files and with the change. edited_paths: files that the change
    adds or edits; changed_paths: these, and those that it deletes; relative to both folders.
    """
    moved = set()
    for path in edited_paths:
        if not (tree / path).is_file():
            moved.add(_read_identifier(checkout, path))
        elif _read_identifier(tree, path) is not None:
            yield path
    moved.discard(None)
    for path in changed_paths if moved else ():
        if not (checkout / path).exists() and _read_identifier(tree, path) in moved:
            yield path


def _read_identifier(folder: Path, path: str) -> str | None:
    """The revision in a file; None if it is none, or cannot be read."""
    if not path.endswith(".py") or not (folder / path).is_file():
        return None
    source = read_revision_file(folder / path, path)
    return source.file.revision if source is not None else None
