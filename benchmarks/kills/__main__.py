"""Kills one part of a run at a random moment, again and again. See README.md.

python -m benchmarks.kills --part sandbox --runs 100
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.kills.parts import PARTS, Part
from tests.support.user_project import CREATE, MODELS, World, project, revision, world

PAUSE_SECONDS = 0.002
SECONDS = re.compile(r"\b\d+(\.\d+)? s\b")
TEMPORARY = re.compile(r"migration_gate_[0-9a-f]{12}")
UNDISTURBED_RUNS = 4
"""the first fills caches; the fastest says how long a part lives, on a machine that others use too"""
PYTHON_STARTS = re.compile(r"Fatal Python error: init_\w+")
"""Ctrl-C before the first line of any program: the words are the interpreter's, and nobody can catch it"""
WIDTH = 100
"""columns of a line about a run"""
DRIFT = (
    MODELS + '\n\nclass Note(Base):\n    __tablename__ = "note"\n    id = Column(Integer, primary_key=True)\n'
)
SLOW = 'op.execute("select pg_sleep(0.2)")'


class Run:
    """What one run came to."""

    def __init__(self, status: int, output: str, errors: str) -> None:
        self.status = status
        self.output = TEMPORARY.sub("DB", SECONDS.sub("N s", output))
        self.errors = "\n".join(line for line in errors.splitlines() if not line.endswith("…"))

    @property
    def words(self) -> str:
        """What it says first about a failure."""
        lines = [line.strip() for line in (self.output + "\n" + self.errors).splitlines()]
        telling = [line for line in lines if line and set(line) - set("─━═-=")]
        return " ".join(telling)[:WIDTH]


def run_undisturbed(here: World, part: Part) -> tuple[Run, float]:
    """A run that nothing happens to, and for how many seconds the part is there."""
    process = here.start()
    pid = wait_for_process(here, part.find_owner or part.find, process)
    start = time.perf_counter()
    while pid and process.poll() is None and Path(f"/proc/{pid}/exe").exists():
        time.sleep(PAUSE_SECONDS)
    seconds = time.perf_counter() - start
    output, errors = process.communicate()
    return Run(process.returncode, output, errors), seconds


def run_disturbed(here: World, part: Part, delay: float) -> Run | None:
    """A run in which the part gets its signal `delay` seconds after it is there; None if it never was."""
    process = here.start()
    pid = wait_for_process(here, part.find_owner or part.find, process)
    deadline = time.perf_counter() + delay
    while pid and time.perf_counter() < deadline and process.poll() is None:
        time.sleep(PAUSE_SECONDS)
    if part.find_owner is not None:
        pid = part.find(here, process.pid)
    has_been_sent = bool(pid) and send(pid, part)
    output, errors = process.communicate()
    return Run(process.returncode, output, errors) if has_been_sent else None


def wait_for_process(here: World, find: Callable[[World, int], int], process: subprocess.Popen[str]) -> int:
    """The process that is to be found; 0 if the run ends without it."""
    while process.poll() is None:
        if pid := find(here, process.pid):
            return pid
        time.sleep(PAUSE_SECONDS)
    return 0


def send(pid: int, part: Part) -> bool:
    """Whether the process was still there."""
    try:
        os.kill(pid, part.signal)
    except ProcessLookupError:
        return False
    return True


def judge(run: Run, undisturbed: Run, part: Part) -> str:
    """What is wrong with the outcome; '' if nothing is."""
    said = run.output + run.errors
    if part.signal is signal.SIGINT and PYTHON_STARTS.search(said):
        return ""
    if "Traceback" in said or "The gate broke" in said or "Exception ignored" in said:
        return "a traceback"
    if run.status == undisturbed.status:  # it came too late to matter
        return "" if run.output == undisturbed.output else "another report with the same status"
    if run.status not in part.statuses:
        return f"status {run.status}"
    return "" if part.words.search(" ".join(said.split())) or run.status < 0 else "other words"


def find_leftovers(here: World) -> str:
    """What is left of the run; '' if nothing is."""
    try:
        here.demand_nothing_left()
    except AssertionError:
        files = [str(path.relative_to(here.temporary)) for path in here.temporary.rglob("*")]
        return f"left behind: processes {here.processes()}, files {files[:5]}"
    return ""


def remove_logs(here: World) -> None:
    """The tracebacks of a broken gate, which it leaves for its user."""
    for file in here.temporary.glob("migration-gate-*.log"):
        sys.stdout.write(file.read_text())
        file.unlink()


def kill_repeatedly(part: Part, runs: int, seed: int) -> int:
    """Print what came of each run and a summary; the number of wrong outcomes."""
    generator = random.Random(seed)
    outcomes: collections.Counter[str] = collections.Counter()
    wrong = 0
    with world("k") as here:
        here.lay(project(models_py=DRIFT, one_py=revision("one", None, SLOW + "\n" + CREATE)))
        runs_before = [run_undisturbed(here, part) for _ in range(UNDISTURBED_RUNS)]
        undisturbed, seconds = runs_before[-1][0], min(seconds for _, seconds in runs_before)
        for number in range(runs):
            delay = generator.uniform(0, seconds)
            run = run_disturbed(here, part, delay)
            fault = (judge(run, undisturbed, part) if run else "") or find_leftovers(here)
            remove_logs(here)
            outcomes[f"{run.status}: {run.words}" if run else "it had ended"] += 1
            if fault:
                wrong += 1
                text = f"{run.output}\n{run.errors}" if run else ""
                print(f"## {part.name} {number} after {delay:.3f} s: {fault}\n{text}", flush=True)
    print(f"\n{part.name}, which lives {seconds:.1f} s: {runs} runs, {wrong} wrong")
    for outcome, count in outcomes.most_common():
        print(f"{count:5} {outcome}", flush=True)
    return wrong


def main() -> int:
    """1 where an outcome was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    parts = list(PARTS.values()) if options.part == "all" else [PARTS[options.part]]
    return int(sum(kill_repeatedly(part, options.runs, options.seed) for part in parts) > 0)


if __name__ == "__main__":
    sys.exit(main())
