"""What is said of an interpreter that ended, or hung, without finishing its answer."""

from __future__ import annotations

import re
import signal

from migration_gate.worker.protocol import ErrorReport, FailedStage, Frame, RunFailed

SHOWN = 3000
"""characters of what was printed last"""
FRAME = re.compile(r'  File "(.+)", line \d+ in ')
FOREIGN = re.compile(
    r"^<|/site-packages/(alembic|sqlalchemy|greenlet)/|/migration_gate/worker/|/worker/\w+\.py$"
    r"|/lib/python3\.\d+/(?!site-packages)"
)
"""frames that say nothing about the project's own code"""
INTERPRETER_ENDED = "InterpreterEnded"
"""the kind of such a failure"""
ADVICE = "A call of os._exit, a crash in a C extension or too little memory end an interpreter like this."


def describe_exit(status: int) -> str:
    """How a process ended, from the status that its keeper gave (128 + signal when it was killed)."""
    if status <= 128:
        return f"ended with exit status {status}"
    try:
        name = signal.Signals(status - 128).name
    except ValueError:
        name = "unknown"
    return f"was killed by signal {status - 128} ({name})"


def last_output(output: str) -> str:
    """The end of what was printed, whole lines, without the frames of our own and of Alembic's."""
    text = remove_foreign_frames(output)
    if len(text) <= SHOWN:
        return text
    return text[-SHOWN:].partition("\n")[2] or text[-SHOWN:]


def remove_foreign_frames(output: str) -> str:
    """What was printed, and of the interpreter's own dumps the frames that are the project's."""
    return "\n".join(line for line in output.splitlines() if not _foreign(line))


def _foreign(line: str) -> bool:
    frame = FRAME.match(line)
    return line.startswith("Extension modules: ") or (
        frame is not None and FOREIGN.search(frame[1]) is not None
    )


def build_failure_line(stage: FailedStage, revision: str | None, message: str, output: str) -> RunFailed:
    """The line of the answer that the worker could not write any more: what it did has failed."""
    error = ErrorReport(message, INTERPRETER_ENDED, hint=ADVICE, frames=_fatal_error_frames(output))
    return RunFailed(stage, error, revision)


def _fatal_error_frames(output: str) -> tuple[Frame, ...]:
    """The project's frames of the fatal error that the interpreter printed last, outermost first."""
    dump = output.rpartition("Fatal Python error")[2] if "Fatal Python error" in output else ""
    rows = re.findall(r'^  File "(.+)", line (\d+) in (.+)$', dump, re.MULTILINE)
    frames = [Frame(file, int(line), function) for file, line, function in rows if not FOREIGN.search(file)]
    return tuple(reversed(frames))
