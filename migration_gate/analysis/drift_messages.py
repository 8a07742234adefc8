"""A difference between database and models in words, and the lines of a revision that mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from textwrap import dedent

from migration_gate.check import Evidence
from migration_gate.facts import Difference
from migration_gate.wording import code_block, count_noun, join_words

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
COUNTABLE = {
    "row security": "row security setting",
    "column storage": "column storage setting",
    "statistics": "statistics object",
}
"""nouns that are called otherwise where they are counted"""


def is_mild(difference: Difference) -> bool:
    """Whether no query notices it: a name, a comment, a default left over from adding a column."""
    refuses = (difference.database or "").startswith("GENERATED ALWAYS")  # an INSERT that names the column
    left_over = difference.kind == "default" and difference.models is None and not refuses
    return left_over or bool(difference.harmless_because) or difference.kind in ("name-only", "comment")


def sentence(difference: Difference) -> str:
    """The difference in one sentence, the object first, and why no query notices it where that is so."""
    reason = f" ({difference.harmless_because})" if difference.harmless_because else ""
    return _sentence(difference) + reason


def _sentence(difference: Difference) -> str:
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
    if difference.object_noun:
        return difference.object_noun
    text = f"{difference.object} {difference.database or ''}".lower()
    return next((noun for noun in UNMANAGED if re.search(rf"\b{noun}\b", text)), "object")


def listing(unmanaged: Iterable[Difference]) -> tuple[str, tuple[Evidence, ...]]:
    """What stands in the database by migrations alone: one sentence, and the names by kind."""
    objects = sorted((unmanaged_noun(d), d.object) for d in unmanaged)
    by_noun = {noun: [o for _, o in same] for noun, same in groupby(objects, key=itemgetter(0))}
    counts = (count_noun(len(names), COUNTABLE.get(noun, noun)) for noun, names in by_noun.items())
    what = join_words(counts, quote="")
    evidence = tuple(Evidence(noun, ", ".join(names)) for noun, names in by_noun.items())
    return f"Models cannot express {what}: listed, not compared", evidence


def advice(difference: Difference) -> str:
    """What to do: the ready revision, or that people must write it, and what a rename would take."""
    ready = lines(difference)
    says = f"Correct the model, or write into a revision:{code_block(ready)}" if ready else BY_HAND
    hint = _rename(difference)
    return f"{says}\n{hint}" if hint else says


def _rename(difference: Difference) -> str:
    """The operation for where the one name became the other; empty where nothing looks so."""
    if not difference.rename_hint or difference.table is None:
        return ""
    schema, _, table = difference.table.partition(".")
    ours = difference.column or table
    old, new = (ours, difference.rename_hint) if difference.models is None else (difference.rename_hint, ours)
    where = "" if schema == "public" else f", schema={schema!r}"
    prefix = difference.object.removesuffix(ours)
    if difference.column:
        operation = f"op.alter_column({table!r}, {old!r}, new_column_name={new!r}{where})"
    else:
        operation = f"op.rename_table({old!r}, {new!r}{where})"
    return f"If `{prefix}{old}` was renamed to `{prefix}{new}`: `{operation}`"


def lines(difference: Difference) -> str:
    """What to write into a revision's two functions; empty when nobody could write it.

    The functions' heads are left out: with many differences, one revision mends them all.
    """
    upgrade, downgrade = (dedent(text).strip("\n") for text in (difference.upgrade, difference.downgrade))
    if not upgrade.strip():
        return ""
    if not downgrade.strip():
        downgrade = 'raise NotImplementedError("this cannot be undone")'
    return f"# upgrade\n{upgrade}\n\n# downgrade\n{downgrade}"
