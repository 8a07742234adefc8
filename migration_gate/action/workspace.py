"""Writes into the workspace as root, where a pull request may have laid links that lead out of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from migration_gate.errors import Misconfigured


def write_workspace_file(workspace: Path, name: str, text: str, wanted: str) -> str:
    """Write a file below the workspace, for its owner; returns its path from there. Raises Misconfigured.

    Links are not followed out of the workspace, and a link in the file's own place is replaced.
    """
    top = workspace.resolve()
    try:
        file = (top / name).parent.resolve() / Path(name).name
        if not file.is_relative_to(top) or file == top:
            raise Misconfigured(
                f"The file `{name}` would be outside of the workspace.",
                where=f"with: {wanted}",
                advice="Give a path from the top of the repository.",
            )
        _folders(file.parent, top)
        _hide(file.parent)
        _replace(file, text, top)
    except OSError as error:
        raise Misconfigured(
            f"The report could not be written to {name}: {error.strerror or error}.",
            where=f"with: {wanted}",
            advice="Give a file in a folder that may be written to.",
        ) from error
    return str(file.relative_to(top))


def _folders(folder: Path, top: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
        _give(each, top)


def _hide(folder: Path) -> None:
    """Our own folder is nothing for a commit."""
    ignore = folder / ".gitignore"
    if folder.name == ".migration-gate" and not ignore.exists() and not ignore.is_symlink():
        _replace(ignore, "*\n", folder)


def _replace(file: Path, text: str, like: Path) -> None:
    """Put the text in place at once; whatever was there, a link too, is gone."""
    number, temporary = tempfile.mkstemp(prefix=".migration-gate-", dir=file.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        _give(Path(temporary), like)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _give(made: Path, like: Path) -> None:
    """What root made belongs to the workspace's owner: self-hosted runners have to clean it up."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(made, owner.st_uid, owner.st_gid, follow_symlinks=False)
