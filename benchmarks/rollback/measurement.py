"""Runs the gate and its rivals on every case, and prints who found what."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
MRT_TESTS = ("test_mrt_downgrade_base", "test_mrt_up_down_consistency")
MRT_RULES = "test_mrt_static_no_errors"
"""its rules on the text of revisions"""
AT_ONCE = 3
"""processes of the rivals"""
FAILED = re.compile(r"^(?:FAILED|ERROR) \S*::(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Judge:
    """A tool, and how it says that a downgrade is broken."""

    names: tuple[str, ...]
    """of what it says: a rival may be asked with some of its tests, and with more"""
    judge: Callable[[Path, str], tuple[bool, ...]]
    """whether a fault is found in a project, by each of these names; with the address of an empty database"""


def run_benchmark(*options: str) -> int:
    """Print the table; 1 if ours missed something or gave a false alarm.

    options: `--ours` leaves the rivals out; other words are parts of the names of cases.
    """
    words = [option for option in options if not option.startswith("-")]
    cases = [case for case in CASES if not words or any(word in case.name for word in words)]
    rivals = () if "--ours" in options else RIVAL_JUDGES
    answers: dict[str, list[bool]] = {}
    with (
        temporary_run_directory() as folder,
        start_server("auto", folder=folder) as server,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        gate = GateRun(server, folder)
        ours = Judge(("ours",), lambda project, url: (gate.finds_fault(project, url),))
        begun = [[pool.submit(_ask, judge, case, server) for judge in rivals] for case in cases]
        for case, others in zip(cases, begun, strict=True):
            found = _ask(ours, case, server)
            for other in others:
                found |= other.result()
            for name, is_broken in found.items():
                answers.setdefault(name, []).append(is_broken)
            wrong = [name for name, is_broken in found.items() if is_broken != case.is_broken]
            print(
                f"{case.kind}: {case.name}: {', '.join(wrong) or 'nobody is wrong'}",
                file=sys.stderr,
                flush=True,
            )
    for name, values in answers.items():
        _print_faults(name, cases, values)
    _print_table(cases, answers)
    return int([case.is_broken for case in cases] != answers["ours"])


def _judge_with_alembic(project: Path, url: str) -> tuple[bool, ...]:
    (project / "conftest.py").write_text(ALEMBIC_FIXTURES)
    (project / "test_rollback.py").write_text(ALEMBIC_TESTS)
    return (bool(_list_failed(project, url, "no:mrt")),)


def _judge_with_mrt(project: Path, url: str) -> tuple[bool, ...]:
    (project / "conftest.py").write_text(MRT_CONFIG)
    wanted = " or ".join((*MRT_TESTS, MRT_RULES))
    failed = _list_failed(project, url, "no:pytest_alembic", "-k", wanted)
    return not failed.isdisjoint(MRT_TESTS), bool(failed)


RIVAL_JUDGES = (
    Judge(("pytest-alembic",), _judge_with_alembic),
    Judge(("pytest-mrt", "pytest-mrt with its text rules"), _judge_with_mrt),
)


def _list_failed(project: Path, url: str, plugin: str, *options: str) -> frozenset[str]:
    """The tests of the project that fail. `plugin` is the one to do without.

    Raises RuntimeError if none was run.
    """
    done = subprocess.run(
        [str(RIVALS), "-m", "pytest", "-q", "-rfE", "-p", plugin, "-p", "no:cacheprovider", *options],
        cwd=project,
        env={**os.environ, "BENCHMARK_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = frozenset(FAILED.findall(done.stdout))
    if done.returncode not in (0, 1) or bool(failed) != bool(done.returncode):
        raise RuntimeError(f"no test was run without {plugin}:\n{done.stdout}\n{done.stderr}")
    return failed


def _ask(judge: Judge, case: DowngradeCase, server: Server) -> dict[str, bool]:
    """What a judge says of a case, on an empty database, by its names."""
    database = server.create_database()
    url = (
        f"postgresql+psycopg://{server.user}:{server.password}@/{database}"
        f"?host={server.socket_directory}&port={server.port}"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        project = write_project(case, BASE_UPGRADE, BASE_DOWNGRADE, Path(folder) / "project")
        answers = judge.judge(project, url)
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{database}" with (force)'.encode())
    return dict(zip(judge.names, answers, strict=True))


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
