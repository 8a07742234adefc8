"""The outcome of a run: verdicts, projects with their problems, and the report of all projects."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from migration_gate import facts as facts_package
from migration_gate.check import Finding, Severity
from migration_gate.config.settings import Allowance, CheckSeverity
from migration_gate.errors import GateError
from migration_gate.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from migration_gate.facts import AllowanceText, CheckCoverage, Facts, SourceEdit

Novelty = Literal["", "new", "worse", "old"]
Scope = Literal["change", "all"]
"""which findings block: those of the change, or all"""
ENDS_OF_REPLAY = frozenset({"failing-upgrade", "broken-history"})
"""checks of what ends the replay: what comes after is not looked at"""
ALWAYS_JUDGED = ENDS_OF_REPLAY | {"stale-baseline"}
"""checks whose findings block whenever they came: the last has only to be deleted"""
SEVERITY_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding, with its check, its severity, and the allowance that covers it."""

    check: str
    severity: Severity
    finding: Finding
    id: str
    """from check, kind and object: the same in every run, whatever the message, line or revision"""
    project: str
    allowed: Allowance | None = None
    edits: tuple[SourceEdit, ...] = ()
    """exact edits of the sources that correct it, where there are any"""
    novelty: Novelty = ""
    """beside the base of the change: new, worse or old; '' if that is not known"""
    is_spared: bool = False
    """it does not block, because it was there before the change"""

    @property
    def can_be_old(self) -> bool:
        """Whether it need not block where it was there before.

        An allowance that has expired was given for a time only.
        """
        has_expired = self.check == "unused-allow" and self.finding.kind == "expired"
        return self.check not in ALWAYS_JUDGED and not has_expired

    @property
    def ends_replay(self) -> bool:
        """Whether it kept the rest of the history from being looked at."""
        return self.check in ENDS_OF_REPLAY

    @property
    def id_stem(self) -> str:
        """The id without the number that tells apart several findings about one object."""
        return self.id.partition("-")[0]

    def blocks(self, fail_on: Severity) -> bool:
        """Whether it makes the run end with exit status 1."""
        is_judged = self.allowed is None and not self.is_spared
        return is_judged and SEVERITY_RANK[self.severity] <= SEVERITY_RANK[fail_on]


@dataclass(frozen=True, slots=True)
class Problem:
    """What kept a project from being judged: a user error (status 2) or a bug in Migration Gate (3)."""

    message: str
    advice: str = ""
    where: str = ""
    """`file:line`, an option, an input of the action"""
    evidence: str = ""
    status: int = 2
    kind: str = ""
    """the name of the exception's class"""

    @classmethod
    def from_error(cls, error: GateError) -> Problem:
        """The error as data."""
        return cls(
            message=error.message,
            advice=error.advice,
            where=error.where,
            evidence=error.evidence,
            status=error.status,
            kind=type(error).__name__,
        )


@dataclass(frozen=True, slots=True)
class ProjectReport:
    """Everything that a report shows about one project."""

    name: str
    facts: Facts = field(
        default_factory=lambda: facts_package.Facts()  # noqa: PLW0108 - which loads them, if they are used
    )
    verdicts: tuple[Verdict, ...] = ()
    fail_on: Severity = Severity.ERROR
    scope: Scope = "all"
    postgres: str = ""
    """a description of the server that was used"""
    seconds: float = 0.0
    """wall time of the whole examination"""
    problem: Problem | None = None
    check_coverage: tuple[CheckCoverage, ...] = ()
    """what each check looked at"""
    baseline: str = ""
    """path of the baseline, if it says what is old"""
    fixed: tuple[Verdict, ...] = ()
    """what was found at the base of the change, and is gone"""
    new_allowances: tuple[AllowanceText, ...] = ()
    """entries and comments that came with the change"""
    lowered: tuple[CheckSeverity, ...] = ()
    """checks, and kinds of findings, that the settings have off or lower than by default"""
    static: bool = False
    """from `check --static`: files were read as text, and nothing was imported or run"""

    @property
    def blocking_verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts that make the run end with exit status 1."""
        return tuple(verdict for verdict in self.verdicts if verdict.blocks(self.fail_on))

    @property
    def status(self) -> int:
        """The exit status: 0 clean, 1 blocked, 2 a user error, 3 a bug in Migration Gate."""
        if self.problem:
            return self.problem.status
        return 1 if self.blocking_verdicts else 0


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the gate."""

    projects: tuple[ProjectReport, ...]
    seconds: float = 0.0
    version: str = ""

    @property
    def status(self) -> int:
        """The worst of its projects' exit statuses; 2 if there is no project."""
        return max((project.status for project in self.projects), default=2)
