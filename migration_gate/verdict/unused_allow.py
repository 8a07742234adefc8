"""An allowance holds for nothing.

It expired, cannot be read, or matches no finding any more. Left in place it hides the next
finding of the same name, one that nobody has looked at.

Instead, delete it, or mend its check name, pattern, reason or date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.config.settings import Allowance
from migration_gate.facts import Facts, Location

SEVERITY = Severity.WARNING


def check(facts: Facts) -> Iterator[Finding]:
    """Nothing: allowances are no facts of the project's, so `judge` yields these findings."""
    yield from ()


def unused_entry(entry: Allowance) -> Finding:
    """It matched no finding."""
    pattern = "" if entry.object == "*" else f" on `{entry.object}`"
    says = f"`allow {entry.check}`{pattern} matches no finding"
    return _finding(entry, says, "Delete it: what it allowed is gone.")


def expired_entry(entry: Allowance) -> Finding:
    """Its last day is over."""
    says = f"`allow {entry.check}` ended on {entry.until}"
    return _finding(entry, says, "Mend what it allowed, or give it a later date and a reason.")


def unknown_check(entry: Allowance, known: Collection[str]) -> Finding:
    """It names no check."""
    near = get_close_matches(entry.check.partition("/")[0], sorted(known), n=1)
    fix = f"Did you mean `{near[0]}`?" if near else "`migration-gate explain` lists the checks."
    return _finding(entry, f"`allow {entry.check}` names no check", fix)


def unreadable_comment(where: str, why: str, place: Location) -> Finding:
    """A comment of ours that does not say what it must."""
    fix = "Write `# migration-gate: allow <check> -- <reason>`."
    return Finding(object=where, message=f"`{where}` allows nothing: {why}", location=place, fix=fix)


def _finding(entry: Allowance, says: str, fix: str) -> Finding:
    file, _, line = entry.where.rpartition(":")
    known = Location(entry.where) if entry.where else None
    place = Location(file, int(line)) if file and line.isdigit() else known
    at = entry.check if entry.object == "*" else f"{entry.check} {entry.object}"
    evidence = (Evidence("reason", entry.reason),) if entry.reason else ()
    return Finding(object=at, message=says, location=place, evidence=evidence, fix=fix)
