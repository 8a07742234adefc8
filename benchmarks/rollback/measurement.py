"""Runs the gate and its rivals on every case, and prints who found what."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
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
RIVAL_RUNS = Path(__file__).with_name("rival_runs.py")


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
    answers: dict[str, list[bool]] = {}
    with (
        temporary_run_directory() as folder,
        start_server("auto", folder=folder) as server,
        nullcontext(()) if "--ours" in options else _start_rivals() as rivals,
        ThreadPoolExecutor(2) as pool,
    ):
        gate = GateRun(server, folder)
        ours = Judge(("ours",), lambda project, url: (gate.finds_fault(project, url),))
        for case in cases:
            others = [pool.submit(_ask, judge, case, server) for judge in rivals]
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


class RivalRuns:
    """The process that runs the tests of a rival, project by project."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def judge_with_alembic(self, project: Path, url: str) -> tuple[bool, ...]:
        """Whether a test of pytest-alembic fails."""
        (project / "conftest.py").write_text(ALEMBIC_FIXTURES)
        (project / "test_rollback.py").write_text(ALEMBIC_TESTS)
        return (bool(self._list_failed(project, url, "no:mrt")),)

    def judge_with_mrt(self, project: Path, url: str) -> tuple[bool, ...]:
        """Whether a test of pytest-mrt fails: without its rules on the text, and with them."""
        (project / "conftest.py").write_text(MRT_CONFIG)
        wanted = " or ".join((*MRT_TESTS, MRT_RULES))
        failed = self._list_failed(project, url, "no:pytest_alembic", "-k", wanted)
        return not failed.isdisjoint(MRT_TESTS), bool(failed)

    def _list_failed(self, project: Path, url: str, plugin: str, *options: str) -> frozenset[str]:
        """The tests of the project that fail. `plugin` is the one to do without.

        Raises RuntimeError if none was run.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        arguments = ["-q", "-p", plugin, "-p", "no:cacheprovider", *options]
        job = {"project": str(project), "url": url, "arguments": arguments}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        failed = frozenset(answer["failed"])
        if answer["status"] not in (0, 1) or bool(failed) != bool(answer["status"]):
            raise RuntimeError(f"no test was run without {plugin}: {answer}")
        return failed


@contextmanager
def _start_runs() -> Iterator[RivalRuns]:
    command = [str(RIVALS), str(RIVAL_RUNS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield RivalRuns(process)


@contextmanager
def _start_rivals() -> Iterator[tuple[Judge, ...]]:
    with _start_runs() as alembic, _start_runs() as mrt:
        yield (
            Judge(("pytest-alembic",), alembic.judge_with_alembic),
            Judge(("pytest-mrt", "pytest-mrt with its text rules"), mrt.judge_with_mrt),
        )


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
