"""The contents of files at a commit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from migration_gate.git.git_command import find_repository_root, run_git_on_bytes

HEADER_WORDS = 3
"""id, kind and size; of what git does not have it says `missing` alone"""


def read_versions(folder: Path, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
    """The contents by path, from the top of the repository; without files that git cannot show."""
    readable = [path for path in paths if "\n" not in path]  # a name ends with its line
    if not readable:
        return {}
    names = b"".join(os.fsencode(f"{commit}:{path}\n") for path in readable)
    output, failure = run_git_on_bytes(find_repository_root(folder), "cat-file", "--batch", stdin=names)
    return {} if failure is not None else _split_output(output, readable)


def _split_output(output: bytes, paths: Sequence[str]) -> dict[str, bytes]:
    """Of each: `<id> blob <size>`, a line end, the content, a line end."""
    contents = {}
    position = 0
    for path in paths:
        end = output.index(b"\n", position)
        words = output[position:end].split()
        position = end + 1
        if len(words) == HEADER_WORDS and words[2].isdigit():
            size = int(words[2])
            contents[path] = output[position : position + size]
            position += size + 1
    return contents
