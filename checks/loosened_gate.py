"""A change lets more pass than the gate's settings at its base do.

A check that is off, a new allowance, a filter in env.py or a workflow that no longer runs the gate
hides the very findings of the change that brings it, and all later ones. The branch is judged by
settings that it wrote itself, so a reviewer has to see what it loosened.

Instead, leave the gate as it is and correct what it found; or loosen it in a change of its own,
whose reason is reviewed. `policy: base` has each change judged by the settings of its base.
"""

from collections.abc import Iterator

from migration_gate.analysis.loosened_gate_parts import KINDS as KINDS_OF_PARTS
from migration_gate.analysis.loosened_gate_parts import find_loosened_parts
from migration_gate.analysis.loosened_settings import Loosening
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.WARNING
SUBJECT = Subject.RUN
KINDS = KINDS_OF_PARTS


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each thing that was loosened since the base."""
    for loosening in find_loosened_parts(facts):
        yield Finding(
            object=loosening.object,
            message=loosening.message,
            location=loosening.location,
            evidence=tuple(_list_evidence(loosening)),
            fix=_FIXES.get(loosening.kind, "Have a reviewer agree to it, or take it back."),
            kind=loosening.kind,
            severity=None if loosening.is_certain else Severity.NOTE,
        )


def _list_evidence(loosening: Loosening) -> Iterator[Evidence]:
    if loosening.was or loosening.becomes:
        yield Evidence("base", loosening.was)
        yield Evidence("change", loosening.becomes)


_FIXES = {
    "allowance": "Have a reviewer agree to the reason, or correct what it allows.",
    "filter": "Have the filter leave out only what it left out at the base.",
    "workflow": "Have the workflow run the gate as before: for every change, and so that a failure counts.",
    "unknown": "Correct the configuration at the base, so that the next change can be compared with it.",
}
