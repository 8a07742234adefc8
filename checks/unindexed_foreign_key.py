"""No index starts with the columns of a new foreign key.

Postgres does not make one. Each deletion of a referenced row, and each change of its key, then reads the
whole table that references it; so does every join along the key.

Instead, create an index that starts with these columns, in the revision that makes the key.
"""

from collections.abc import Iterator

from migration_gate.analysis import op_code
from migration_gate.analysis.new_parts import NewConstraint, find_unindexed_foreign_keys
from migration_gate.analysis.ownership import list_owner_columns
from migration_gate.analysis.safe_indexes import complete_index
from migration_gate.analysis.safe_operations import build_index, execute, join_code
from migration_gate.check import Evidence, Finding, Severity, Subject
from migration_gate.facts import Constraint, Facts, Index, Replay, display_name
from migration_gate.sql.identifiers import qualified_name, quote_identifier
from migration_gate.wording import code_block, join_words

SEVERITY = Severity.NOTE
SUBJECT = Subject.OBSERVED


def check(facts: Facts) -> Iterator[Finding]:
    """Yield the foreign keys of the change, but for those that unindexed-owner is about."""
    owned = {(item.column.schema, item.column.table, item.column.name) for item in list_owner_columns(facts)}
    for item in find_unindexed_foreign_keys(facts):
        key = item.constraint
        if (key.schema, key.table, key.columns[0]) not in owned:
            yield _describe(facts, item)


def _describe(facts: Facts, item: NewConstraint) -> Finding:
    key = item.constraint
    table = display_name(key.schema, key.table)
    stood = any(
        (old.schema, old.name) == (key.schema, key.table) for old in facts.replay.observation.relations
    )
    return Finding.at_origin(
        item.origin,
        f"{table}.{key.name}",
        f"`{table}`: no index starts with {join_words(key.columns)}, the columns of the foreign key "
        f"`{key.name}`",
        evidence=(Evidence("foreign key", key.definition),),
        fix=f"Create one, here and in the model:{code_block(_create_index(facts.replay, key, blocks=stood))}",
    )


def _create_index(replay: Replay, key: Constraint, *, blocks: bool) -> str:
    """The operation; one that lets others write if they use the table already."""
    name = op_code.join_name("ix", key.table, *key.columns)
    if blocks:
        columns = ", ".join(map(quote_identifier, key.columns))
        target = f"{qualified_name(key.schema, key.table)} USING btree ({columns})"
        table = replay.catalog.find_table(key.schema, key.table)
        if table is not None and table.kind == "partitioned table":  # which takes no CONCURRENTLY
            definition = f"CREATE INDEX {quote_identifier(name)} ON ONLY {target}"
            index = Index(key.schema, key.table, name, definition, key.columns)
            return join_code(execute(definition), complete_index(replay, index))
        return build_index(key.schema, name, f"CREATE INDEX {quote_identifier(name)} ON {target}")
    return op_code.format_operation(
        "create_index",
        op_code.quote_python(name),
        op_code.quote_python(key.table),
        op_code.list_of_names(list(key.columns)),
        **op_code.schema_keyword(key.schema),
    )
