"""The parts of a run that can be killed, how each is found, and what a run says without it."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.user_project import World

SERVER_WORDS = re.compile(
    r"Postgres server|ended from outside|the process that supervises|did not start|starting .* failed"
)
WORKER_WORDS = re.compile(r"was killed by signal|ended before|that creates the models ended|Postgres server")
INTERRUPTED = re.compile(r"Interrupted; nothing is left behind")


@dataclass(frozen=True, slots=True)
class Part:
    """A process of a run, and the signal that it gets."""

    name: str
    find: Callable[[World, int], int]
    """its id, from the run and the id of the gate; 0 while it is not there"""
    signal: signal.Signals
    statuses: tuple[int, ...]
    """with which the run may end"""
    words: re.Pattern[str]
    """one of them is in its report"""
    find_owner: Callable[[World, int], int] | None = None
    """in whose life the moment is chosen, if there are several processes of the part, each of a short life"""


def list_children(parent: int) -> list[int]:
    """The ids of the processes whose parent it is, oldest first."""
    children = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            children.append(int(path.name))
    return sorted(children)


def read_command(pid: int) -> str:
    """Its command line, as one text; '' if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def find_child(parent: int, pattern: str) -> int:
    """The first child with the pattern in its command line; 0 if there is none."""
    return next((pid for pid in list_children(parent) if re.search(pattern, read_command(pid))), 0)


def find_below(*patterns: str) -> Callable[[World, int], int]:
    """The descendant of the gate that is reached by these patterns, one a generation."""

    def find(_here: World, gate: int) -> int:
        pid = gate
        for pattern in patterns:
            pid = find_child(pid, pattern) if pid else 0
        return pid

    return find


def find_models_worker(here: World, gate: int) -> int:
    """The second interpreter, a child of the first."""
    worker = find_below(SANDBOX, WORKER)(here, gate)
    return next(iter(list_children(worker)), 0) if worker else 0


SUPERVISOR = r"supervisor\.py"
SERVER = r"/postgres -D"
SANDBOX = r"migration_gate/sandbox .*worker/__main__"
QUESTION = r"migration_gate/sandbox (?!.*worker/__main__)"
"""the sandbox of the interpreter that is asked for its packages"""
WORKER = "worker/__main__"
KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT


def find_gate(_here: World, gate: int) -> int:
    """The gate itself."""
    return gate


def part_of_server(name: str, *patterns: str, number: signal.Signals = KILL) -> Part:
    """A process of the server, below its supervisor."""
    return Part(name, find_below(SUPERVISOR, *patterns), number, (3,), SERVER_WORDS)


def part_of_sessions(name: str, number: signal.Signals) -> Part:
    """The process of whichever session there is at a moment of the server's life."""
    part = part_of_server(name, SERVER, r"\[local\]", number=number)
    return replace(part, find_owner=find_below(SUPERVISOR, SERVER))


def part_of_worker(name: str, *patterns: str) -> Part:
    """A process of the project's code, below its sandbox."""
    return Part(name, find_below(SANDBOX, *patterns), KILL, (3,), WORKER_WORDS)


PARTS = {
    part.name: part
    for part in (
        Part("gate-TERM", find_gate, TERM, (143, -TERM), INTERRUPTED),
        Part("gate-INT", find_gate, INT, (130, -INT), INTERRUPTED),
        Part("gate-KILL", find_gate, KILL, (-KILL,), INTERRUPTED),
        part_of_server("supervisor"),
        part_of_server("postmaster", SERVER),
        part_of_sessions("backend", KILL),
        part_of_sessions("backend-TERM", TERM),
        part_of_server("checkpointer", SERVER, "checkpointer"),
        part_of_worker("sandbox"),
        Part("question", find_below(QUESTION), KILL, (3,), WORKER_WORDS),
        part_of_worker("worker", WORKER),
        Part("models-worker", find_models_worker, KILL, (3,), WORKER_WORDS),
    )
}
