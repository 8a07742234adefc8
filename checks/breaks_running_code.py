"""The release that is live does not work on the schema of the change.

Between the migration and the end of the rollout, both run: until the last process of the old release has
ended, its requests fail. A renamed or dropped column that a class maps fails in every SELECT of it.

Instead, make the change in two releases: first code that works with both schemas, then the migration.
"""

from collections.abc import Iterator

from migration_gate.analysis import running_code_messages as messages
from migration_gate.analysis.running_code_origin import find_refusal_origin
from migration_gate.check import Finding, Severity, Subject
from migration_gate.facts import Facts, RefusedStatement

SEVERITY = Severity.ERROR
SUBJECT = Subject.RUNNING_TABLE
KINDS = ("failing-statement", "refused-value")
"""a statement that always fails; one that fails with some of the values that the release may send"""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each reason why statements of the base's models fail."""
    for refused in facts.running_code.old_code:
        yield _describe(facts, refused)


def _describe(facts: Facts, refused: RefusedStatement) -> Finding:
    origin = find_refusal_origin(facts, refused)
    return Finding(
        object=str(refused),
        message=messages.describe_refusal(refused),
        location=origin.location,
        revision=origin.revision,
        evidence=tuple(messages.list_refusal_evidence(refused)),
        fix=messages.describe_two_releases(facts, refused),
        kind=KINDS[refused.is_partial],
        severity=Severity.WARNING if refused.is_partial else None,
    )
