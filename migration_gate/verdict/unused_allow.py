"""An allowance matches no finding.

It expired (an error), cannot be read, or matches no finding any more. Left in place it hides the
next finding of the same name, one that nobody has looked at.

Instead, delete it, or correct its check name, pattern, reason or date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date

from migration_gate.analysis.loosened_gate_parts import CHECK
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.config.settings import Allowance
from migration_gate.facts import Facts, Location
from migration_gate.verdict.allow import AllowComment, has_expired, matches_check
from migration_gate.wording import nearest_name

SEVERITY = Severity.WARNING
SUBJECT = Subject.RUN
EXPIRED = "expired"
KINDS = (EXPIRED,)
UNUSED_ENTRY = "Delete it: what it allowed is gone."
UNUSED_COMMENT = (
    "Delete it if what it allowed is gone. Else move it: a comment covers its own line and the one below, "
    "and above the first statement the whole file."
)


def check(facts: Facts) -> Iterator[Finding]:
    """No findings: allowances are no facts of the project, so `judge` calls `find_faults`."""
    yield from ()


def find_faults(
    entries: Iterable[Allowance],
    comments: Iterable[AllowComment],
    check_names: Collection[str],
    used: Collection[Allowance] | None,
    today: date | None,
    *,
    forbidden: Collection[str] = (),
) -> Iterator[Finding]:
    """Comments that cannot be read, then entries and comments that allow nothing.

    `used` are those that allowed a finding; None if that is not known for all checks. `forbidden` are the
    checks that nothing allows.
    """
    readable_comments = []
    for comment in comments:
        if comment.fault:
            yield unreadable_comment(comment)
        else:
            readable_comments.append(comment.as_allowance())
    for entry in (*entries, *readable_comments):
        if entry.check.partition("/")[0] not in check_names:
            yield unknown_check(entry, check_names)
        elif has_expired(entry, today):
            yield expired_entry(entry)
        elif is_forbidden(entry.check, forbidden):
            yield forbidden_entry(entry)
        elif used is not None and entry not in used and entry.check.partition("/")[0] != CHECK:
            yield unused_entry(entry)


def unused_entry(entry: Allowance) -> Finding:
    """The entry matched no finding."""
    pattern = "" if entry.object == "*" else f" on `{entry.object}`"
    message = f"`allow {entry.check}`{pattern} matches no finding"
    is_comment = entry.where.rpartition(":")[0].endswith(".py")
    return _finding_about(entry, message, UNUSED_COMMENT if is_comment else UNUSED_ENTRY)


def expired_entry(entry: Allowance) -> Finding:
    """The entry's last day is over."""
    message = f"`allow {entry.check}` ended on {entry.until}"
    finding = _finding_about(entry, message, "Fix what it allowed, or give it a later date and a reason.")
    return replace(finding, kind=EXPIRED, severity=Severity.ERROR)


def is_forbidden(check: str, forbidden: Collection[str]) -> bool:
    """Whether nothing allows a check, or check/kind."""
    name, _, kind = check.partition("/")
    return any(matches_check(item, name, kind or None) for item in forbidden)


def forbidden_entry(entry: Allowance) -> Finding:
    """The entry names a check that nothing allows."""
    message = f"`allow {entry.check}` allows nothing: `forbid_allow` names the check"
    return _finding_about(entry, message, "Correct what it is to allow, or have the policy changed.")


def unknown_check(entry: Allowance, check_names: Collection[str]) -> Finding:
    """The entry names no check."""
    nearest = nearest_name(entry.check.partition("/")[0], sorted(check_names))
    fix = f"Did you mean `{nearest}`?" if nearest else "`migration-gate explain` lists the checks."
    return _finding_about(entry, f"`allow {entry.check}` names no check", fix)


def unreadable_comment(comment: AllowComment) -> Finding:
    """The comment lacks what it must have."""
    return Finding(
        object=comment.where,
        message=f"`{comment.where}` allows nothing: {comment.fault}",
        location=Location(comment.file, comment.line),
        fix="Write `# migration-gate: allow <check> -- <reason>`.",
    )


def _finding_about(entry: Allowance, message: str, fix: str) -> Finding:
    evidence = (Evidence("reason", entry.reason),) if entry.reason else ()
    location = _parse_location(entry.where)
    return Finding(object=name_entry(entry), message=message, location=location, evidence=evidence, fix=fix)


def name_entry(entry: Allowance) -> str:
    """The object of a finding about it."""
    return entry.check if entry.object == "*" else f"{entry.check} {entry.object}"


def _parse_location(where: str) -> Location | None:
    """The location that `file:line` names; the line may be missing."""
    if not where:
        return None
    file, _, line = where.rpartition(":")
    if file and line.isdigit():
        return Location(file, int(line))
    return Location(where)
