"""Which relation of the replayed schema a name in a statement means, by Postgres's rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from migration_gate.facts import Snapshot

_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')
_HOLE = re.compile(r"[$%]?\{+[^{}]*\}+")
"""a part that only the running program knows"""


def known(catalog: Snapshot) -> dict[tuple[str | None, str], str]:
    """Every relation and enum of the schema as people say it, with and without its schema."""
    found = [(enum.schema, enum.name, str(enum)) for enum in catalog.enums]
    found += [(index.schema, index.name, str(index)) for index in catalog.indexes]
    found += [(view.schema, view.name, str(view)) for view in catalog.views]
    found += [(sequence.schema, sequence.name, str(sequence)) for sequence in catalog.sequences]
    found += [(table.schema, table.name, str(table)) for table in catalog.tables]
    return {key: said for schema, name, said in found for key in ((schema, name), (None, name))}


def meant(written: Iterable[str], names: Mapping[tuple[str | None, str], str]) -> tuple[str, ...]:
    """The relations that the written names mean; those of other schemas and databases are left out."""
    return tuple(dict.fromkeys(said for name in written if (said := _match(name, names))))


def _match(written: str, names: Mapping[tuple[str | None, str], str]) -> str | None:
    plain = _HOLE.sub("\0", written)
    parts = [quoted.replace('""', '"') if quoted else bare.lower() for quoted, bare in _PART.findall(plain)]
    if not parts or "\0" in parts[-1]:
        return None
    schema = parts[-2] if len(parts) > 1 and "\0" not in parts[-2] else None
    return names.get((schema, parts[-1]))
