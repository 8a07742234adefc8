"""The gate on one case, on the benchmark's own server."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from migration_gate import checks
from migration_gate.check import Severity
from migration_gate.config.settings import Settings, Variable
from migration_gate.facts import Facts
from migration_gate.postgres.server import Server
from migration_gate.project import find_project
from migration_gate.replay.examination_on_server import examine_on_server
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.worker_process import start_worker
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Verdict

CHECKS = (
    "missing-downgrade",
    "unnamed-constraint",
    "failing-downgrade",
    "incomplete-downgrade",
    "failing-reupgrade",
)


class GateRun:
    """Examines projects whose second revision is the change."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder

    def finds_fault(self, project: Path, url: str) -> bool:
        """Whether a check of downgrades has an error or a warning."""
        return any(
            verdict.check in CHECKS and verdict.severity is not Severity.NOTE
            for verdict in self.judge(project, url)
        )

    def judge(self, project: Path, url: str) -> tuple[Verdict, ...]:
        """All verdicts. Raises GateError."""
        settings = Settings(
            name="benchmark",
            root=project,
            working_directory=project,
            python=Path(sys.executable),
            env=(Variable("BENCHMARK_URL", url),),
        )
        facts = self._examine(settings)
        if facts.replay.failure is not None:
            raise RuntimeError(f"the case does not run: {facts.replay.failure}")
        return judge_findings(facts, settings, checks.ALL)

    def _examine(self, settings: Settings) -> Facts:
        database = self._server.create_database()
        change = settings.root.resolve() / "migrations" / "versions" / "0002_case.py"
        setup = ReplaySetup(
            settings=settings,
            project=find_project(settings),
            server=self._server,
            run_directory=self._folder,
            repository=settings.root.resolve(),
            database=database,
            models_database=f"{database}_models",
            changed_files=(str(change),),
        )
        try:
            with (
                ThreadPoolExecutor(2) as background,
                start_worker(setup.project, settings, self._folder, with_models=True) as worker,
            ):
                examination = examine_on_server(setup, worker, background, ())
                while True:
                    try:
                        next(examination)
                    except StopIteration as end:
                        facts: Facts = end.value
                        return facts
        finally:
            self._drop(*setup.databases)

    def _drop(self, *names: str) -> None:
        with self._server.connect() as connection:
            for name in names:
                connection.execute(f'drop database if exists "{name}" with (force)'.encode())
