"""The gate on one case, on the benchmark's own server."""

from __future__ import annotations

import sys
from pathlib import Path

from migration_gate import checks
from migration_gate.check import Severity
from migration_gate.config.settings import Settings, Variable
from migration_gate.postgres.server import Server
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Verdict
from tests.support.whole_examination import examine_whole

CHECKS = (
    "missing-downgrade",
    "unnamed-constraint",
    "failing-downgrade",
    "incomplete-downgrade",
    "failing-reupgrade",
    "rows-differ-after-rollback",
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
        change = project.resolve() / "migrations" / "versions" / "0002_case.py"
        facts = examine_whole(self._server, self._folder, settings, (str(change),))
        if facts.replay.failure is not None:
            raise RuntimeError(f"the case does not run: {facts.replay.failure}")
        return judge_findings(facts, settings, checks.ALL)
