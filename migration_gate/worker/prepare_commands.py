"""Runs what the user wants to have run before the project is imported: `prepare:` without its SQL."""

from __future__ import annotations

import runpy
import subprocess
import sys

from .protocol.order import PrepareCommand


def run_prepare_command(command: PrepareCommand) -> None:
    """Run a Python file in this interpreter, or a shell command. Raises what it raises."""
    if command.kind == "run":
        subprocess.run(command.text, shell=True, check=True)  # noqa: S602  (the user's own, from the configuration)
        return
    arguments = sys.argv[:]
    sys.argv[:] = [command.text]
    try:
        runpy.run_path(command.text, run_name="__main__")
    except SystemExit as exit_:
        if exit_.code not in (None, 0):
            raise
    finally:
        sys.argv[:] = arguments
