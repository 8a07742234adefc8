"""What the interpreter tells of programs that the project's code starts (PEP 578)."""

from __future__ import annotations

import os
from typing import Any

PROGRAM_EVENTS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec")
"""audit events (PEP 578) of a program that starts, which may connect to the database"""
PROGRAMS_ABOUT_MACHINE = frozenset({"uname", "ldconfig", "gcc", "cc", "ld", "hostname", "locale", "file"})
"""programs that are often started while a project is imported, and say the same in each run: `platform`
starts `file`"""
GIT_VERSION = (["git", "version"], ["git", "--version"])
"""what GitPython asks for when it is imported"""
PROGRAMS_WITHOUT_DATABASE = PROGRAMS_ABOUT_MACHINE | {"git"}


def is_about_machine(arguments: tuple[Any, ...]) -> bool:
    """Whether the program of an audit event says the same in each run."""
    return name_program(arguments) in PROGRAMS_ABOUT_MACHINE or any(
        isinstance(words, (list, tuple)) and list(words) in GIT_VERSION for words in arguments[1:2]
    )


def name_program(arguments: tuple[Any, ...]) -> str:
    """The program of an audit event; '' if that is not known."""
    words = [argument for argument in arguments[:2] if isinstance(argument, (str, bytes, list, tuple))]
    program = words[0] if words else ""
    if isinstance(program, (list, tuple)):
        program = program[0] if program else ""
    try:
        return os.path.basename(os.fsdecode(program))
    except TypeError:  # what the project's own call is going to say
        return ""
