"""What a run came to: verdicts, projects with their problems, and the report of them all."""

from __future__ import annotations

from dataclasses import dataclass, field

from migration_gate.check import Finding, Severity
from migration_gate.config.settings import Allowance
from migration_gate.errors import GateError
from migration_gate.facts import Facts

SEVERITY_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding, signed."""

    check: str
    severity: Severity
    finding: Finding
    id: str
    """of check, kind and object: the same in every run, whatever the wording, line or revision"""
    project: str
    allowed: Allowance | None = None

    def blocks(self, fail_on: Severity) -> bool:
        """It ends the run with status 1."""
        return self.allowed is None and SEVERITY_RANK[self.severity] <= SEVERITY_RANK[fail_on]


@dataclass(frozen=True, slots=True)
class Problem:
    """What kept a project from being judged at all: an error of the caller's (2) or ours (3)."""

    says: str
    advice: str = ""
    where: str = ""
    evidence: str = ""
    status: int = 2
    kind: str = ""
    """the exception's class"""

    @classmethod
    def from_error(cls, error: GateError) -> Problem:
        """The error as data."""
        return cls(
            error.message, error.advice, error.where, error.evidence, error.status, type(error).__name__
        )


@dataclass(frozen=True, slots=True)
class ProjectReport:
    """All that a report says about one project."""

    name: str
    facts: Facts = field(default_factory=Facts)
    verdicts: tuple[Verdict, ...] = ()
    fail_on: Severity = Severity.ERROR
    postgres: str = ""
    """the server that was used, for people"""
    seconds: float = 0.0
    """wall time of the whole examination"""
    problem: Problem | None = None
    static: bool = False
    """files were read as text: nothing was imported, and nothing ran"""

    @property
    def blocking_verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts that end the run with status 1."""
        return tuple(verdict for verdict in self.verdicts if verdict.blocks(self.fail_on))

    @property
    def status(self) -> int:
        """0 clean, 1 blocked, 2 the caller can mend it, 3 we broke."""
        return self.problem.status if self.problem else int(bool(self.blocking_verdicts))


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the gate."""

    projects: tuple[ProjectReport, ...]
    seconds: float = 0.0
    version: str = ""

    @property
    def status(self) -> int:
        """The worst of its projects' statuses; a run without a project is none."""
        return max((project.status for project in self.projects), default=2)
