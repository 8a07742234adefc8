"""A difference between database and models in words, and the revision file that would mend it."""

from __future__ import annotations

import re
from textwrap import dedent, indent

from migration_gate.facts import Difference

KINDS = (
    "table",
    "column",
    "type",
    "nullability",
    "default",
    "primary-key",
    "foreign-key",
    "unique",
    "check",
    "exclusion",
    "index",
    "enum",
    "type-definition",
    "sequence",
    "comment",
    "table-option",
    "name-only",
    "unmanaged",
)
"""the kinds of difference, as `drift/kind` names them"""
BY_HAND = "Correct the model, or write a revision that makes the database agree with it."
NOUNS = {
    "primary key": "primary key",
    "foreign key": "foreign key",
    "unique": "unique constraint",
    "check": "CHECK constraint",
    "exclusion": "exclusion constraint",
    "enum": "enum",
    "type definition": "type",
}
UNMANAGED = (
    "materialized view",
    "view",
    "function",
    "procedure",
    "aggregate",
    "trigger",
    "policy",
    "rule",
    "extension",
    "grant",
    "schema",
    "domain",
    "statistics",
    "publication",
    "event trigger",
)
IMPORTS = (
    ("from alembic import op", r"\bop\."),
    ("import sqlalchemy as sa", r"\bsa\."),
    ("from sqlalchemy.dialects import postgresql", r"\bpostgresql\."),
)


def sentence(difference: Difference) -> str:
    """The difference in one sentence, the object first."""
    noun = NOUNS.get(difference.kind, difference.kind)
    subject = f"`{difference.object}`"
    if difference.kind == "nullability":
        strict = "the models" if "NOT NULL" in (difference.models or "").upper() else "the migrations"
        return f"{subject} is NOT NULL in {strict} only"
    if difference.kind == "name-only":
        return f"{subject} is the same in migrations and models but for its name"
    if difference.database is None:
        return f"{subject}: the models have this {noun}, no migration makes it"
    if difference.models is None:
        return f"{subject}: the migrations make this {noun}, no model has it"
    if difference.kind in ("type", "default", "comment", "table option"):
        return f"{subject}: its {noun} differs between migrations and models"
    return f"{subject}: this {noun} differs between migrations and models"


def unmanaged_noun(difference: Difference) -> str:
    """What an unmanaged object is."""
    if difference.noun:
        return difference.noun
    text = f"{difference.object} {difference.database or ''}".lower()
    return next((noun for noun in UNMANAGED if re.search(rf"\b{noun}\b", text)), "object")


def revision(difference: Difference, revises: tuple[str, ...]) -> str:
    """A whole revision file that mends the difference; empty when nobody could write one.

    `revises` are the heads that it stands on.
    """
    upgrade, downgrade = (dedent(text).strip("\n") for text in (difference.upgrade, difference.downgrade))
    if not upgrade.strip():
        return ""
    body = f"{upgrade}\n{downgrade}"
    imports = [line for line, used in IMPORTS if re.search(used, body) and line not in body]
    below = repr(revises[0] if len(revises) == 1 else revises) if revises else "None"
    if not downgrade.strip():
        downgrade = 'raise NotImplementedError("this cannot be undone")'
    header = f'revision = "..."  # a new id\ndown_revision = {below}'.replace("'", '"')
    parts = ("\n".join(imports), header, _function("upgrade", upgrade), _function("downgrade", downgrade))
    return "\n\n".join(filter(None, parts))


def _function(name: str, body: str) -> str:
    return f"\ndef {name}() -> None:\n{indent(body, '    ')}"
