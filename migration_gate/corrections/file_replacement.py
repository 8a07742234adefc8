"""Gives files of a project new content: all of them or none, and no reader sees half of one."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

WRITABLE = 0o222
"""the bits of a mode; who has marked a file as one to be read only means it"""


def replace_files(contents: Mapping[Path, bytes | None]) -> None:
    """Give the files these contents; None removes one. Raises OSError, with the files as they were.

    A link stays, and the file to which it leads is replaced; whoever calls has looked where that is.
    """
    files = {path.resolve(): content for path, content in contents.items()}
    earlier = {file: file.read_bytes() if file.exists() else None for file in files}
    with ExitStack() as drafts:
        new_files = {file: _write_draft(file, content, drafts) for file, content in files.items()}
        try:
            for file, draft in new_files.items():
                _put_in_place(file, draft)
        except OSError:
            for file, content in earlier.items():
                _put_in_place(file, _write_draft(file, content, drafts))
            raise


def _write_draft(file: Path, content: bytes | None, drafts: ExitStack) -> Path | None:
    """A new file beside the one that it is going to replace, so that both are on one disk."""
    if content is None:
        return None
    if file.exists() and not file.stat().st_mode & WRITABLE:  # its folder would let it be replaced
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".new", dir=file.parent)
    draft = Path(name)
    drafts.callback(draft.unlink, missing_ok=True)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    if file.exists():
        shutil.copymode(file, draft)
    else:
        draft.chmod(0o666 & ~_read_umask())
    return draft


def _put_in_place(file: Path, draft: Path | None) -> None:
    if draft is None:
        file.unlink(missing_ok=True)
    else:
        draft.replace(file)


def _read_umask() -> int:
    """The mask for the modes of new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
