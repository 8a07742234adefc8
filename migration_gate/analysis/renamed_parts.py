"""Whether an expression that Postgres prints is another one, or names the same things by new names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.facts import Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import quote_identifier

_PART = re.compile(
    r"""'(?:[^']|'')*'|(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))*|.""", re.DOTALL
)
"""a text, a name with its schema, or one other character"""


@dataclass(frozen=True, slots=True)
class RenamedNames:
    """What only one of two catalogs has, as expressions name it."""

    gone: frozenset[str]
    added: frozenset[str]

    def explain(self, before: str, after: str) -> bool:
        """Whether two expressions differ in names alone, of what is gone and of what is new."""
        parts, new_parts = _PART.findall(before), _PART.findall(after)
        return len(parts) == len(new_parts) and all(
            old == new or (_read_name(old) in self.gone and _read_name(new) in self.added)
            for old, new in zip(parts, new_parts, strict=True)
        )


def compare_names(earlier: Snapshot, later: Snapshot) -> RenamedNames:
    """The names of both catalogs, without those that both have."""
    old_names, new_names = frozenset(_list_names(earlier)), frozenset(_list_names(later))
    return RenamedNames(old_names - new_names, new_names - old_names)


def _list_names(catalog: Snapshot) -> Iterator[str]:
    """Of what a default may name: sequences, functions, and labels of enums."""
    for item in (*catalog.sequences, *catalog.routines):
        yield f"{quote_identifier(item.schema)}.{quote_identifier(item.name)}"
    for enum in catalog.enums:
        yield from enum.labels


def _read_name(part: str) -> str:
    """The content of a text (`nextval('public.numbers'::regclass)`), or the name itself."""
    return part[1:-1].replace("''", "'") if part.startswith("'") else part
