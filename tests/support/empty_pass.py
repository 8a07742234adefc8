"""A way to an empty pass: a small project on which a gate could say "clean" without having looked.

`tests/empty_passes/` lists them, a module for each area. An entry is a change to one clean project
(`tests/support/user_project.py`: a table, a model, two revisions), and what the report must say about it.
"""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from migration_gate import checks
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError
from migration_gate.judgement import judge_facts
from migration_gate.replay.examination import examine_project
from migration_gate.verdict.comment_files import read_comment_files
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.outcome import Problem, ProjectReport, Verdict
from tests.support.project_files import commit_all, write_files
from tests.support.replay_engine import Engine
from tests.support.user_project import project
from tests.support.whole_examination import examine_whole
from tests.support.worker_interpreters import python


@dataclass(frozen=True)
class Says:
    """A verdict that the report must have.

    `check="problem"` stands for a run that ends with status 2.
    """

    check: str
    object: str = "*"
    """a glob pattern"""
    kind: str | None = None
    """None for any"""
    severity: str = "error"
    words: tuple[str, ...] = ()
    """each stands somewhere in the verdict: its message, place, evidence or fix"""


@dataclass(frozen=True)
class EmptyPass:
    """One way, and what must come of it."""

    name: str
    """a sentence: what the project does"""
    says: tuple[Says, ...]
    files: Mapping[str, str | None] = field(default_factory=dict)
    """what differs from the clean project, None removes it: `env_py`, `models_py`, `one_py`... or a path"""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """fields of `Settings`"""
    status: int = 1
    notes: tuple[str, ...] = ()
    """each stands somewhere in the notes"""
    changed: tuple[str, ...] = ()
    """files of the change: their revisions are observed and rehearsed"""
    base: Mapping[str, str | None] | None = None
    """files of the project before the change, as `files`; None: the project is examined without a base"""
    versions: str = "newest"
    """of Alembic and SQLAlchemy: newest, middle or oldest (`tests/support/worker_interpreters.py`)"""


def judge_project(
    engine: Engine,
    files: Mapping[str, str | None],
    settings: Mapping[str, Any],
    interpreter: Path = Path(sys.executable),
    changed: tuple[str, ...] = (),
) -> ProjectReport:
    """The report on the clean project with these changes: the whole gate, on the tests' own server."""
    folder = write_files(engine.folder(), project(**files))
    chosen = Settings(
        **{
            "name": "shop",
            "root": folder,
            "working_directory": folder,
            "python": interpreter,
            **settings,
        }
    )
    try:
        paths = tuple(str(folder.resolve() / path) for path in changed)
        facts = examine_whole(engine.server, engine.runs, chosen, paths)
    except GateError as error:
        return ProjectReport(chosen.name, problem=Problem.from_error(error))
    texts = read_comment_files(facts, folder)
    verdicts = judge_findings(facts, chosen, checks.ALL, texts, date(2026, 1, 1))
    return ProjectReport(chosen.name, facts, verdicts, chosen.fail_on)


def judge_change(
    folder: Path,
    base: Mapping[str, str | None],
    files: Mapping[str, str | None],
    settings: Mapping[str, Any],
) -> ProjectReport:
    """The report on a change: the whole gate, on a server of its own, with the base in git."""
    write_files(folder, project(**base))
    commit = commit_all(folder, "base")
    write_files(folder, project(**files))
    values = {"name": "shop", "root": folder, "working_directory": folder, "python": Path(sys.executable)}
    chosen = Settings(**{**values, "base": commit, "postgres": "local", **settings})
    examination = examine_project(chosen)
    while True:
        try:
            next(examination)
        except StopIteration as end:
            return judge_facts(end.value, chosen, [])


def assert_is_said(way: EmptyPass, engine: Engine) -> None:
    """Run the way, and demand what it must say."""
    if way.base is None:
        report = judge_project(engine, way.files, way.settings, python(way.versions), way.changed)
    else:
        report = judge_change(engine.folder(), way.base, way.files, way.settings)
    text = describe_report(report)
    missing = [expected for expected in way.says if not _is_in(report, expected)]
    assert not missing, f"{way.name}: missing {missing}\n{text}"
    notes = "\n".join((*report.facts.replay.notes, *report.facts.tree.notes))
    assert [words for words in way.notes if words not in notes] == [], text
    assert report.status == way.status, text


def _is_in(report: ProjectReport, expected: Says) -> bool:
    if expected.check == "problem":
        return report.problem is not None and _has_words(vars_text(report.problem), expected.words)
    return any(_matches(verdict, expected) for verdict in report.verdicts)


def _matches(verdict: Verdict, expected: Says) -> bool:
    return (
        verdict.check == expected.check
        and fnmatch.fnmatchcase(verdict.finding.object, expected.object)
        and expected.kind in (None, verdict.finding.kind)
        and verdict.severity.value == expected.severity
        and _has_words(describe_verdict(verdict), expected.words)
    )


def _has_words(text: str, words: tuple[str, ...]) -> bool:
    return all(word in text for word in words)


def describe_verdict(verdict: Verdict) -> str:
    """All its words."""
    finding = verdict.finding
    lines = [
        f"{verdict.severity} {verdict.check}/{finding.kind} [{finding.object}]",
        f"    {finding.location}, revision {finding.revision}",
        f"    {finding.message}",
    ]
    lines += [f"    {piece.label}: {piece.text}" for piece in finding.evidence]
    return os.linesep.join([*lines, f"    fix: {finding.fix}"])


def vars_text(problem: Problem) -> str:
    """All its words."""
    return "\n".join((problem.kind, problem.message, problem.where, problem.evidence, problem.advice))


def describe_report(report: ProjectReport) -> str:
    """Everything, for a failed assertion."""
    replay = report.facts.replay
    lines = [f"status {report.status}", *map(describe_verdict, report.verdicts)]
    lines += [f"note: {note}" for note in (*replay.notes, *report.facts.tree.notes)]
    if report.problem is not None:
        lines.append(vars_text(report.problem))
    return "\n".join([*lines, replay.output[-2000:]])
