"""Times whole processes on synthetic projects: the gate, plain Alembic, pytest-alembic. See README.md.

python benchmarks/replay/run.py --sizes 5 100 500 --repeat 5
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.replay.synthetic import write, write_models  # noqa: E402
from migration_gate.postgres.choice import start_server  # noqa: E402
from migration_gate.postgres.server import Server  # noqa: E402

RATIO_AT_500 = 1.5
SECONDS_MORE_AT_5 = 0.7
LINEAR = 1.5
"""how much dearer one more revision may be between the largest sizes than between the smallest"""
SIDES = ("plain", "gate", "pytest-alembic")
CHANGE_SIDES = ("change", "change, rolled back")
"""the gate on a project whose last revisions are the change: without their rollback, and with it"""
UNOBSERVED = "change, unobserved"
"""the first of these without the observation of locks and without the rehearsal with rows"""
OBSERVATION_SECONDS = 1.5
"""how much those two may add, with 500 revisions before the change"""
CHANGED_REVISIONS = 5
ROLLBACK_SHARE = 0.10
"""how much of a run the rollback of these revisions may add, with 500 before them"""
CHECKPOINT = "checkpoint"
"""the gate on the change, from the state that the turn before has kept"""
EDITED_MODELS = "checkpoint, models"
"""the same where no revision is new, and another line of a module of models is edited in each turn"""
UNCHANGED = "checkpoint, no change"
"""the same where another file is edited that env.py does not import: an earlier run has found all of it"""
CHECKPOINT_RATIO_AT_500 = 0.8
FROM_CHECKPOINT = (CHECKPOINT, EDITED_MODELS, UNCHANGED)
WARMING_TURNS = 2
EDITED_FILES = {EDITED_MODELS: "models.py", UNCHANGED: "views.py"}
"""which file is edited before each run, in a copy of the project"""
CHECKPOINT_GROWTH = 1.5
"""of a run from a checkpoint, from the smallest to the largest size from 100 on"""
FROM_SCRATCH = ("--checkpoint", "off")
OBSERVED_CHECKS = ("blocking-change", "work-under-lock")
"""what the last revisions are rightly told: they block no run here"""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share."""

    server: Server
    python: Path
    gate: Path

    def build_command(self, side: str, project: Path) -> list[str]:
        """What a person would type in the project's folder."""
        check = [str(self.gate), "check", str(project)]
        return {
            "plain": [str(self.python), "-m", "alembic", "upgrade", "head"],
            "gate": [*check, *FROM_SCRATCH],
            "change": [*check, *FROM_SCRATCH, "--base", "HEAD~", "--rollback", "off"],
            "change, rolled back": [*check, *FROM_SCRATCH, "--base", "HEAD~"],
            UNOBSERVED: [*check, *FROM_SCRATCH, "--base", "HEAD~", "--rollback", "off", "--observe", "off"],
            CHECKPOINT: [*check, "--checkpoint", "auto", "--base", "HEAD~"],
            EDITED_MODELS: [*check, "--checkpoint", "auto", "--base", "HEAD"],
            UNCHANGED: [*check, "--checkpoint", "auto", "--base", "HEAD"],
            "pytest-alembic": [str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        }[side]

    def build_environment(self, database: str) -> dict[str, str]:
        """This process's environment, with the database and the project's interpreter."""
        server = self.server
        who = f"{quote(server.user)}:{quote(server.password)}"
        url = (
            f"postgresql+psycopg://{who}@/{database}?host={quote(server.socket_directory)}&port={server.port}"
        )
        outside = {name: text for name, text in os.environ.items() if name != "CI"}
        return {**outside, "DATABASE_URL": url, "MIGRATION_GATE_PYTHON": str(self.python)}

    def measure_run(self, side: str, project: Path) -> float:
        """How long one run takes, on an empty database of its own; ends the benchmark when the run fails."""
        database = self.server.create_database()
        edited = project / EDITED_FILES[side] if side in EDITED_FILES else None
        text = edited.read_text("utf-8") if edited is not None else ""
        if edited is not None:
            edited.write_text(f"{text}# edited at {time.time_ns()}\n", "utf-8")
        try:
            began = time.perf_counter()
            done = subprocess.run(
                self.build_command(side, project),
                cwd=project,
                # A person's variables are the same in each run; a checkpoint fits no others.
                env=self.build_environment(CHECKPOINT if side in FROM_CHECKPOINT else database),
                capture_output=True,
                text=True,
                check=False,
            )
            took = time.perf_counter() - began
        finally:
            if edited is not None:
                edited.write_text(text, "utf-8")
            with self.server.connect() as connection:
                connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)'.encode())
        if done.returncode:
            words = done.stdout[-4000:] + done.stderr[-4000:]
            sys.exit(f"{side} ended with {done.returncode} on {project}:\n{words}")
        return took


def write_project(folder: Path, revisions: int, settled: int = 0) -> Path:
    """The project of that size, in git as projects are, and readable for an unprivileged worker."""
    project = folder / f"revisions-{revisions}"
    write(project, revisions, settled=settled)
    git = ["git", "-C", str(project), "-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    commit = [*git, "-c", "commit.gpgsign=false", "commit", "--quiet", "--message"]
    new = sorted((project / "migrations" / "versions").glob("*.py"))[-CHANGED_REVISIONS:]
    levels = "".join(f"  {check}: note\n" for check in OBSERVED_CHECKS)
    (project / ".migration-gate.yml").write_text(f"checks:\n{levels}", "utf-8")
    # As in any project: byte code that the plain runs leave is no part of the change.
    (project / ".gitignore").write_text("__pycache__/\n", "utf-8")
    (project / "views.py").write_text("def show():\n    return 1\n", "utf-8")
    models = project / "models.py"
    of_head = models.read_text("utf-8")
    models.write_text(write_models(revisions - CHANGED_REVISIONS, settled=settled), "utf-8")
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "reset", "--quiet", "--", *map(str, new)], check=True)
    subprocess.run([*commit, "base"], check=True)
    models.write_text(of_head, "utf-8")
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*commit, "change"], check=True)
    return project


def place_project(project: Path, side: str) -> Path:
    """The project; a copy for a side that edits it, with checkpoints of its own."""
    if side not in EDITED_FILES:
        return project
    copy = project.with_name(f"{project.name}-{side.replace(', ', '-').replace(' ', '-')}")
    shutil.copytree(project, copy, symlinks=True)
    return copy


def measure_sides(bench: Bench, project: Path, sides: Sequence[str], repeat: int) -> dict[str, list[float]]:
    """Seconds of each side. They take turns, so that a busy moment hits all; the first two are not kept.

    What a run from a checkpoint keeps is of use from the third on.
    """
    taken: dict[str, list[float]] = {side: [] for side in sides}
    places = {side: place_project(project, side) for side in sides}
    for turn in range(-WARMING_TURNS, repeat):
        for side in sides if turn >= -1 else [side for side in sides if side in FROM_CHECKPOINT]:
            seconds = bench.measure_run(side, places[side])
            if turn >= 0:
                taken[side].append(seconds)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return taken


def median_of_pairs(taken: Mapping[str, Sequence[float]], side: str, against: str) -> tuple[float, float]:
    """Medians, over the turns, of the ratio and of the difference in seconds."""
    both = list(zip(taken[side], taken[against], strict=True))
    return statistics.median(a / b for a, b in both), statistics.median(a - b for a, b in both)


def print_table(results: Mapping[int, Mapping[str, Sequence[float]]], sides: Sequence[str]) -> None:
    """Print the medians, and the gate against plain Alembic where both were measured."""
    compared = {"gate", "plain"} <= set(sides)
    print(f"{'revisions':>9}", *(f"{side:>23}" for side in sides), sep="", end="")
    print(f"{'gate/plain':>12}{'gate-plain':>14}" if compared else "")
    for size, taken in results.items():
        print(f"{size:>9}", *(f"{statistics.median(taken[side]):21.2f} s" for side in sides), sep="", end="")
        ratio, more = median_of_pairs(taken, "gate", "plain") if compared else (0.0, 0.0)
        print(f"{ratio:12.2f}{more:12.2f} s" if compared else "")


def seconds_per_revision(
    results: Mapping[int, Mapping[str, Sequence[float]]], side: str, fewer: int, more: int
) -> float:
    """Seconds that one more revision takes between two sizes."""
    few, many = (statistics.median(results[size][side]) for size in (fewer, more))
    return (many - few) / (more - fewer)


def list_checkpoint_targets(
    results: Mapping[int, Mapping[str, Sequence[float]]], sides: Sequence[str]
) -> Iterator[tuple[str, float, float]]:
    """The targets of runs from a checkpoint: what was measured, the value, and its limit."""
    large = sorted(size for size in results if size >= 100)
    for side in [side for side in FROM_CHECKPOINT if side in sides]:
        if "plain" in sides and 500 in results:
            ratio = median_of_pairs(results[500], side, "plain")[0]
            yield f"500 revisions, {side} / plain", ratio, CHECKPOINT_RATIO_AT_500
        if len(large) > 1:
            least, most = (statistics.median(results[size][side]) for size in (large[0], large[-1]))
            yield f"{side}, {large[-1]} / {large[0]} revisions", most / least, CHECKPOINT_GROWTH


def list_change_targets(
    results: Mapping[int, Mapping[str, Sequence[float]]], sides: Sequence[str]
) -> Iterator[tuple[str, float, float, str]]:
    """The targets of a change after 500 revisions: what, its value, its limit, their unit."""
    if 500 not in results:
        return
    if set(CHANGE_SIDES) <= set(sides):
        rolled_back = median_of_pairs(results[500], CHANGE_SIDES[1], CHANGE_SIDES[0])[0]
        what = f"rollback of {CHANGED_REVISIONS} revisions after 500, share"
        yield what, rolled_back - 1, ROLLBACK_SHARE, ""
    if {UNOBSERVED, CHANGE_SIDES[0]} <= set(sides):
        more = median_of_pairs(results[500], CHANGE_SIDES[0], UNOBSERVED)[1]
        yield f"observing {CHANGED_REVISIONS} revisions after 500", more, OBSERVATION_SECONDS, " s"


def print_targets(results: Mapping[int, Mapping[str, Sequence[float]]], sides: Sequence[str]) -> bool:
    """Print each target that was measured, and whether all of them are met."""
    met: list[bool] = []

    def say(what: str, value: float, limit: float, unit: str) -> None:
        met.append(value <= limit)
        print(f"{'met   ' if met[-1] else 'MISSED'}  {what}: {value:.2f}{unit}, at most {limit:.2f}{unit}")

    if {"gate", "plain"} <= set(sides):
        if 500 in results:
            say(
                "500 revisions, gate / plain",
                median_of_pairs(results[500], "gate", "plain")[0],
                RATIO_AT_500,
                "",
            )
        if 5 in results:
            say(
                "5 revisions, gate - plain",
                median_of_pairs(results[5], "gate", "plain")[1],
                SECONDS_MORE_AT_5,
                " s",
            )
    for change_target in list_change_targets(results, sides):
        say(*change_target)
    for target in list_checkpoint_targets(results, sides):
        say(*target, "")
    sizes = sorted(results)
    if "gate" in sides and len(sizes) > 2:
        first, last = (
            seconds_per_revision(results, "gate", *sizes[:2]),
            seconds_per_revision(results, "gate", *sizes[-2:]),
        )
        print(f"        one more revision: {first * 1000:.1f} ms at first, {last * 1000:.1f} ms at last")
        say("linear, last / first", last / max(first, 0.0001), LINEAR, "")
    if {"gate", "pytest-alembic"} <= set(sides):
        for size in sizes:
            say(
                f"{size} revisions, gate / pytest-alembic",
                median_of_pairs(results[size], "gate", "pytest-alembic")[0],
                1,
                "",
            )
    return all(met)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 100, 500], help="numbers of revisions")
    parser.add_argument(
        "--settled", type=int, default=0, help="the revision from which on the schema does not grow"
    )
    parser.add_argument("--repeat", type=int, default=5, help="measured turns")
    parser.add_argument(
        "--sides",
        nargs="+",
        choices=[*SIDES, *CHANGE_SIDES, UNOBSERVED, *FROM_CHECKPOINT],
        default=list(SIDES),
    )
    parser.add_argument(
        "--python", type=Path, default=ROOT / ".venvs/bench/bin/python", help="the projects' own"
    )
    parser.add_argument("--gate", type=Path, default=Path(sys.executable).parent / "migration-gate")
    parser.add_argument(
        "--postgres", default="auto", help="the server for the others, as in the configuration"
    )
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    return parser.parse_args()


def main() -> int:
    """Run the benchmark; 0 when every target that was measured is met."""
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="replay-benchmark-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        with start_server(options.postgres, folder=folder) as server:
            bench = Bench(server, options.python.absolute(), options.gate.absolute())
            print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {server.description}")
            results = {
                size: measure_sides(
                    bench, write_project(folder, size, options.settled), options.sides, options.repeat
                )
                for size in sorted(options.sizes)
            }
    print_table(results, options.sides)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if print_targets(results, options.sides) else 1


if __name__ == "__main__":
    sys.exit(main())
