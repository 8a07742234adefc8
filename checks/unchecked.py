"""Something could not be checked.

A gate that skips in silence says "clean" where nobody has looked. What could not be run,
read or compared is named here, with the reason.

Instead, give the gate what it lacks, or allow this one object by name, with a reason.
"""

from collections.abc import Iterator

from migration_gate.check import Finding, Severity
from migration_gate.facts import Facts

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what the replay, the repository and the comparison with the models had to leave out."""
    places = dict(facts.replay.models.places)
    for name, why in (*facts.replay.unchecked, *facts.tree.unchecked):
        yield Finding(at=name, says=f"`{name}` was not checked: {why}", fix=_fix(name))
    for part in facts.replay.models.uncreated:
        if not part.compared:
            yield Finding(
                at=part.object,
                says=f"`{part.object}` was not compared: Postgres would not create it from the models",
                place=places.get(part.object) or places.get(f"public.{part.object}"),
                evidence=(("Postgres", part.says),),
                fix=_fix(part.object),
            )


def _fix(name: str) -> str:
    return f"Give the gate what it lacks, or allow unchecked for `{name}` with a reason."
