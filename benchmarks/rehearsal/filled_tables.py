"""How many tables of real projects get rows in a rehearsal, and which constraint refused the others.

python -m benchmarks.rehearsal.filled_tables --corpus FOLDER [NAME ...]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.change.__main__ import NAMES, run_gate
from benchmarks.change.cut_repository import CutRepository, read_prepared_project
from migration_gate.config.loading import load_settings
from migration_gate.facts import Rehearsal
from migration_gate.replay.examination import examine_project

Result = TypeVar("Result")


def rehearse_newest(corpus: Path, name: str, folder: Path) -> Rehearsal:
    """The rehearsal of the project's newest revision; the base has all others."""
    repository = CutRepository(read_prepared_project(corpus, name), folder)
    report = run_gate(folder).report
    files = {revision["id"]: revision["file"] for revision in report["revisions"]}
    newest = list(dict.fromkeys(step["revision"] for step in report["steps"]))[-1]
    base = repository.commit_cuts([files[newest]], [1])[1]
    options = {"base": base, "checkpoint": "off"}
    (settings,) = load_settings(folder, options, os.environ)
    return _finish(examine_project(settings)).replay.rehearsal


def _finish(run: Generator[Any, None, Result]) -> Result:
    while True:
        try:
            next(run)
        except StopIteration as end:
            result: Result = end.value
            return result


def main() -> None:
    """Print a line for each project, and one for each table that took no row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--corpus", type=Path, default=os.environ.get("MIGRATION_GATE_CORPUS"))
    arguments = parser.parse_args()
    if arguments.corpus is None:
        parser.error("--corpus names the folder into which the recipes were prepared")
    for name in arguments.names:
        with tempfile.TemporaryDirectory(prefix=f"filled-{name}-") as scratch:
            Path(scratch).chmod(0o755)
            rehearsal = rehearse_newest(arguments.corpus, name, Path(scratch).resolve() / "project")
        filled = rehearsal.tables - len(rehearsal.rowless)
        share = f"{100 * filled / rehearsal.tables:.1f} %" if rehearsal.tables else rehearsal.unproven
        print(f"{name:9} {rehearsal.tables:4} tables, {filled:4} filled, {share}", flush=True)
        for table in rehearsal.rowless:
            print(f"    {table}: {table.refusal}", flush=True)


if __name__ == "__main__":
    main()
