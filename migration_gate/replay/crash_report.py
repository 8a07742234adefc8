"""Describes an interpreter that ended, or hung, without finishing its answer."""

from __future__ import annotations

import re

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
INTERPRETER_ENDED = "InterpreterEnded"
"""stands in place of an exception's class"""
ADVICE = "A call of os._exit, a crash in a C extension or too little memory end an interpreter like this."


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
