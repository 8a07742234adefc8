"""The same history makes different databases on two versions of Postgres.

`postgres:` names several, and an object is there on one of them alone, or has another definition
there. What was tested on one major is not what the other one gets, and an upgrade of the server
does not bring them together.

Instead, write what the migration means in words that both versions read in the same way, or list
only the versions that production runs.
"""

from collections.abc import Iterator

from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, ServerDifference

SEVERITY = Severity.ERROR
SUBJECT = Subject.RUN


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each object that two servers have differently."""
    for difference in facts.replay.server_differences:
        yield Finding(
            object=difference.object,
            message=_describe(difference),
            location=difference.location,
            revision=difference.revision,
            evidence=(
                Evidence(f"PostgreSQL {difference.server}", difference.text or "not there"),
                Evidence(f"PostgreSQL {difference.other_server}", difference.other_text or "not there"),
            ),
            fix="Write the migration so that both versions make the same of it.",
        )


def _describe(difference: ServerDifference) -> str:
    name = f"`{difference.object}`"
    if difference.other_text is None:
        return f"{name}: the {difference.noun} is there on PostgreSQL {difference.server} alone"
    if difference.text is None:
        return f"{name}: the {difference.noun} is there on PostgreSQL {difference.other_server} alone"
    return (
        f"{name}: the {difference.noun} differs between PostgreSQL {difference.server} "
        f"and {difference.other_server}"
    )
