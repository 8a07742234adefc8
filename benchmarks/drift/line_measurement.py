"""Which line of which file is blamed for a difference: measured on a whole project, `library/`.

A comment `# makes: column books.colour` in a revision or a model says which difference comes from that line.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.checks import drift
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts, Location
from migration_gate.progress import Progress
from migration_gate.replay.examination import examine_project

PROJECT = Path(__file__).parent / "library"
_MARK = re.compile(r"# makes: (.+)")


@dataclass(frozen=True, slots=True)
class LineMeasurement:
    """What the marks say, and what was found."""

    expected: Mapping[str, frozenset[Location]]
    """by kind and object, as the marks have them"""
    found: Mapping[str, frozenset[Location]]

    @property
    def right(self) -> int:
        """How many of the expected differences were found where they are made."""
        return sum(self.found.get(name) == places for name, places in self.expected.items())

    @property
    def wrong(self) -> tuple[str, ...]:
        """The differences that were not found where they are made, and those that no mark announces."""
        names = sorted(self.expected.keys() | self.found.keys())
        return tuple(
            f"{name}: expected {_print(self.expected, name)}, found {_print(self.found, name)}"
            for name in names
            if self.expected.get(name) != self.found.get(name)
        )


def _print(places: Mapping[str, frozenset[Location]], name: str) -> str:
    return ", ".join(sorted(map(str, places.get(name, ())))) or "nowhere"


def measure_lines() -> LineMeasurement:
    """Examine a copy of the project on a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        project = folder / "library"
        shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__"))
        facts = _examine(project)
    found: dict[str, set[Location]] = defaultdict(set)
    for finding in drift.check(facts):
        if finding.kind != "unmanaged" and finding.location is not None:
            found[f"{finding.kind} {finding.object}"].add(finding.location)
    return LineMeasurement(_read_marks(), {name: frozenset(places) for name, places in found.items()})


def _examine(project: Path) -> Facts:
    settings = Settings("library", root=project, working_directory=project, python=Path(sys.executable))
    return _finish(examine_project(settings))


def _finish(run: Generator[Progress, None, Facts]) -> Facts:
    while True:
        try:
            next(run)
        except StopIteration as end:
            facts: Facts = end.value
            return facts


def _read_marks() -> Mapping[str, frozenset[Location]]:
    """The places of each difference that a comment announces."""
    places: dict[str, set[Location]] = defaultdict(set)
    for file in PROJECT.rglob("*.py"):
        path = file.relative_to(PROJECT).as_posix()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if mark := _MARK.search(line):
                for name in mark[1].split("; "):
                    places[name].add(Location(path, number))
    return {name: frozenset(locations) for name, locations in places.items()}
