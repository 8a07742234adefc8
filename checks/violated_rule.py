"""Rows break a rule that the database has.

The new revisions ran from the base with about twenty rows in each table. A CHECK or foreign key that is
NOT VALID was never held against the rows that were there; one that is valid was circumvented, by disabled
triggers for example. Code that relies on the rule meets rows that break it, and `VALIDATE CONSTRAINT` fails.

Instead, correct the rows in the revision that makes the rule, and validate it.
"""

from collections.abc import Iterator

from migration_gate.analysis.rehearsal_messages import locate_change
from migration_gate.analysis.safe_operations import (
    add_checked,
    drop_constraint,
    execute,
    in_autocommit,
    join_code,
)
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import BrokenRule, Facts
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block

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
    statement = (Evidence("statement", rule.statement),) if rule.statement else ()
    return Finding(
        object=str(rule),
        message=f"`{rule.constraint}` {seen}: rows of `{rule.table}` break it after `{revision}`",
        location=locate_change(facts.replay, revision, rule.line),
        revision=revision,
        evidence=(*statement, Evidence("rule", rule.definition), Evidence("error", rule.message), *detail),
        fix=_suggest(rule),
        kind="circumvented" if rule.is_validated else "not-valid",
        severity=Severity.ERROR if rule.is_validated else None,
    )


def _suggest(rule: BrokenRule) -> str:
    table, name = name_on_search_path(rule.schema, rule.table), quote_identifier(rule.constraint)
    if rule.is_validated:
        addition = add_checked(table, rule.constraint, rule.definition)
        return (
            "Correct the rows in the revision. Postgres takes the rule for valid and looks at no row again "
            "unless it is made anew:"
            + code_block(join_code(drop_constraint(table, rule.constraint), addition))
        )
    validation = execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    return f"Correct the rows in the revision, then validate the rule:{code_block(in_autocommit(validation))}"
