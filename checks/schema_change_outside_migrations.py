"""Code beside the migrations changes the schema when it runs.

A table that the application, a script or a workflow makes or alters is one that no revision knows: a new
database lacks it, `--autogenerate` sees it as drift, and the order of deployments decides who wins.

Instead, write a revision that does the same, and let `alembic upgrade head` alone change the schema.
"""

import re
from collections.abc import Iterator, Mapping

from migration_gate.check import Finding, Severity, code, listed
from migration_gate.facts import Facts, SchemaChange, Snapshot

SEVERITY = Severity.ERROR

_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')
_HOLE = re.compile(r"[$%]?\{+[^{}]*\}+")
_WHERE = {"shell": "a script", "workflow": "a workflow", "execute": "code outside the migrations"}


def check(facts: Facts) -> Iterator[Finding]:
    """Yield DDL that names a relation of the replayed schema, and every create_all and drop_all."""
    known = _names(facts.replay.catalog)
    for change in facts.tree.changes:
        named = tuple(dict.fromkeys(filter(None, (_match(table, known) for table in change.tables))))
        if named or not change.tables:
            unsure = change.how == "ddl element" and not named
            yield Finding(
                at=named[0] if named else change.statement,
                says=_says(change, named),
                place=change.place,
                evidence=(("statement", change.statement),),
                fix=_fix(change),
                severity=Severity.WARNING if unsure else None,
            )


def _names(catalog: Snapshot) -> dict[tuple[str | None, str], str]:
    """Every relation and enum of the replayed schema, with and without its schema."""
    found = [(enum.schema, enum.name, str(enum)) for enum in catalog.enums]
    found += [(index.schema, index.name, str(index)) for index in catalog.indexes]
    found += [(view.schema, view.name, str(view)) for view in catalog.views]
    found += [(sequence.schema, sequence.name, str(sequence)) for sequence in catalog.sequences]
    found += [(table.schema, table.name, str(table)) for table in catalog.tables]
    return {key: said for schema, name, said in found for key in ((schema, name), (None, name))}


def _match(written: str, known: Mapping[tuple[str | None, str], str]) -> str | None:
    """The relation that a name in a statement means, by Postgres's rules for case and quotes."""
    plain = _HOLE.sub("\0", written)
    parts = [quoted.replace('""', '"') if quoted else bare.lower() for quoted, bare in _PART.findall(plain)]
    if not parts or "\0" in parts[-1]:
        return None
    schema = parts[-2] if len(parts) > 1 and "\0" not in parts[-2] else None
    return known.get((schema, parts[-1]))


def _says(change: SchemaChange, named: tuple[str, ...]) -> str:
    if change.how in ("create_all", "drop_all"):
        done = "creates" if change.how == "create_all" else "drops"
        what = listed(named) if named else "the tables of the models"
        return f"`{change.statement}` {done} {what} outside the migrations"
    if not named:
        return f"`{change.statement}` changes a table outside the migrations"
    verb = "is" if len(named) == 1 else "are"
    head = change.statement if len(change.statement) <= 80 else change.statement[:79].rstrip(" …") + "…"
    return f"{listed(named)} {verb} changed by {_WHERE.get(change.how, _WHERE['execute'])}: `{head}`"


def _fix(change: SchemaChange) -> str:
    if change.how == "create_all":
        return (
            "Run `alembic upgrade head` where this runs: a table that create_all made first is unknown to"
            " every revision, and the revision that makes it later fails."
        )
    if change.how == "drop_all":
        return "Drop the database instead, or run `alembic downgrade base`; keep drop_all to the tests."
    if change.operation is None:
        return "Write a revision that does the same, and delete this statement."
    return f"Write a revision that does the same, and delete this statement:{code(change.operation)}"
