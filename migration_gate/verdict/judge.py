"""From findings to verdicts: which check found it, how severe it is, and whether the user allowed it.

Pure: the caller passes the facts, the settings, the text of the files with comments and today's date.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from migration_gate.analysis import loosened_gate_parts
from migration_gate.analysis.new_parts import NOT_VALID
from migration_gate.check import Check, Finding, Severity, check_name
from migration_gate.config.settings import Allowance, Settings
from migration_gate.edits.suggested_edits import EditMaker
from migration_gate.facts import Facts
from migration_gate.lazy_dataclass import dataclass
from migration_gate.verdict import stale_baseline, unused_allow
from migration_gate.verdict.allow import (
    AllowComment,
    allowance_covers,
    comment_covers,
    find_allow_comments,
    matches_check,
)
from migration_gate.verdict.baseline import Baseline
from migration_gate.verdict.installed_package import find_package, mark_installed
from migration_gate.verdict.outcome import SEVERITY_RANK, Verdict
from migration_gate.verdict.own_level import list_uncounted
from migration_gate.verdict.place_in_change import move_into_change

JUDGE_CHECKS: tuple[Check, ...] = (unused_allow, stale_baseline)
"""checks whose findings come from the judge, not from the facts"""
UNVALIDATED = ("unfinished-change", "constraint")
"""check and kind"""
ID_LENGTH = 10
"""hexadecimal digits"""


@dataclass(frozen=True, slots=True)
class Allowances:
    """Everything in which the user allows findings of one project."""

    entries: tuple[Allowance, ...]
    """of the configuration"""
    comments: tuple[AllowComment, ...]
    """of the project's files"""
    today: date | None = None
    """an entry whose last day is over allows nothing; without a date none is over"""
    uncounted: frozenset[str] = frozenset()
    """where those are that do not allow that the gate was loosened"""
    is_base_judging: bool = False
    """they do not allow anything else either"""
    forbidden: tuple[str, ...] = ()
    """checks, or check/kind, that nothing allows"""

    def find_counted(self, verdict: Verdict) -> tuple[Allowance, ...]:
        """Everything that allows this finding, but for what came with the change that loosened the gate."""
        found = self.find_all(verdict)
        if any(matches_check(name, verdict.check, verdict.finding.kind) for name in self.forbidden):
            return ()
        if verdict.check != loosened_gate_parts.CHECK and not self.is_base_judging:
            return found
        return tuple(allowance for allowance in found if allowance.where not in self.uncounted)

    def find_all(self, verdict: Verdict) -> tuple[Allowance, ...]:
        """Everything that covers this finding; all of it counts as used, not only the first."""
        check, finding = verdict.check, verdict.finding
        entries = [entry for entry in self.entries if allowance_covers(entry, check, finding, self.today)]
        comments = [comment for comment in self.comments if comment_covers(comment, check, finding)]
        return (*entries, *(comment.as_allowance() for comment in comments))


def judge_findings(
    facts: Facts,
    settings: Settings,
    checks: Iterable[Check],
    texts: Mapping[str, str] | None = None,
    today: date | None = None,
    *,
    baseline: Baseline | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts on every finding of every check: standing ones first, the worst at the top.

    `texts` are the files whose comments may allow findings, by their path in findings. Lines of the baseline
    that have no finding are findings themselves.
    """
    checks = tuple(checks)
    texts = texts or {}
    allowances = Allowances(
        settings.allowances,
        find_allow_comments(texts),
        today,
        list_uncounted(facts),
        is_base_judging=bool(facts.policy_commit),
        forbidden=settings.forbid_allow,
    )
    edit_maker = EditMaker(texts)
    verdicts: list[Verdict] = []
    used: set[Allowance] = set()
    for check in checks:
        findings = (mark_installed(check_name(check), finding, facts) for finding in check.check(facts))
        for verdict in _sign_findings(check, findings, settings):
            used.update(allowances.find_all(verdict))
            verdicts.append(_allow_and_place(verdict, facts, allowances, edit_maker))
    verdicts = list(_drop_said_by_drift(verdicts))
    # Checks after a failure did not see the whole history, so an unused allowance cannot be detected.
    is_complete = facts.replay.is_complete
    names = [check_name(check) for check in (*checks, *JUDGE_CHECKS)]
    faults = unused_allow.find_faults(
        allowances.entries,
        allowances.comments,
        names,
        used if is_complete else None,
        today,
        forbidden=settings.forbid_allow,
    )
    verdicts += _sign_findings(unused_allow, faults, settings)
    if baseline is not None:
        found = {verdict.id for verdict in verdicts} if is_complete else None
        verdicts += _sign_findings(stale_baseline, stale_baseline.find_faults(baseline, found), settings)
    return tuple(sort_verdicts(verdicts, names))


def _allow_and_place(
    verdict: Verdict, facts: Facts, allowances: Allowances, edit_maker: EditMaker
) -> Verdict:
    """The verdict as it is reported: at its place in the change, with its edits, and with what allows it."""
    allowed_by = allowances.find_counted(verdict)
    # Moved only now: what is allowed may not depend on what the change has.
    return replace(
        verdict,
        finding=move_into_change(verdict.finding, facts.replay),
        edits=tuple(edit_maker.make_edits(verdict.finding.corrections)),
        allowed=next(iter(allowed_by), verdict.allowed),
    )


def sort_verdicts(verdicts: Iterable[Verdict], check_names: list[str]) -> list[Verdict]:
    """Allowed verdicts last, the worst first, then in the order of the checks, own files first."""
    order = {name: number for number, name in enumerate(check_names)}
    return sorted(
        verdicts,
        key=lambda verdict: (
            verdict.allowed is not None,
            SEVERITY_RANK[verdict.severity],
            order[verdict.check],
            find_package(verdict.finding.location) is not None,
        ),
    )


def _sign_findings(check: Check, findings: Iterable[Finding], settings: Settings) -> Iterator[Verdict]:
    """The findings of one check as verdicts, each once, without those whose severity is off."""
    name = check_name(check)
    id_counts = Counter[str]()
    for finding in _drop_repeated(findings):
        base_id = _finding_id(name, finding)
        # Counted for findings that are off too, so that a severity does not change the ids of others.
        id_counts[base_id] += 1
        number = id_counts[base_id]
        identifier = base_id if number == 1 else f"{base_id}-{number}"
        severity = choose_severity(name, finding, check.SEVERITY, settings)
        if severity is not None:
            yield Verdict(name, severity, finding, identifier, settings.name)


def _drop_repeated(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each finding once: the same thing at the same location, with the same evidence."""
    seen = set()
    for finding in findings:
        key = (finding.kind, finding.object, finding.message, finding.location, finding.evidence)
        if key not in seen:
            seen.add(key)
            yield finding


def _drop_said_by_drift(verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
    """The verdicts without those on constraints of which drift says that the models have them validated."""
    said = {
        verdict.finding.object
        for verdict in verdicts
        if verdict.check == "drift"
        and any(item.text.endswith(NOT_VALID) for item in verdict.finding.evidence)
    }
    for verdict in verdicts:
        if (verdict.check, verdict.finding.kind) != UNVALIDATED or verdict.finding.object not in said:
            yield verdict


def _finding_id(check: str, finding: Finding) -> str:
    """Ten hexadecimal digits that depend on check, kind and object alone; an object may be no valid text."""
    text = "\0".join((check, finding.kind or "", finding.object))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:ID_LENGTH]


def choose_severity(check: str, finding: Finding, default: Severity, settings: Settings) -> Severity | None:
    """The severity from the settings, else from the finding, else `default`; None if it is off.

    A setting for `check/kind` applies as it is. A setting for `check` never makes a finding more severe than
    the finding itself says; without a setting, the finding may be more severe than its check.
    """
    configured = {item.check: item.severity for item in settings.checks}
    kind = f"{check}/{finding.kind}"
    if finding.kind and kind in configured:
        return configured[kind]
    if check not in configured:
        return finding.severity or default
    severity = configured[check]
    if severity is None or finding.severity is None:
        return severity
    return max(severity, finding.severity, key=SEVERITY_RANK.__getitem__)
