"""Judges every case on one server, and prints what was missed and what was wrongly called harmful."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.rehearsal.cases import BASE, CASES
from benchmarks.rehearsal.row_case import RowCase, write_case
from benchmarks.rollback.gate_run import GateRun
from migration_gate.check import Severity
from migration_gate.postgres.choice import start_server
from migration_gate.postgres.run_directory import temporary_run_directory

CHECKS = ("fails-on-rows", "lost-rows", "lost-values", "destructive", "violated-rule")
URL = "postgresql+psycopg://app:secret@db.invalid/app"


def run_benchmark(*words: str) -> int:
    """Print the findings that are not as they should be; 1 if there are some. `words` choose cases."""
    chosen = [case for case in CASES if not words or any(word in case.name for word in words)]
    wrong = 0
    with (
        temporary_run_directory() as runs,
        tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch,
        start_server("auto", folder=runs) as server,
    ):
        Path(scratch).chmod(0o755)
        gate = GateRun(server, runs)
        for number, case in enumerate(chosen):
            problem = _judge(gate, case, Path(scratch) / str(number))
            if problem:
                wrong += 1
                print(f"{'MISSED' if case.is_harmful else 'WOLF'}  {case.name}: {problem}", flush=True)
    harmful = sum(case.is_harmful for case in chosen)
    print(f"{harmful} harmful, {len(chosen) - harmful} harmless; {wrong} not as they should be")
    return min(wrong, 1)


def _judge(gate: GateRun, case: RowCase, folder: Path) -> str:
    """What is wrong with the findings; '' if nothing is."""
    try:
        verdicts = gate.judge(write_case(case, BASE, folder), URL)
    except Exception as error:  # noqa: BLE001 - a case that does not run is reported like the others
        return repr(error)
    found = [
        f"{verdict.check}/{verdict.finding.kind}: {verdict.finding.message}"
        for verdict in verdicts
        if verdict.check in CHECKS and verdict.severity is not Severity.NOTE
    ]
    if case.check:
        return "" if any(text.startswith(case.check) for text in found) else f"{case.check}: {found}"
    return "; ".join(found)
