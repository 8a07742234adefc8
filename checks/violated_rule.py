"""Rows break a rule that the database has.

The new revisions ran from the base with about twenty rows in each table. A CHECK or foreign key that is
NOT VALID was never held against the rows that were there; one that is valid was circumvented, by disabled
triggers for example. Code that relies on the rule meets rows that break it, and `VALIDATE CONSTRAINT` fails.

Instead, correct the rows in the revision that makes the rule, and validate it.
"""

from collections.abc import Iterator

from migration_gate.analysis.rehearsal_messages import locate_change
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import BrokenRule, Facts

SEVERITY = Severity.WARNING
SUBJECT = Subject.REHEARSED
KINDS = ("not-valid", "circumvented")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each rule, at the first revision after which rows broke it."""
    revisions = facts.replay.rehearsal.revisions
    still_broken = {str(rule) for rehearsed in revisions[-1:] for rule in rehearsed.broken_rules}
    for rehearsed in revisions:
        for rule in rehearsed.broken_rules:
            if str(rule) in still_broken:
                still_broken.remove(str(rule))
                yield _describe(facts, rehearsed.revision, rule)


def _describe(facts: Facts, revision: str, rule: BrokenRule) -> Finding:
    seen = "is valid, and was circumvented" if rule.is_validated else "is NOT VALID"
    detail = (Evidence("detail", rule.detail),) if rule.detail else ()
    return Finding(
        object=str(rule),
        message=f"`{rule.constraint}` {seen}: rows of `{rule.table}` break it after `{revision}`",
        location=locate_change(facts.replay, revision, None),
        revision=revision,
        evidence=(Evidence("rule", rule.definition), Evidence("error", rule.message), *detail),
        fix="Correct the rows in the revision, then validate the rule:\n\n"
        f'    op.execute("ALTER TABLE {rule.table} VALIDATE CONSTRAINT {rule.constraint}")',
        kind="circumvented" if rule.is_validated else "not-valid",
        severity=Severity.ERROR if rule.is_validated else None,
    )
