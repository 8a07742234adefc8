"""Describes an interpreter that ended, or hung, without finishing its answer."""

from __future__ import annotations

import re
import signal

from migration_gate.worker.protocol.reported_error import ErrorReport, Frame
from migration_gate.worker.protocol.run_lines import FailedStage, RunFailed

SHOWN_OUTPUT = 3000
"""characters of what was printed last"""
FRAME = re.compile(r'  File "(.+)", line \d+ in ')
"""as faulthandler prints one"""
FATAL_ERROR = "Fatal Python error"
FATAL_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)
FOREIGN_FILE = re.compile(
    r"^<|/site-packages/(alembic|sqlalchemy|greenlet)/|/migration_gate/worker/|/migration_gate_worker/"
    r"|/lib/python3\.\d+/(?!site-packages)"
)
"""files whose frames say nothing about the project's own code"""
OWN_SIGNALS = frozenset(
    getattr(signal, name)
    for name in ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP")
    if hasattr(signal, name)
)
"""what ends an interpreter for its own faults; every other signal comes from outside"""
LOWEST_SIGNAL_STATUS = 128
"""an exit status above it means: killed by the signal of the rest"""
INTERPRETER_ENDED = "InterpreterEnded"
"""stands in place of an exception's class"""
ADVICE = "A call of os._exit, a crash in a C extension or too little memory end an interpreter like this."


def describe_exit(status: int) -> str:
    """How a process ended: `ended with exit status 7`, `was killed by signal 11 (SIGSEGV)`.

    `status` is the sandbox's, which adds 128 to the number of a signal; negative if one killed it itself.
    """
    if 0 <= status <= LOWEST_SIGNAL_STATUS:
        return f"ended with exit status {status}"
    number = -status if status < 0 else status - LOWEST_SIGNAL_STATUS
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    return f"was killed by signal {number} ({name})"


def is_own_end(status: int) -> bool:
    """Whether the project's code may have ended its interpreter: by an exit, or by a crash of its own.

    `status` as for `describe_exit`. If it is false something outside of the project ended it.
    """
    if status < 0:  # the sandbox itself was killed, which nothing below it may do
        return False
    return status <= LOWEST_SIGNAL_STATUS or status - LOWEST_SIGNAL_STATUS in OWN_SIGNALS


def last_output(output: str) -> str:
    """The end of what was printed, in whole lines, without frames of foreign code."""
    text = remove_foreign_frames(output)
    if len(text) <= SHOWN_OUTPUT:
        return text
    end = text[-SHOWN_OUTPUT:]
    return end.partition("\n")[2] or end


def remove_foreign_frames(output: str) -> str:
    """What was printed, without the frames in the interpreter's own dumps that are not the project's."""
    return "\n".join(line for line in output.splitlines() if not _is_foreign_line(line))


def _is_foreign_line(line: str) -> bool:
    if line.startswith("Extension modules: "):
        return True
    frame = FRAME.match(line)
    return frame is not None and FOREIGN_FILE.search(frame[1]) is not None


def build_failure_line(stage: FailedStage, revision: str | None, message: str, output: str) -> RunFailed:
    """The line of the answer that the worker could not write any more, because its interpreter ended."""
    error = ErrorReport(message, INTERPRETER_ENDED, hint=ADVICE, frames=_list_fatal_frames(output))
    return RunFailed(stage, error, revision)


def _list_fatal_frames(output: str) -> tuple[Frame, ...]:
    """The project's frames of the fatal error that the interpreter printed last, outermost first."""
    if FATAL_ERROR not in output:
        return ()
    dump = output.rpartition(FATAL_ERROR)[2]
    frames = [
        Frame(file, int(line), function)
        for file, line, function in FATAL_FRAME.findall(dump)
        if not FOREIGN_FILE.search(file)
    ]
    return tuple(reversed(frames))
