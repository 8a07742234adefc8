"""Schemas in each of which env.py runs the same revisions: the lines of a fix then name no schema."""

from __future__ import annotations

import re
from collections import defaultdict

from migration_gate.facts import Difference, Replay
from migration_gate.sql.identifiers import quote_identifier


def find_tenant_schemas(replay: Replay) -> tuple[str, ...]:
    """The default schemas of contexts that ran the same revisions; empty if they all have one schema."""
    revisions: dict[int, list[str]] = defaultdict(list)
    for step in replay.steps:
        revisions[step.context].append(step.revision)
    groups: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for context in replay.contexts:
        groups[tuple(revisions[context.number])][context.default_schema] = None
    several = [tuple(schemas) for ran, schemas in groups.items() if ran and len(schemas) > 1]
    return several[0] if len(several) == 1 else ()


def find_schema(difference: Difference) -> str:
    """The schema of what the difference is about."""
    name = difference.table or difference.object
    return name.rpartition(".")[0] or "public"


def remove_schema(code: str, schema: str) -> str:
    """The lines without the name of this schema: they are for the schema that the session is in."""
    # Alembic takes the schema as an argument, SQL as a prefix of the name.
    keyword = rf",\s*(?:source_|referent_)?schema={re.escape(repr(schema))}"
    code = re.sub(keyword, "", code)
    names = "|".join(re.escape(name) for name in {schema, quote_identifier(schema)})
    return re.sub(rf'(?<![\w."$])(?:{names})\.(?=[\w"])', "", code)


def names_schema(code: str, schema: str) -> bool:
    """Whether the lines still have its name."""
    return re.search(rf"(?<![\w$]){re.escape(schema)}(?![\w$])", code) is not None
