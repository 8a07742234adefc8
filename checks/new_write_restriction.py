"""The change adds a rule for columns that the live release writes.

The release does not know the rule: it may go on to send a NULL, a duplicate or a value that is refused now,
and its users get errors until it is replaced. NOT VALID does not help: it spares old rows, not new ones.

Instead, first release code that keeps the rule, and add the rule when no other code runs any more.
"""

from collections.abc import Iterator

from migration_gate.analysis import stricter_schema
from migration_gate.analysis.schema_pair import pair_schemas
from migration_gate.analysis.stricter_schema import Restriction, find_restrictions
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.WARNING
SUBJECT = Subject.OBSERVED
KINDS = stricter_schema.KINDS


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each rule."""
    pair = pair_schemas(facts)
    if pair is not None:
        yield from map(_describe, find_restrictions(pair))


def _describe(restriction: Restriction) -> Finding:
    if restriction.kind == "row-security":
        message = f"`{restriction.item}`: row level security hides rows from every role that owns no policy"
    else:
        message = f"`{restriction.item}` is a new rule for rows that the live release writes"
    return Finding.at_origin(
        restriction.origin,
        restriction.item,
        message,
        evidence=(Evidence("rule", restriction.definition),),
        fix="See that the release that is live keeps the rule, or release code that does so before the rule.",
    ).with_kind(restriction.kind)
