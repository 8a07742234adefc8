"""A line of the baseline has no finding.

What it stood for is gone, or the line cannot be read. Left in place it hides the next finding of
the same name, one that nobody has looked at.

Instead, run `migration-gate baseline`: it removes such lines, and adds none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts, Location
from migration_gate.verdict.baseline import Baseline

SEVERITY = Severity.WARNING
SUBJECT = Subject.RUN
FIX = "`migration-gate baseline` removes it."


def check(facts: Facts) -> Iterator[Finding]:
    """No findings: a baseline is no fact of the project, so `judge` calls `find_faults`."""
    yield from ()


def find_faults(baseline: Baseline, found: Collection[str] | None) -> Iterator[Finding]:
    """Lines that cannot be read, and entries without a finding.

    `found` are the ids of all findings; None if they are not all known.
    """
    for line in baseline.unreadable_lines:  # without their text: a link may lead to a file with secrets
        yield Finding(
            object=f"{baseline.path}:{line}",
            message=f"Line {line} of the baseline is no finding: it does not read `id  check  message`",
            location=Location(baseline.path, line),
            fix="Delete it, or write the file anew: `migration-gate baseline --renew`.",
        )
    for entry in baseline.entries:
        if found is not None and entry.id not in found:
            yield Finding(
                object=entry.id,
                message=f"The baseline holds a finding of {entry.check} that is gone: {entry.message}",
                location=Location(baseline.path, entry.line),
                fix=FIX,
            )
