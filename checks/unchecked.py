"""Something could not be checked.

A gate that skips in silence says "clean" where nobody has looked. What could not be run,
read or compared is named here, with the reason.

Instead, give the gate what it lacks, or allow this one object by name, with a reason.
"""

from collections.abc import Iterator

from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what the replay, the repository and the comparison with the models had to leave out."""
    models = facts.replay.models
    for item in (*facts.replay.unchecked, *facts.tree.unchecked):
        message = f"`{item.object}` was not checked: {item.why}"
        yield Finding(item.object, message, fix=_fix(item.object))
    for part in facts.replay.models.uncreated_objects:
        if not part.compared_by_alembic:
            yield Finding(
                object=part.object,
                message=f"`{part.object}` was not compared: Postgres would not create it from the models",
                location=models.find_location(part.object) or models.find_location(f"public.{part.object}"),
                evidence=(Evidence("Postgres", part.message),),
                fix=_fix(part.object),
            )


def _fix(name: str) -> str:
    return f"Give the gate what it lacks, or allow unchecked for `{name}` with a reason."
