"""Cuts real projects at their newest revisions: what is called new, and what the base costs.

python -m benchmarks.change --corpus FOLDER [NAME ...] [--sizes 1 2 3 5 10] [--repeat 1]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.change.cut_repository import CutRepository, read_prepared_project

NAMES = ("airflow", "dstack", "fides", "keystone", "mlflow", "optuna", "prefect", "superset")
NOTHING_TRIED = ("--rollback", "off", "--observe", "off")
"""the base is examined, and the change judged beside it; its revisions are not run again"""
GATE = (sys.executable, "-m", "migration_gate", "check", ".", "--format", "json", "--checkpoint", "off")


@dataclass(frozen=True, slots=True)
class TimedRun:
    """One run of the gate on a project."""

    report: dict[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Ratios:
    """Times of runs, as multiples of one of the head alone in the same turn."""

    base: float
    """base and head"""
    whole: float
    """with the rollback, the observation and the rehearsal of the change, too"""


def run_gate(folder: Path, *options: str) -> TimedRun:
    """A run of the gate in the folder, and its report on the project."""
    started = time.perf_counter()
    done = subprocess.run([*GATE, *options], cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    try:
        return TimedRun(json.loads(done.stdout)["projects"][0], seconds)
    except (ValueError, KeyError, IndexError):
        raise SystemExit(
            f"{folder}: status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        ) from None


def measure_project(corpus: Path, name: str, sizes: list[int], repeat: int) -> list[Ratios]:
    """Print a line for each cut; what each took beside the head alone."""
    ratios: list[Ratios] = []
    with tempfile.TemporaryDirectory(prefix=f"cut-{name}-") as scratch:
        os.chmod(scratch, 0o755)  # noqa: PTH101
        folder = Path(scratch).resolve() / "project"
        repository = CutRepository(read_prepared_project(corpus, name), folder)
        whole = run_gate(folder)
        files = {revision["id"]: revision["file"] for revision in whole.report["revisions"]}
        order = list(dict.fromkeys(step["revision"] for step in whole.report["steps"]))
        if not order:
            raise SystemExit(f"{name}: {whole.report['problem'] or whole.report['failure']}")
        newest = [files[revision] for revision in reversed(order)]
        commits = repository.commit_cuts(newest, sizes)
        for size, commit in sorted(commits.items()):
            turns = [_run_turn(folder, commit) for _ in range(repeat)]
            measured = _take_medians(turns) if turns else None
            print_cut(name, size, run_gate(folder, "--base", commit), measured)
            ratios += [measured] if measured is not None else []
    return ratios


def _run_turn(folder: Path, commit: str) -> Ratios:
    alone = run_gate(folder).seconds
    base = run_gate(folder, "--base", commit, *NOTHING_TRIED).seconds
    whole = run_gate(folder, "--base", commit).seconds
    return Ratios(base / alone, whole / alone)


def _take_medians(ratios: list[Ratios]) -> Ratios:
    return Ratios(
        statistics.median(item.base for item in ratios), statistics.median(item.whole for item in ratios)
    )


def print_cut(name: str, size: int, run: TimedRun, measured: Ratios | None) -> None:
    """A line of the table, and one for each finding that is new or worse."""
    report = run.report
    counts = Counter(verdict["novelty"] for verdict in report["verdicts"] if not verdict["allowed"])
    numbers = " ".join(f"{novelty or 'unknown'} {number}" for novelty, number in sorted(counts.items()))
    counted = f"{numbers}, fixed {len(report['fixed'])}, blocking {report['counts']['blocking']}"
    times = f", {_describe_ratios(measured)}" if measured is not None else ""
    print(f"{name:9} -{size:<3} {counted}, {run.seconds:.1f} s{times}", flush=True)
    if report["base"]["failure"]:
        print(f"    the base: {report['base']['failure']}")
    old_and_blocking = [item for item in report["verdicts"] if item["novelty"] == "old" and item["blocks"]]
    assert not old_and_blocking, old_and_blocking
    for verdict in report["verdicts"]:
        if verdict["novelty"] in ("new", "worse"):
            kind = f"/{verdict['kind']}" if verdict["kind"] else ""
            print(
                f"    {verdict['novelty']} {verdict['severity']} {verdict['check']}{kind}: {verdict['says']}"
            )


def _describe_ratios(ratios: Ratios) -> str:
    return (
        f"base and head take {ratios.base:.2f} times the head alone, {ratios.whole:.2f} times with rollback, "
        "observation and rehearsal"
    )


def main() -> None:
    """Measure the projects that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--corpus", type=Path, default=os.environ.get("MIGRATION_GATE_CORPUS"))
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 3, 5, 10])
    parser.add_argument("--repeat", type=int, default=1, help="pairs that are timed; 0 for none")
    arguments = parser.parse_args()
    if arguments.corpus is None:
        parser.error("--corpus names the folder into which the recipes were prepared")
    ratios: list[Ratios] = []
    for name in arguments.names:
        ratios += measure_project(arguments.corpus, name, arguments.sizes, arguments.repeat)
    if ratios:
        print(f"{len(ratios)} cuts: {_describe_ratios(_take_medians(ratios))}")


if __name__ == "__main__":
    main()
