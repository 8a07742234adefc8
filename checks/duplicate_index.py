"""An index of the change does what another one does.

Both are kept up to date with every write, and take their space; queries use one of them.

Instead, leave one of them out.
"""

from collections.abc import Iterator

from migration_gate.analysis.new_parts import find_duplicate_indexes
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, display_name

SEVERITY = Severity.NOTE
SUBJECT = Subject.OBSERVED


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one note for each pair, at the newer index."""
    seen: set[frozenset[str]] = set()
    for item in find_duplicate_indexes(facts):
        index, twin = item.index, item.twin
        if twin is None or frozenset((index.name, twin.name)) in seen:
            continue
        seen.add(frozenset((index.name, twin.name)))
        name = display_name(index.schema, index.name)
        yield Finding.at_origin(
            item.origin,
            name,
            f"`{name}` does what `{display_name(twin.schema, twin.name)}` does",
            evidence=(Evidence("index", index.definition), Evidence("other index", twin.definition)),
            fix=f"Leave `{index.name}` out, here and in the model.",
        )
