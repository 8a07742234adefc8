"""Code beside the migrations changes the schema when it runs.

A table that the application, a script or a workflow makes or alters is one that no revision knows: a new
database lacks it, `--autogenerate` sees it as drift, and the order of deployments decides who wins.

Instead, write a revision that does the same, and let `alembic upgrade head` alone change the schema.
"""

from collections.abc import Iterator

from migration_gate.analysis import relation_names
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts, SchemaChange
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR

_WHERE = {"shell": "a script", "workflow": "a workflow"}
_CREATE_ALL = """Run `alembic upgrade head` where this runs: a table that create_all made first is unknown to
every revision, and the revision that makes it later fails."""
_DROP_ALL = "Drop the database instead, or run `alembic downgrade base`; keep drop_all to the tests."


def check(facts: Facts) -> Iterator[Finding]:
    """Yield DDL that names a relation of the replayed schema, and every create_all and drop_all."""
    known = relation_names.known(facts.replay.catalog)
    for change in facts.tree.schema_changes:
        named = relation_names.meant(change.tables, known)
        if named or not change.tables:
            unsure = change.kind == "ddl element" and not named
            yield Finding(
                object=named[0] if named else change.statement,
                message=_says(change, named),
                location=change.location,
                evidence=(Evidence("statement", change.statement),),
                fix=_fix(change),
                severity=Severity.WARNING if unsure else None,
            )


def _says(change: SchemaChange, named: tuple[str, ...]) -> str:
    if change.kind in ("create_all", "drop_all"):
        done = "creates" if change.kind == "create_all" else "drops"
        what = join_words(named) or "the tables of the models"
        return f"`{change.statement}` {done} {what} outside the migrations"
    if not named:
        return f"`{change.statement}` changes a table outside the migrations"
    verb = "is" if len(named) == 1 else "are"
    return f"{join_words(named)} {verb} changed by {_WHERE.get(change.kind, 'code outside the migrations')}"


def _fix(change: SchemaChange) -> str:
    if change.kind in ("create_all", "drop_all"):
        return " ".join((_CREATE_ALL if change.kind == "create_all" else _DROP_ALL).split())
    if change.suggested_op is None:
        return "Write a revision that does the same, and delete this statement."
    return f"Write a revision that does the same, and delete this statement:{code_block(change.suggested_op)}"
