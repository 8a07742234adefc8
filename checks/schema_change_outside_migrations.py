"""Code beside the migrations changes the schema when it runs.

No revision knows a table that the application, a script or a workflow creates or alters: a new
database lacks it, `--autogenerate` sees it as drift, and the result depends on the order of deployments.

Instead, write a revision that does the same, and let `alembic upgrade head` alone change the schema.
"""

from collections.abc import Iterator

from migration_gate.analysis.relation_names import find_relations, index_relation_names
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts, SchemaChange
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.ERROR

CREATE_ALL_FIX = """Run `alembic upgrade head` where this runs: a table that create_all made first is \
unknown to every revision, and the revision that makes it later fails."""
DROP_ALL_FIX = "Drop the database instead, or run `alembic downgrade base`; keep drop_all to the tests."


def check(facts: Facts) -> Iterator[Finding]:
    """Yield DDL that names a relation of the replayed schema, and every create_all and drop_all."""
    known_names = index_relation_names(facts.replay.catalog)
    for change in facts.tree.schema_changes:
        relations = find_relations(change.tables, known_names)
        if change.tables and not relations:
            continue
        # Which table a DDL element changes is known only when the code runs.
        is_unsure = change.kind == "ddl element" and not relations
        yield Finding(
            object=relations[0] if relations else change.statement,
            message=_describe_change(change, relations),
            location=change.location,
            evidence=(Evidence("statement", change.statement),),
            fix=_describe_fix(change),
            severity=Severity.WARNING if is_unsure else None,
        )


def _describe_change(change: SchemaChange, relations: tuple[str, ...]) -> str:
    names = join_words(relations)
    if change.kind in ("create_all", "drop_all"):
        verb = "creates" if change.kind == "create_all" else "drops"
        tables = names or "the tables of the models"
        return f"`{change.statement}` {verb} {tables} outside the migrations"
    if not relations:
        return f"`{change.statement}` changes a table outside the migrations"
    verb = "is" if len(relations) == 1 else "are"
    author = {"shell": "a script", "workflow": "a workflow"}.get(change.kind, "code outside the migrations")
    return f"{names} {verb} changed by {author}"


def _describe_fix(change: SchemaChange) -> str:
    if change.kind == "create_all":
        return CREATE_ALL_FIX
    if change.kind == "drop_all":
        return DROP_ALL_FIX
    advice = "Write a revision that does the same, and delete this statement"
    return f"{advice}:{code_block(change.suggested_op)}" if change.suggested_op else f"{advice}."
