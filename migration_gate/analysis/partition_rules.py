"""The rule of a partition as a condition on its rows, from its bound and the key of its parent."""

from __future__ import annotations

import re

from migration_gate.facts import Replay, StoredRelation

KEY = re.compile(r"(?P<kind>RANGE|LIST) \((?P<column>\w+|\"[^\"]+\")\)")
RANGE = re.compile(r"FOR VALUES FROM \((?P<low>.+)\) TO \((?P<high>.+)\)")
LIST = re.compile(r"FOR VALUES IN \((?P<values>.+)\)")


def find_partition_rule(replay: Replay, relation: StoredRelation) -> str:
    """The condition for the rows of a partition by the range or the list of one column; '' for others."""
    table = replay.catalog.find_table(relation.schema, relation.name)
    if table is None or not table.partition_bound:
        return ""
    parents = (replay.catalog.find_table(*name.split(".", 1)) for name in table.inherits)
    parent = next((parent for parent in parents if parent is not None), None)
    key = KEY.fullmatch(parent.partition_key or "") if parent is not None else None
    if key is None:
        return ""
    column = key["column"]
    listed = LIST.fullmatch(table.partition_bound)
    if listed is not None:
        if re.search(r"\bNULL\b", listed["values"]):
            return ""
        return f"{column} IS NOT NULL AND {column} IN ({listed['values']})"
    bounds = RANGE.fullmatch(table.partition_bound)
    if bounds is None:
        return ""
    parts = [f"{column} IS NOT NULL"]
    if bounds["low"] != "MINVALUE":
        parts.append(f"{column} >= {bounds['low']}")
    if bounds["high"] != "MAXVALUE":
        parts.append(f"{column} < {bounds['high']}")
    return " AND ".join(parts)
