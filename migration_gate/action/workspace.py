"""Writes files into the workspace as root, although a pull request may have put links there that lead out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from migration_gate.errors import Misconfigured

OWN_FOLDER = ".migration-gate"
FILE_MODE = 0o644


def write_workspace_file(workspace: Path, name: str, text: str, input_name: str) -> str:
    """Write a file in the workspace, and return its path from there.

    The file belongs to the owner of the workspace. No link is followed out of the workspace, and a link with
    the name of the file is replaced. Raises Misconfigured, which names the input.
    """
    top = workspace.resolve()
    try:
        file = (top / name).parent.resolve() / Path(name).name
        if not file.is_relative_to(top) or file == top:
            raise Misconfigured(
                f"The file `{name}` would be outside of the workspace.",
                where=f"with: {input_name}",
                advice="Give a path from the top of the repository.",
            )
        _create_folders(file.parent, top)
        _ignore_own_folder(file.parent)
        _replace_file(file, text, top)
    except OSError as error:
        raise Misconfigured(
            f"The report could not be written to {name}: {error.strerror or error}.",
            where=f"with: {input_name}",
            advice="Give a file in a folder that may be written to.",
        ) from error
    return str(file.relative_to(top))


def _create_folders(folder: Path, top: Path) -> None:
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        _copy_owner(top, parent)


def _ignore_own_folder(folder: Path) -> None:
    """Keep the files in our own folder out of the user's commits."""
    ignore_file = folder / ".gitignore"
    if folder.name == OWN_FOLDER and not ignore_file.exists() and not ignore_file.is_symlink():
        _replace_file(ignore_file, "*\n", folder)


def _replace_file(file: Path, text: str, owner: Path) -> None:
    """Write a new file for the owner of `owner`, and move it over whatever has the name, a link too."""
    descriptor, temporary_name = tempfile.mkstemp(prefix=".migration-gate-", dir=file.parent)
    temporary = Path(temporary_name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
        temporary.chmod(FILE_MODE)
        _copy_owner(owner, temporary)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _copy_owner(source: Path, target: Path) -> None:
    """Give what root created to the owner of `source`: a self-hosted runner has to delete it later."""
    if os.geteuid() == 0:
        owner = source.stat()
        os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=False)
