"""The gate on one case, with empty tables, and squawk on the SQL that it has seen."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.locks.lock_case import LockCase
from migration_gate import checks
from migration_gate.config.settings import Settings, Variable
from migration_gate.facts import Facts
from migration_gate.postgres.server import Server
from migration_gate.project import find_project
from migration_gate.replay.examination_on_server import examine_on_server
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.worker_process import start_worker
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Verdict

CHECKS = ("blocking-change", "work-under-lock")
SQUAWK = Path(__file__).parents[2] / ".venvs" / "bench" / "bin" / "squawk"
SQUAWK_RULES = frozenset({
    "require-concurrent-index-creation", "require-concurrent-index-deletion", "require-concurrent-reindex",
    "constraint-missing-not-valid", "adding-field-with-default", "adding-foreign-key-constraint",
    "adding-not-nullable-field", "adding-serial-primary-key-field", "changing-column-type",
    "disallowed-unique-constraint", "ban-alter-domain-with-add-constraint", "prefer-repack",
    "require-concurrent-partition-detach",
})  # fmt: skip
"""rules about locks that are held for long: not those about time limits, style and old code"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of a case."""

    facts: Facts
    verdicts: tuple[Verdict, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the findings about long locks."""
        found = (f"{item.check}/{item.finding.kind}" for item in self.verdicts if item.check in CHECKS)
        return tuple(dict.fromkeys(found))


class GateRun:
    """Examines projects whose revisions after the first one are the change."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder

    def judge(self, case: LockCase, project: Path, url: str) -> Answer:
        """All verdicts. Raises GateError."""
        settings = Settings(
            name="benchmark",
            root=project,
            working_directory=project,
            python=Path(sys.executable),
            env=(Variable("BENCHMARK_URL", url),),
            rollback="off",
        )
        facts = self._examine(settings, case)
        return Answer(facts, judge_findings(facts, settings, checks.ALL))

    def _examine(self, settings: Settings, case: LockCase) -> Facts:
        database = self._server.create_database()
        root = settings.root.resolve()
        files = [f"migrations/versions/{name}" for name in case.revision_names]
        setup = ReplaySetup(
            settings=settings,
            project=find_project(settings),
            server=self._server,
            run_directory=self._folder,
            repository=root,
            database=database,
            models_database=f"{database}_models",
            changed_files=tuple(str(root / file) for file in files),
            pending_files=tuple(str(root / file) for file in files),
            new_files=tuple(files),
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


def ask_squawk(facts: Facts, major: int) -> tuple[str, ...]:
    """The rules about locks that squawk has against the SQL of the change, as the gate has recorded it."""
    statements = [
        statement.sql
        for step in facts.replay.steps
        if step.revision != "0001"
        for statement in step.statements
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(";\n".join(statements) + ";\n")
        file.flush()
        done = subprocess.run(
            [SQUAWK, "--reporter", "json", "--assume-in-transaction", "--pg-version", str(major), file.name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    findings = json.loads(done.stdout or "[]")
    return tuple(dict.fromkeys(item["rule_name"] for item in findings if item["rule_name"] in SQUAWK_RULES))
