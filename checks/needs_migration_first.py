"""The code of the change works only after its migration has run.

A process of the new release that starts before, or that stays when the migration is taken back, fails with
missing tables or columns. This is usual, and no fault: it says in which order to deploy.

Instead, if the code must be able to start first, let it work without what is not there yet.
"""

from collections.abc import Iterator

from migration_gate.analysis.running_code_origin import find_refusal_origin
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts

SEVERITY = Severity.NOTE
SUBJECT = Subject.RUNNING_TABLE
SHOWN = 12


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding, with all that the base's schema lacks."""
    needs = facts.running_code.new_code
    if not needs:
        return
    names = ", ".join(f"`{need}`" for need in needs[:SHOWN])
    more = f" and {len(needs) - SHOWN} more" if len(needs) > SHOWN else ""
    origin = find_refusal_origin(facts, needs[0])
    yield Finding(
        object=str(needs[0]),
        message=f"the models of the change need what its migration makes: {names}{more}",
        location=origin.location,
        revision=origin.revision,
        evidence=tuple(Evidence(str(need), need.message) for need in needs[:SHOWN]),
        fix="Run the migration first, and start the new release when it has succeeded.",
    )
