"""Measures the truth with rows, asks the gate without any, and prints how they compare."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks.locks.cases import BASE_UPGRADE, CASES, FILL
from benchmarks.locks.gate_run import SQUAWK, GateRun, ask_squawk
from benchmarks.locks.lock_case import LockCase, write_project
from benchmarks.locks.truth_run import Measurement, measure_migration
from migration_gate.config.settings import Settings
from migration_gate.postgres.choice import start_planned_server, start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server
from migration_gate.progress import ProgressDisplay
from migration_gate.replay.server_preparation import prepare_server

ROWS = 100_000
FEW_ROWS = 1_000
MANY_BLOCKS = 350
"""that a statement reads more with 100,000 rows than with 1,000: the smallest table has 541 of them"""
TRUTH = Path(__file__).with_name("truth.json")
Truth = dict[str, dict[str, str]]
"""by case and major: slow, harmless or fails"""


def run_benchmark(*options: str) -> int:
    """Print the tables; 1 if the gate missed something or gave a false alarm.

    options: `--measure` makes the truth anew, and asks nobody; `--url` gives the gate the server as one of
    the user's own; a number is a major; other words are parts of the names of cases.
    """
    words = [option for option in options if not option.startswith("-") and not option.isdigit()]
    majors = [option for option in options if option.isdigit()] or ["15", "17"]
    cases = [case for case in CASES if not words or any(word in case.key for word in words)]
    truth: Truth = json.loads(TRUTH.read_text()) if TRUTH.exists() else {}
    has_faults = False
    for major in majors:
        with (
            temporary_run_directory() as folder,
            _open_server(major, folder, is_own="--url" not in options) as server,
        ):
            chosen = [case for case in cases if case.since_major <= int(major)]
            if "--measure" in options:
                measure_truth(server, chosen, major, truth)
                continue
            results = [ask(server, folder, case, truth.get(case.key, {}).get(major, "?")) for case in chosen]
        print_results(major, results)
        has_faults = has_faults or any(result.is_fault for result in results)
    return int(has_faults)


@contextmanager
def _open_server(major: str, folder: Path, *, is_own: bool) -> Iterator[Server]:
    """A server of the gate's; or such a one as it would be if the user ran it."""
    settings = Settings(name="locks", root=folder, working_directory=folder, postgres=major)
    with ProgressDisplay() as display:
        plan = display.show_examination(prepare_server(settings))
    with start_planned_server(plan, folder=folder) as server:
        if is_own:
            yield server
            return
        place = f"?host={quote(server.socket_directory, safe='')}&port={server.port}"
        url = f"postgresql://{server.user}:{quote(server.password, safe='')}@/postgres{place}"
        with start_server(url, folder=folder) as users_server:
            yield users_server


def measure_truth(server: Server, cases: list[LockCase], major: str, truth: Truth) -> None:
    """What each case does with 100,000 rows, and with 1,000; written to the file."""
    templates = {rows: _fill_template(server, rows) for rows in (FEW_ROWS, ROWS)}
    for case in cases:
        few, many = (_measure(server, case, templates[rows]) for rows in (FEW_ROWS, ROWS))
        answer = decide(few, many)
        truth.setdefault(case.key, {})[major] = answer
        detail = [(run.blocks, run.is_blocking) for run in many.statements]
        print(f"{major} {answer:8} {case.key} {many.error} {detail}", flush=True)
        TRUTH.write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n")


def decide(few: Measurement, many: Measurement) -> str:
    """slow: a statement that reads the more blocks, the more rows there are, while a lock blocks others."""
    if many.error:
        return "fails"
    if len(few.statements) != len(many.statements):
        raise RuntimeError("the case runs other statements with other rows")
    for small, large in zip(few.statements, many.statements, strict=True):
        if large.is_blocking and large.blocks - small.blocks > MANY_BLOCKS:
            return "slow"
    return "harmless"


def _fill_template(server: Server, rows: int) -> str:
    name = server.create_database()
    case = LockCase("", "", ())
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(case, BASE_UPGRADE, Path(folder) / "project")
        measured = measure_migration(project, _url(server, name), _address(server, name))
    if measured.error:
        raise RuntimeError(measured.error)
    with server.connect(name) as connection:
        for statement in FILL.replace("{rows}", str(rows)).strip().splitlines():
            connection.execute(statement.encode())
        connection.execute("refresh materialized view line_counts")
        connection.execute("vacuum analyze")
    return name


def _measure(server: Server, case: LockCase, template: str) -> Measurement:
    name = f"{server.database_prefix}case"
    server.copy_used_database(template, name)
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(case, BASE_UPGRADE, Path(folder) / "project")
        return measure_migration(project, _url(server, name), _address(server, name))


def _url(server: Server, database: str) -> str:
    place = f"?host={server.socket_directory}&port={server.port}"
    return f"postgresql+psycopg://{server.user}:{server.password}@/{database}{place}"


def _address(server: Server, database: str) -> str:
    return (
        f"host={server.socket_directory} port={server.port} user={server.user} password={server.password} "
        f"dbname={database}"
    )


@dataclass(frozen=True, slots=True)
class Result:
    """A case, the truth, and what was said."""

    case: LockCase
    truth: str
    kinds: tuple[str, ...]
    squawk: tuple[str, ...]
    failure: str

    @property
    def is_fault(self) -> bool:
        """Whether the gate missed it, or called it slow though it is harmless."""
        return (self.truth == "slow" and not self.kinds) or (self.truth == "harmless" and bool(self.kinds))


def ask(server: Server, folder: Path, case: LockCase, truth: str) -> Result:
    """What the gate and squawk say of a case, on empty tables."""
    with _project(case) as project:
        answer = GateRun(server, folder).judge(case, project, "postgresql+psycopg://u:p@db.invalid/app")
    failure = answer.facts.replay.failure
    squawk = ask_squawk(answer.facts, server.version // 10000) if SQUAWK.exists() else ()
    result = Result(case, truth, answer.kinds, squawk, failure.message if failure is not None else "")
    print("x" if result.is_fault else ".", end="", file=sys.stderr, flush=True)
    return result


@contextmanager
def _project(case: LockCase) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield write_project(case, BASE_UPGRADE, Path(folder) / "project")


def print_results(major: str, results: list[Result]) -> None:
    """What was missed, what was wrongly called slow, and the numbers."""
    slow = [result for result in results if result.truth == "slow"]
    harmless = [result for result in results if result.truth == "harmless"]
    print(f"\nPostgreSQL {major}")
    for title, faults in (
        ("missed", [result for result in slow if not result.kinds]),
        ("false alarms", [result for result in harmless if result.kinds]),
        ("failed", [result for result in results if result.failure and result.truth != "fails"]),
        ("unknown", [result for result in results if result.truth == "?"]),
    ):
        for result in faults:
            print(f"  {title}: {result.case.key} {', '.join(result.kinds)} {result.failure}")
    if not SQUAWK.exists():
        print(
            "  squawk was not asked: `python -m venv .venvs/bench && .venvs/bench/bin/pip install squawk-cli`"
        )
    print("\n| | of | ours | squawk |\n|---|---|---|---|")
    for title, chosen in (("slow ones that are found", slow), ("false alarms on harmless ones", harmless)):
        ours = sum(bool(result.kinds) for result in chosen)
        squawk = sum(bool(result.squawk) for result in chosen)
        print(f"| {title} | {len(chosen)} | {ours} | {squawk} |")
