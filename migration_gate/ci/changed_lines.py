"""Which lines of its files a change adds or edits, from the diff that git prints."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from migration_gate.facts import ChangedFile, LineRange
from migration_gate.git.git_command import find_repository_root, run_git

_DIFF_OPTIONS = (
    "--patch",
    "--unified=0",
    "--find-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_HUNK = re.compile(r"@@ -\d+(?:,(?P<removed>\d+))? \+(?P<start>\d+)(?:,(?P<added>\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED_CHARACTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))
_NO_FILE = "/dev/null"
_WHOLE_FILE = (LineRange(1, None),)


def read_changed_lines(
    folder: Path, base: str, untracked: Iterable[str] | None = None
) -> tuple[ChangedFile, ...]:
    """The lines that differ between the commit `base` and HEAD; none where git cannot say.

    With `untracked`, the new files that git does not track yet, it is the work tree that is compared. Lines
    of a file that was renamed are those that were edited besides.
    """
    top = find_repository_root(folder)
    if untracked is None:
        output = run_git(top, "diff-tree", "-r", *_DIFF_OPTIONS, base, "HEAD")
    else:
        output = run_git(top, "diff-index", *_DIFF_OPTIONS, base)
    new_files = (ChangedFile(path, _WHOLE_FILE) for path in untracked or ())
    return (*parse_diff(output.text), *new_files)


def parse_diff(text: str) -> tuple[ChangedFile, ...]:
    """The lines in the output of `git diff --unified=0`, each file once.

    A file has no lines if it was deleted or renamed only, or is no text.
    """
    ranges_by_path: dict[str, list[LineRange]] = {}
    path = None
    lines = iter(text.split("\n"))  # (not `splitlines`, which breaks lines at other characters too)
    for line in lines:
        if line.startswith("+++ "):
            path = _parse_path(line.removeprefix("+++ "))
        elif (hunk := _HUNK.match(line)) is not None:
            _skip_content(lines, _read_count(hunk["removed"]) + _read_count(hunk["added"]))
            if path is not None:
                ranges_by_path.setdefault(path, []).append(_make_range(hunk))
    return tuple(ChangedFile(path, tuple(ranges)) for path, ranges in ranges_by_path.items())


def _skip_content(lines: Iterator[str], count: int) -> None:
    """Skip the lines of a hunk, whose text may look like a header."""
    while count > 0:
        line = next(lines, None)
        if line is None:
            return
        if not line.startswith("\\"):  # `\ No newline at end of file` is no line of the file
            count -= 1


def _make_range(hunk: re.Match[str]) -> LineRange:
    """The lines of the new file; where there are none, `start` is the line above the gap."""
    start, added = int(hunk["start"]), _read_count(hunk["added"])
    return LineRange(start, start + added - 1) if added else LineRange(start + 1, start)


def _read_count(text: str | None) -> int:
    return 1 if text is None else int(text)


def _parse_path(name: str) -> str | None:
    """The path in a header; None if the file was deleted."""
    if name == _NO_FILE:
        return None
    if name.startswith('"'):
        name = _unquote(name.rpartition('"')[0].removeprefix('"'))
    else:
        name = name.removesuffix("\t")  # git ends a path that holds a space with a tab
    return name.removeprefix("b/")


def _unquote(name: str) -> str:
    """A path that git wrote as a string of C: special characters and bytes that are no ASCII are escaped."""
    return os.fsdecode(_ESCAPE.sub(_resolve_escape, os.fsencode(name)))


def _resolve_escape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if len(code) == 3:
        return bytes([int(code, 8)])
    return bytes([_ESCAPED_CHARACTERS.get(code[0], code[0])])
