"""Whole files before and after an edit: made from exact edits of lines, and shown as a diff."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

from migration_gate.facts import SourceEdit
from migration_gate.lazy_dataclass import dataclass

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
"""as Python's tokenizer sees lines; `splitlines` ends them at more characters"""


BYTE_ORDER_MARK = "\ufeff"
"""at the begin of a file; it is no part of its first line"""


@dataclass(frozen=True, slots=True)
class FileText:
    """The content of a file before and after; None before if it is new."""

    path: str
    """relative to the repository"""
    before: bytes | None
    after: bytes


class NotApplicable(Exception):
    """The lines of an edit are not where it expects them; the text says which."""


def apply_edits(path: str, content: bytes, edits: Sequence[SourceEdit]) -> FileText:
    """The file with all of these edits. Raises NotApplicable.

    Edits that are the same count once; of two that touch the same line only the first can be made.
    """
    text = content.decode("utf-8", "surrogateescape")
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    lines = _LINE.findall(text.removeprefix(mark))
    for edit in sorted(dict.fromkeys(edits), key=lambda edit: -edit.first_line):
        first, last = edit.first_line - 1, edit.last_line
        old = tuple(line.rstrip("\r\n") for line in lines[first:last])
        if old != edit.old_lines:
            raise NotApplicable(f"{path}:{edit.first_line} does not read as it did")
        end = lines[first][len(lines[first].rstrip("\r\n")) :] or "\n"
        lines[first:last] = [f"{line}{end}" for line in edit.new_lines]
    return FileText(path, content, "".join((mark, *lines)).encode("utf-8", "surrogateescape"))


def keep_line_ends(before: str, text: str) -> str:
    """A text that was made of `before`, with the line ends that its lines have there.

    `text` may have other ones; a new line gets that of its neighbour. A mark at the begin of `before` stays.
    """
    old, new = _LINE.findall(before), _LINE.findall(text)
    plain_old, plain_new = ([line.rstrip("\r\n") for line in lines] for lines in (old, new))
    first = 0
    while first < min(len(old), len(new)) and plain_old[first] == plain_new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and plain_old[-1 - last] == plain_new[-1 - last]:
        last += 1
    neighbour = (old[max(0, first - 1) : first + 1] or ["\n"])[0]
    end = neighbour[len(neighbour.rstrip("\r\n")) :] or _find_line_end(old)
    middle = [line + end for line in plain_new[first : len(new) - last]]
    start = old[:first]
    if middle and start and not start[-1].endswith(("\r", "\n")):  # the last line had no end
        start[-1] += end
    return "".join([*start, *middle, *old[len(old) - last :]])


def _find_line_end(lines: Sequence[str]) -> str:
    """That of the first line which has one."""
    ends = (line[len(line.rstrip("\r\n")) :] for line in lines)
    return next(filter(None, ends), "\n")


def render_diff(file: FileText) -> str:
    """The edit as a unified diff, which `git apply` and `patch -p1` read."""
    before, after = (
        data.decode("utf-8", "replace").replace("\r\n", "\n").splitlines(keepends=True)
        for data in (file.before or b"", file.after)
    )
    old_name = "/dev/null" if file.before is None else f"a/{file.path}"
    return "".join(_end_lines(difflib.unified_diff(before, after, old_name, f"b/{file.path}")))


def _end_lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n"
