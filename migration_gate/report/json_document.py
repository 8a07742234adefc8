"""What the JSON report is made of: format 1, described in `docs/json.md` and `docs/report.schema.json`.

Within format 1 fields are only added, with a default for reports that lack them. The JSON schema is made from
these types, and `migration-gate join` reads reports with them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.json_drift import JsonDrift, JsonDriftRevision

FORMAT: Literal[1] = 1
Outcome = Literal["passed", "blocked", "not checked"]
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9-]*$")]
"""of a check or a kind: pages and terminals show it as it is, and `join` may read a stranger's report"""
Novelty = Literal["", "new", "worse", "old"]
"""beside the base of the change; '' if that is not known"""
Identifier = Annotated[str, Field(pattern="^[0-9a-f]+(-[0-9]+)?$")]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many verdicts there are of each severity; the allowed and the old ones are counted apart."""

    errors: int
    warnings: int
    notes: int
    allowed: int
    blocking: int
    old: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """One piece of evidence."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """Why the user accepts a verdict, if that is said, and its last day."""

    reason: str
    where: str
    until: str | None


@dataclass(frozen=True, slots=True)
class JsonEdit:
    """Lines of a file, without line ends, and those that replace them; `says` is what that is for."""

    file: str
    first_line: int
    last_line: int
    old_lines: tuple[str, ...]
    new_lines: tuple[str, ...]
    says: str = ""


@dataclass(frozen=True, slots=True)
class JsonExtent:
    """How much work a finding is about: `time` is by this machine's rate, '' where none is claimed."""

    amount: str
    time: str = ""
    weight: str = ""


@dataclass(frozen=True, slots=True)
class JsonVerdict:
    """One finding; `id` stays the same from run to run, and lines are counted from 1."""

    id: Identifier
    check: Name
    kind: Name | None
    severity: Literal["error", "warning", "note"]
    blocks: bool
    object: str
    says: str
    file: str | None
    line: int | None
    revision: str | None
    evidence: tuple[Label, ...]
    fix: str
    allowed: Allowed | None
    edits: tuple[JsonEdit, ...] = ()
    novelty: Novelty = ""
    extent: JsonExtent | None = None


@dataclass(frozen=True, slots=True)
class JsonRevision:
    """One revision of the history; `line` is that of its `upgrade()`."""

    id: str
    parents: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    message: str
    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One revision, run; `context` tells the turns of a tenant loop apart."""

    number: int
    revision: str
    seconds: float
    statements: int
    context: int


@dataclass(frozen=True, slots=True)
class JsonFailure:
    """The first error of a replay that ended early."""

    revision: str | None
    says: str
    kind: str
    sqlstate: str | None
    statement: str | None
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Unchecked:
    """What could not be checked."""

    object: str
    why: str


@dataclass(frozen=True, slots=True)
class JsonLeftOut:
    """Something that the run did not look at, on purpose or not."""

    object: str
    why: str


@dataclass(frozen=True, slots=True)
class JsonCheckCoverage:
    """How many of its subject a check looked at: a check that found nothing to look at proves nothing."""

    check: str
    subject: str
    count: int


@dataclass(frozen=True, slots=True)
class JsonCoverage:
    """What the run looked at: tables of the models, revisions of the history, statements of the revisions."""

    compared_tables: int = 0
    mapped_tables: int = 0
    run_revisions: int = 0
    revisions: int = 0
    statements: int = 0
    left_out: tuple[JsonLeftOut, ...] = ()
    checks: tuple[JsonCheckCoverage, ...] = ()


@dataclass(frozen=True, slots=True)
class JsonProblem:
    """What kept a project from being examined; `kind` is the name of an exception."""

    says: str
    advice: str = ""
    where: str = ""
    evidence: str = ""
    status: int = 2
    kind: str = ""


@dataclass(frozen=True, slots=True)
class JsonBase:
    """The commit that the change is compared with; empty if there is none. `failure`: why it is not known."""

    commit: str
    reason: str
    failure: str = ""
    is_new_project: bool = False


@dataclass(frozen=True, slots=True)
class JsonFixed:
    """A finding of the base that is gone."""

    id: Identifier
    check: Name
    kind: Name | None
    severity: Literal["error", "warning", "note"]
    object: str
    says: str


@dataclass(frozen=True, slots=True)
class JsonNewAllowance:
    """An allowance that came with the change; `object` is a pattern, or the code that a comment covers."""

    check: str
    object: str
    reason: str
    until: str
    file: str | None
    line: int | None
    is_comment: bool = False


@dataclass(frozen=True, slots=True)
class JsonLowered:
    """A check, or a kind of its findings, that is off or less severe than by default."""

    check: str
    severity: Literal["error", "warning", "note", "off"]


@dataclass(frozen=True, slots=True)
class JsonProject:
    """One project; `stages` are seconds of wall time, `arrived` the heads in its version table."""

    name: str
    outcome: Outcome
    status: int
    fail_on: Literal["error", "warning", "note"]
    seconds: float
    stages: dict[str, float]
    postgres: str
    versions: dict[str, str]
    problem: JsonProblem | None
    counts: Counts
    verdicts: tuple[JsonVerdict, ...]
    heads: tuple[str, ...]
    bases: tuple[str, ...]
    target: tuple[str, ...]
    arrived: tuple[str, ...]
    tables: int
    revisions: tuple[JsonRevision, ...]
    steps: tuple[JsonStep, ...]
    failure: JsonFailure | None
    drift: tuple[JsonDrift, ...]
    drift_revision: JsonDriftRevision | None
    unchecked: tuple[Unchecked, ...]
    notes: tuple[str, ...]
    static: bool = False
    coverage: JsonCoverage = JsonCoverage()
    scope: Literal["change", "all"] = "all"
    base: JsonBase | None = None
    fixed: tuple[JsonFixed, ...] = ()
    new_allowances: tuple[JsonNewAllowance, ...] = ()
    lowered: tuple[JsonLowered, ...] = ()


@dataclass(frozen=True, slots=True)
class JsonReport:
    """The whole document."""

    format: Literal[1]
    version: str
    outcome: Outcome
    status: int
    seconds: float
    counts: Counts
    projects: tuple[JsonProject, ...]
