"""Code beside the migrations changes the schema when it runs.

No revision knows a table that the application, a script or a workflow creates or alters: a new
database lacks it, `--autogenerate` sees it as drift, and the result depends on the order of deployments.

Instead, write a revision that does the same, and let `alembic upgrade head` alone change the schema.
"""

from collections.abc import Iterator

from migration_gate.analysis import schema_change_messages as messages
from migration_gate.analysis.known_objects import has_object
from migration_gate.analysis.model_registration import ModelRegistration
from migration_gate.analysis.relation_names import find_relations, index_relation_names
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Facts, SchemaChange

SEVERITY = Severity.ERROR
SUBJECT = Subject.TRACKED_FILE


def check(facts: Facts) -> Iterator[Finding]:
    """Yield DDL that names a relation of the replayed schema, and create_all and drop_all of its models."""
    known_names = index_relation_names(facts.replay.catalog)
    registration = ModelRegistration(facts.replay, facts.tree)
    for change in facts.tree.schema_changes:
        if registration.is_of_other_models(change):
            continue
        if change.kind == "ddl event":
            yield from _judge_event(facts, change)
            continue
        relations = find_relations(change.tables, known_names)
        if change.tables and not relations:
            continue
        # Which table a DDL element changes is known only when the code runs.
        is_unsure = change.kind == "ddl element" and not relations
        yield Finding(
            object=relations[0] if relations else change.statement,
            message=messages.describe_change(change, relations),
            location=change.location,
            evidence=(Evidence("statement", change.statement),),
            fix=messages.describe_fix(change),
            severity=Severity.WARNING if is_unsure or messages.may_be_intended(change) else None,
        )


def _judge_event(facts: Facts, change: SchemaChange) -> Iterator[Finding]:
    """What create_all alone makes. It is asked of the schema that a whole replay made."""
    is_replayed = bool(facts.replay.steps) and facts.replay.failure is None
    created = change.created
    if is_replayed and created is not None and has_object(facts.replay.catalog, created) is False:
        yield Finding(
            object=created.name,
            message=messages.describe_event(created),
            location=change.location,
            evidence=(Evidence("statement", change.statement),),
            fix=messages.describe_event_fix(change),
        )
