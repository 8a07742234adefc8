"""Work of one statement on all partitions of a table, or on all tables that inherit from it, as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migration_gate.analysis.blocking_works import BlockingWork
from migration_gate.analysis.sized_facts import SizedFacts
from migration_gate.facts import ObservedStatement, StoredRelation
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import count_noun


@dataclass(frozen=True, slots=True)
class FamilyWorks:
    """Works of the same kind and statement; several only if it came to their tables by one parent."""

    items: tuple[BlockingWork, ...]
    parent: StoredRelation | None = None
    """which the statement names, in place of these tables"""

    @property
    def table(self) -> str:
        """The table that the statement is about."""
        relation = self.parent if self.parent is not None else self.items[0].work.relation
        return relation.table_name

    def describe_rest(self) -> str:
        """The tables beside the first one, as the rest of a sentence."""
        if self.parent is None or len(self.items) == 1:
            return ""
        number = len(self.items) - 1
        noun = "partition" if self.parent.kind == "partitioned table" else "table"
        heirs = f" that inherit{'s' if number == 1 else ''} from it" if noun == "table" else ""
        return f", and does the same with {count_noun(number, f'more {noun}')}{heirs}"


def group_by_parent(sized: SizedFacts, items: Iterable[BlockingWork]) -> Iterator[FamilyWorks]:
    """The works in their order, those of one family at the place of the first.

    items: those of a statement follow each other.
    """
    statement: ObservedStatement | None = None
    families: dict[tuple[str, str], FamilyWorks] = {}
    for item in items:
        if item.statement is not statement:
            yield from families.values()
            statement, families = item.statement, {}
        parent = _find_parent(sized, item)
        key = (item.kind, str(parent or item.work.relation))
        family = families.get(key, FamilyWorks(()))
        families[key] = FamilyWorks((*family.items, item), parent or family.parent)
    yield from families.values()


def _find_parent(sized: SizedFacts, item: BlockingWork) -> StoredRelation | None:
    """The table that the statement names in place of the work's; None if the work is on that one alone.

    For a new partition the rows of the default one are read, and those of no other.
    """
    if item.kind == "partition-scan":
        return None
    return sized.find_stem(item.statement, item.work.relation)
