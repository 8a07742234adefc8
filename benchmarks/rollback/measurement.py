"""Runs the gate and its rivals on every case, and prints who found what."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rollback.cases import BASE_DOWNGRADE, BASE_UPGRADE, CASES
from benchmarks.rollback.downgrade_case import DowngradeCase, write_project
from benchmarks.rollback.gate_run import GateRun
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.server import Server

RIVALS = Path(__file__).parents[2] / ".venvs" / "rollback-bench" / "bin" / "python"
"""an environment with `requirements.txt`"""
ALEMBIC_TESTS = (
    "from pytest_alembic.tests import test_up_down_consistency\n"
    "from pytest_alembic.tests.experimental import test_downgrade_leaves_no_trace\n"
)
ALEMBIC_FIXTURES = (
    "import os, pytest, sqlalchemy\n\n"
    "@pytest.fixture\ndef alembic_engine():\n"
    '    return sqlalchemy.create_engine(os.environ["BENCHMARK_URL"])\n'
)
MRT_CONFIG = (
    "import os\nfrom pytest_mrt import MRTConfig\n\n"
    "def pytest_configure(config):\n"
    '    config._mrt_config = MRTConfig(alembic_ini="alembic.ini", db_url=os.environ["BENCHMARK_URL"])\n'
)
MRT_TESTS = "mrt_downgrade_base or mrt_up_down_consistency"
MRT_ALL_TESTS = f"{MRT_TESTS} or mrt_static_no_errors"


@dataclass(frozen=True, slots=True)
class Judge:
    """A tool, and how it says that a downgrade is broken."""

    name: str
    finds: Callable[[DowngradeCase, Path, str], bool]
    """of a case, in a folder of its own with the address of an empty database"""


def run_benchmark(*options: str) -> int:
    """Print the table; 1 if ours missed something or gave a false alarm.

    options: `--ours` leaves the rivals out; other words are parts of the names of cases.
    """
    words = [option for option in options if not option.startswith("-")]
    cases = [case for case in CASES if not words or any(word in case.name for word in words)]
    with temporary_run_directory() as folder, start_server("auto", folder=folder) as server:
        gate = GateRun(server, folder)
        judges = [Judge("ours", lambda case, project, url: gate.finds_fault(project, url))]
        if "--ours" not in options:
            judges += list(_find_rivals())
        answers = {judge.name: [_ask(judge, case, server) for case in cases] for judge in judges}
        for name, values in answers.items():
            _print_faults(name, cases, values)
        _print_table(cases, answers)
    return int([case.is_broken for case in cases] != answers["ours"])


def _find_rivals() -> Iterator[Judge]:
    yield Judge("pytest-alembic", lambda case, project, url: _fails(_prepare_alembic(project), url))
    yield Judge("pytest-mrt", lambda case, project, url: _fails(_prepare_mrt(project), url, "-k", MRT_TESTS))
    yield Judge(
        "pytest-mrt with its text rules",
        lambda case, project, url: _fails(_prepare_mrt(project), url, "-k", MRT_ALL_TESTS),
    )


def _prepare_alembic(project: Path) -> Path:
    (project / "conftest.py").write_text(ALEMBIC_FIXTURES)
    (project / "test_rollback.py").write_text(ALEMBIC_TESTS)
    return project


def _prepare_mrt(project: Path) -> Path:
    (project / "conftest.py").write_text(MRT_CONFIG)
    return project


def _fails(project: Path, url: str, *options: str) -> bool:
    """Whether a test of the project fails. Raises RuntimeError if none was run."""
    plugin = "pytest_mrt" if options else "pytest_alembic"
    other = "no:pytest_alembic" if options else "no:mrt"
    done = subprocess.run(
        [str(RIVALS), "-m", "pytest", "-q", "-p", other, "-p", "no:cacheprovider", *options],
        cwd=project,
        env={**os.environ, "BENCHMARK_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{plugin} ran no test:\n{done.stdout}\n{done.stderr}")
    return done.returncode == 1


def _ask(judge: Judge, case: DowngradeCase, server: Server) -> bool:
    """What a judge says of a case, on an empty database."""
    database = server.create_database()
    url = (
        f"postgresql+psycopg://{server.user}:{server.password}@/{database}"
        f"?host={server.socket_directory}&port={server.port}"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        project = write_project(case, BASE_UPGRADE, BASE_DOWNGRADE, Path(folder) / "project")
        answer = judge.finds(case, project, url)
    print("." if answer == case.is_broken else "x", end="", file=sys.stderr, flush=True)
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{database}" with (force)'.encode())
    return answer


def _print_faults(name: str, cases: list[DowngradeCase], answers: list[bool]) -> None:
    missed = [case for case, answer in zip(cases, answers, strict=True) if case.is_broken and not answer]
    false = [case for case, answer in zip(cases, answers, strict=True) if answer and not case.is_broken]
    print(f"\n{name}")
    print(f"  missed: {', '.join(f'{case.kind}: {case.name}' for case in missed) or 'none'}")
    print(f"  false alarms: {', '.join(f'{case.kind}: {case.name}' for case in false) or 'none'}")


def _print_table(cases: list[DowngradeCase], answers: dict[str, list[bool]]) -> None:
    print(f"\n| | of | {' | '.join(answers)} |\n|---|---|{'---|' * len(answers)}")
    for title, is_broken in (
        ("broken downgrades that are found", True),
        ("false alarms on correct ones", False),
    ):
        chosen = [number for number, case in enumerate(cases) if case.is_broken == is_broken]
        counts = [str(sum(values[number] for number in chosen)) for values in answers.values()]
        print(f"| {title} | {len(chosen)} | {' | '.join(counts)} |")
