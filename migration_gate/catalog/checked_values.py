"""Values that may satisfy a CHECK, or a domain's, which has refused a row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product

from migration_gate.catalog.check_expressions import list_literals
from migration_gate.catalog.needed_values import NeededValues
from migration_gate.catalog.simple_values import list_usual_values
from migration_gate.catalog.trial_row import PendingRow, Values
from migration_gate.facts import Column, Constraint, RowRefusal, Snapshot, Table

PATTERN_MATCH = re.compile(r" !?~+\*? ")
MAX_COMBINATIONS = 200
"""of values that are tried for one CHECK"""


class CheckedValues:
    """What the CHECKs of one database may accept."""

    def __init__(self, catalog: Snapshot, needed: NeededValues) -> None:
        self._catalog = catalog
        self._needed = needed

    def find_check(self, table: Table, refusal: RowRefusal) -> tuple[list[Column], str]:
        """The columns that a CHECK is about, and its text."""
        columns = self._catalog.columns_of(table)
        for check in self._catalog.constraints_of(table):
            if check.kind == "check" and check.name == refusal.constraint:
                return [column for column in columns if column.name in check.columns], check.definition
        domains = {
            name: item.definition
            for name, item in self._needed.domains.items()
            if refusal.constraint in item.definition
        }
        of_domain = [column for column in columns if column.type.replace('"', "") in domains]
        return of_domain, " ".join(domains.values())

    def list_candidates(
        self, pending: PendingRow, column: Column, check: str, keys: Iterable[str | None]
    ) -> Iterator[str | None]:
        """Values that are worth a try, each once: the one that it has, the check's literals, usual ones.

        `keys`: values that the column's foreign keys allow; if it has such keys, these alone.
        """
        current = pending.values.get(column.name)
        literals = list_literals([Constraint(column.schema, column.table, "", "check", check)])
        usual = list_usual_values(column.type, self._needed.named)
        if PATTERN_MATCH.search(check):  # the literal is a pattern, and rarely what fits it
            literals, usual = usual, literals
        candidates = [current, *literals, *usual, self._needed.make_value(column, pending.number)]
        referenced = any(column.name in key.columns for key in self._catalog.foreign_keys_of(pending.table))
        if referenced:
            candidates = [current, *keys]
        if column.nullable:
            candidates.append(None)
        elif current is None:
            candidates = candidates[1:]
        yield from dict.fromkeys(candidates)


def list_combinations(
    columns: Sequence[Column], candidates: Sequence[Sequence[str | None]]
) -> Iterator[Values]:
    """Combinations of the columns' candidates: few changes first, then those that are near the front."""
    combinations = sorted(islice(product(*map(enumerate, candidates)), 10 * MAX_COMBINATIONS), key=_rank)
    for combination in combinations[:MAX_COMBINATIONS]:
        yield {column.name: value for column, (_, value) in zip(columns, combination, strict=True)}


def _rank(combination: Sequence[tuple[int, str | None]]) -> tuple[int, int]:
    places = [place for place, _ in combination]
    return sum(place > 0 for place in places), sum(places)
