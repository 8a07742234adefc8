"""Reads one tracked file: never out of the project's folder, and never more than a part of a huge file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass

MAX_FILE_BYTES = 2 * 1024 * 1024
"""bytes of a file that are read"""
_SAMPLE = 8192
"""bytes in which the signs of a binary file are looked for"""
_MAX_CONTROL_SHARE = 0.01
"""share of control characters above which a file that is not UTF-8 is binary"""
_PRINTABLE_CONTROLS = b"\t\n\r\f\x1b"
_ENCODINGS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


@dataclass(frozen=True, slots=True)
class FileContent:
    """What reading a file gave."""

    data: bytes | None = None
    """its first part; None if there is nothing to read: a folder, a link that leads nowhere"""
    size: int = 0
    """bytes of the whole file"""
    unreadable: str = ""
    """why it could not be opened"""
    leaves_project: bool = False
    """it is a link to outside of the project's folder"""
    is_missing: bool = False
    """it is tracked, but not in the work tree: deleted, or left out by a sparse checkout"""

    @property
    def is_cut(self) -> bool:
        """Whether only its first part was read."""
        return self.size > MAX_FILE_BYTES


def read_regular_file(file: Path) -> bytes:
    """All of a file. Raises OSError, also if a link leads to a device or a pipe, which may have no end."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "no regular file")
    return file.read_bytes()


def read_file(project: Path, path: str) -> FileContent:
    """The first MAX_FILE_BYTES of a tracked file; `path` is relative to the project's folder."""
    file = project / path
    try:
        state = file.lstat()
        if stat.S_ISLNK(state.st_mode):
            if not file.resolve().is_relative_to(project.resolve()):
                return FileContent(leaves_project=True)
            state = file.stat()
        if not stat.S_ISREG(state.st_mode):
            return FileContent()
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return FileContent(is_missing=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link to itself
        # Without the path: the same file of the base lies elsewhere.
        reason = getattr(error, "strerror", None) or os.strerror(errno.ELOOP)
        return FileContent(unreadable=f"it could not be opened ({reason})")
    return FileContent(data, state.st_size)


def decode_text(data: bytes) -> str | None:
    """The text of a file, in the encoding that its bytes show; None if it is not text."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            is_cut_in_character = encoding == "utf-16" and len(data) % 2 == 1
            return (data[:-1] if is_cut_in_character else data).decode(encoding, "replace")
    sample = data[:_SAMPLE]
    if b"\0" in sample:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if _is_cut_character(data, error):
            return data[: error.start].decode()
    return None if _has_many_controls(sample) else data.decode("latin-1")


def _is_cut_character(data: bytes, error: UnicodeDecodeError) -> bool:
    """Whether the only fault is that the limit cut the last character."""
    return len(data) == MAX_FILE_BYTES and error.start > MAX_FILE_BYTES - 4


def _has_many_controls(sample: bytes) -> bool:
    controls = sum(byte < 32 and byte not in _PRINTABLE_CONTROLS for byte in sample)
    return controls > len(sample) * _MAX_CONTROL_SHARE
