"""Removes the folders of a run where the gate is killed, at whatever moment.

A shell waits until nobody holds its standard input open any more: neither the gate nor a supervisor, which
stops a server first. Then it removes the folders. The gate names a folder before it makes that, so that none
can be missed. It is a shell because that starts in a millisecond.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SHELL = "/bin/sh"
SCRIPT = """\
trap '' HUP INT TERM
while IFS= read -r folder; do
    [ "$folder" ] || exit 0
    set -- "$@" "$folder"
done
for attempt in 1 2 3 4 5; do
    rm -rf -- "$@" && exit 0
    sleep 1
done
"""
"""reads folders, one a line; an empty line: there is nothing to remove. A process that still writes to a
folder keeps it from being removed at first"""
NAME = "migration-gate-remover"
"""of the shell, in lists of processes"""


class FolderRemover:
    """The running shell."""

    def __init__(self, first_folder: Path) -> None:
        """Start it. Raises OSError if there can be no process, or no shell."""
        process = subprocess.Popen(
            [SHELL, "-c", SCRIPT, NAME, str(first_folder.absolute())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env={"PATH": os.defpath},
            start_new_session=True,  # Ctrl-C at the terminal is for the gate
        )
        if process.stdin is None:
            raise TypeError("the shell is started with a pipe")
        self._process, self._folders = process, process.stdin

    @property
    def descriptor(self) -> int:
        """Of the pipe: who has it open delays the removal."""
        return self._folders.fileno()

    def add_folder(self, folder: Path) -> None:
        """Have this folder removed as well; one whose name has several lines is not."""
        line = os.fsencode(folder.absolute())
        if b"\n" not in line:
            with suppress(OSError):
                self._folders.write(line + b"\n")

    def cancel(self) -> None:
        """End it: there is nothing to remove any more."""
        with suppress(OSError):
            self._folders.write(b"\n")
        with suppress(OSError):
            self._folders.close()
        self._process.wait()


_removers: list[FolderRemover] = []


@contextmanager
def remove_if_killed(folder: Path) -> Iterator[None]:
    """Have the folder, which need not exist yet, removed if this process is killed before the block ends.

    So are those of `announce_folder`. Where no shell can be started, the next run removes what is left.
    """
    try:
        remover = FolderRemover(folder)
    except OSError:
        yield
        return
    _removers.append(remover)
    try:
        yield
    finally:
        _removers.remove(remover)
        remover.cancel()


def announce_folder(folder: Path) -> None:
    """Say that this folder is going to be made."""
    if _removers:
        _removers[-1].add_folder(folder)


def list_descriptors() -> list[int]:
    """The pipes to the shells of this process: whoever has them open ends before the folders are removed."""
    return [remover.descriptor for remover in _removers]
