"""How a statement that blocks others can be written so that it does not, in words and operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.blocking_works import BlockingWork, WorkUnderLock
from migration_gate.analysis.observed_changes import TableChange, TypeChange, find_current_name
from migration_gate.analysis.partition_rules import find_partition_rule
from migration_gate.analysis.safe_rewrites import describe_rewrite
from migration_gate.facts import Facts, NamedDefinition, Replay
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier
from migration_gate.wording import code_block

LET_GO = "`autocommit_block()` commits what was done before it, so no lock is held while it works"


def describe_safe_way(facts: Facts, item: BlockingWork) -> str:
    """What to write instead."""
    return _WAYS[item.kind](facts.replay, item)


def table_name(replay: Replay, item: BlockingWork) -> str:
    """The table as SQL takes it."""
    return name_on_search_path(*find_current_name(replay, item.work.relation))


def _build_index(replay: Replay, item: BlockingWork) -> str:
    definition = _find_index(item.change, item.work.detail) or item.statement.sql
    schema = item.work.relation.schema
    if item.work.relation.kind == "partitioned table":
        return _build_partitioned_index(replay, item, definition)
    return (
        f"Build it while others read and write: {LET_GO}, and a build that failed is repeated."
        + code_block(code.build_index(schema, item.work.detail, definition))
    )


def _build_partitioned_index(replay: Replay, item: BlockingWork, definition: str) -> str:
    """An index of a partitioned table is made on the parent alone, then built for each partition."""
    parent = item.work.relation
    name = quote_identifier(item.work.detail)
    partitions = [
        table
        for table in replay.catalog.tables
        if f"{parent.schema}.{parent.name}" in table.inherits and table.kind == "table"
    ]
    target = f" ON {name_on_search_path(parent.schema, parent.name)}"
    source = definition.replace(f" ON ONLY {parent.schema}.", f" ON {parent.schema}.")
    if f" ON {parent.schema}." in source:
        source = source.replace(f" ON {parent.schema}.{quote_identifier(parent.name)}", target, 1)
    builds, attachments = [], []
    for table in partitions:
        own_name = f"{item.work.detail}_{table.name}"
        own = source.replace(target, f" ON {name_on_search_path(table.schema, table.name)}", 1)
        own = own.replace(f"INDEX {name} ", f"INDEX {quote_identifier(own_name)} ", 1)
        builds += [code.drop_index_concurrently(table.schema, own_name), code.create_index_concurrently(own)]
        attachments.append(code.execute(f"ALTER INDEX {name} ATTACH PARTITION {quote_identifier(own_name)}"))
    only = source.replace(target, f" ON ONLY{target.removeprefix(' ON')}", 1)
    return (
        "A partitioned table takes no CONCURRENTLY: make the index on the parent alone, build it for each "
        "partition, and attach these."
        + code_block(
            code.join_code(code.execute(only), code.in_autocommit(*builds) if builds else "", attachments)
        )
    )


def _find_index(change: TableChange, name: str) -> str:
    indexes = change.after.indexes if change.after is not None else ()
    return next((index.definition for index in indexes if index.name == name), "")


def _find_old_index(change: TableChange, name: str) -> str:
    indexes = change.before.indexes if change.before is not None else ()
    return next((index.definition for index in indexes if index.name == name), "")


def _rebuild_index(replay: Replay, item: BlockingWork) -> str:
    definition = _find_index(item.change, item.work.detail)
    schema = item.work.relation.schema
    drop = code.in_autocommit(code.drop_index_concurrently(schema, item.work.detail))
    change = code.execute(" ".join(item.statement.sql.split()))
    return (
        "Drop the index before, and build it again after the change: queries do without it for that time."
        + code_block(
            code.join_code(drop, change, code.build_index(schema, item.work.detail, definition))
            if definition
            else drop
        )
    )


def _add_index_constraint(replay: Replay, item: BlockingWork) -> str:
    constraint = next(
        (item_ for item_ in item.change.new_constraints if item_.name == item.work.detail), None
    )
    table = table_name(replay, item)
    if constraint is None or constraint.definition.startswith("EXCLUDE"):
        return (
            "An EXCLUDE constraint cannot be built while others write: add it in a maintenance window, with "
            "a "
            "`lock_timeout`, or fill a new table that has it."
        )
    columns = [
        code.add_column(table, column)
        for column in item.change.new_columns
        if column.name in constraint.columns and column.nullable
    ]
    required = []
    if constraint.definition.startswith("PRIMARY KEY"):
        names = {column.name for column in item.change.new_not_null}
        required = [name for name in constraint.columns if name in names]
    return (
        "Build the index while others read and write, and make the constraint of it, which takes a moment."
        + code_block(
            code.join_code(
                columns,
                code.set_not_null(table, required) if required else "",
                code.use_index(table, item.work.relation.schema, constraint),
            )
        )
    )


def _scan_not_null(replay: Replay, item: BlockingWork) -> str:
    table = table_name(replay, item)
    columns = [column.name for column in item.change.new_not_null]
    return (
        "Have a CHECK read the rows while others read and write: where it proves that there is no NULL, SET "
        "NOT NULL takes a moment." + code_block(code.set_not_null(table, columns or ["column"]))
    )


def _scan_check(replay: Replay, item: BlockingWork) -> str:
    table = table_name(replay, item)
    new = [item_ for item_ in item.change.new_constraints if item_.definition.startswith("CHECK")]
    if new:
        columns = [_add_nullable_column(table, item, column.name) for column in item.change.new_columns]
        return (
            f"Add the rule for new rows, and read the old ones while others read and write: {LET_GO}."
            + code_block(
                code.join_code(columns, [code.add_checked(table, c.name, c.definition) for c in new])
            )
        )
    if item.change.type_changes:
        return _change_type_with_check(table, item)
    return (
        "Add the rule as NOT VALID, and validate it in a transaction of its own: the rows are read then "
        "while "
        "others read and write."
    )


def _add_nullable_column(table: str, item: BlockingWork, name: str) -> str:
    column = next(column for column in item.change.new_columns if column.name == name)
    default = f" DEFAULT {column.default}" if column.default else ""
    null = "" if column.nullable else " NOT NULL"
    return code.execute(
        f"ALTER TABLE {table} ADD COLUMN {quote_identifier(name)} {column.type}{default}{null}"
    )


def _change_type_with_check(table: str, item: BlockingWork) -> str:
    changed = {change.column.name for change in item.change.type_changes}
    before = item.change.before.constraints if item.change.before is not None else ()
    checks = [
        constraint
        for constraint in before
        if constraint.definition.startswith("CHECK") and changed.intersection(constraint.columns)
    ]
    return (
        "A CHECK of the column is verified again for the new type: drop it before, and add it again as NOT "
        "VALID."
        + code_block(
            code.join_code(
                [
                    code.execute(f"ALTER TABLE {table} DROP CONSTRAINT {quote_identifier(check.name)}")
                    for check in checks
                ],
                [_set_type(table, change) for change in item.change.type_changes],
                [code.add_checked(table, check.name, check.definition) for check in checks],
            )
        )
    )


def _set_type(table: str, change: TypeChange) -> str:
    column = quote_identifier(change.column.name)
    return code.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {change.column.type}")


def _scan_foreign_key(replay: Replay, item: BlockingWork) -> str:
    table = table_name(replay, item)
    known = [constraint for constraint in item.change.new_constraints if _is_foreign_key(constraint)]
    if not known:
        return (
            "The type of a key is changed, so its foreign keys are verified again: drop them before, and "
            "add them "
            "again as NOT VALID after the change; then validate them in a transaction of its own."
        )
    columns = [_add_nullable_column(table, item, column.name) for column in item.change.new_columns]
    return f"Add it for new rows, and read the old ones while others read and write: {LET_GO}." + code_block(
        code.join_code(columns, [code.add_checked(table, c.name, c.definition) for c in known])
    )


def _is_foreign_key(constraint: NamedDefinition) -> bool:
    return constraint.definition.startswith("FOREIGN KEY")


def _attach_partition(replay: Replay, item: BlockingWork) -> str:
    table = table_name(replay, item)
    change = item.change
    condition = _find_partition_rule(replay, item)
    name = f"{item.work.relation.name}_partition"
    if not condition or change is None:
        return (
            "Add a CHECK with the rule of the partition to the table as NOT VALID, validate it in a "
            "transaction "
            "of its own, attach the table, which then needs no scan, and drop the CHECK."
        )
    return (
        "Have a CHECK with the partition's rule read the rows while others read and write: ATTACH PARTITION "
        "then "
        "needs no scan."
        + code_block(
            code.join_code(
                code.add_checked(table, name, f"CHECK ({condition})"),
                code.execute(" ".join(item.statement.sql.split())),
                code.execute(f"ALTER TABLE {table} DROP CONSTRAINT {quote_identifier(name)}"),
            )
        )
    )


def _find_partition_rule(replay: Replay, item: BlockingWork) -> str:
    """The rule as a condition, for one column and a range or a list; '' for others."""
    return find_partition_rule(replay, item.work.relation)


def _maintain(replay: Replay, item: BlockingWork) -> str:
    words = item.statement.sql.split()
    first = words[0].upper() if words else ""
    if first == "REINDEX":
        text = " ".join(words)
        for kind in ("INDEX", "TABLE", "SCHEMA"):
            text = (
                text.replace(f"{kind} ", f"{kind} CONCURRENTLY ", 1) if kind in text.upper().split() else text
            )
        return "Build the indexes anew while others read and write." + code_block(
            code.in_autocommit(code.execute(text))
        )
    return (
        "Take it out of the migrations: run it in a maintenance window, or rebuild the table with "
        "`pg_repack`, "
        "which blocks others for moments only."
    )


def _refresh(replay: Replay, item: BlockingWork) -> str:
    view = name_on_search_path(item.work.relation.schema, item.work.relation.name)
    return (
        "Refresh it while others read it; that needs a unique index on columns of the materialized view, "
        "without "
        "a WHERE." + code_block(code.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}"))
    )


def _rewrite(replay: Replay, item: BlockingWork) -> str:
    return describe_rewrite(table_name(replay, item), item)


_WAYS: Mapping[str, Callable[[Replay, BlockingWork], str]] = {
    "table-rewrite": _rewrite,
    "index-build": _build_index,
    "index-rebuild": _rebuild_index,
    "constraint-index": _add_index_constraint,
    "not-null-scan": _scan_not_null,
    "check-scan": _scan_check,
    "foreign-key-scan": _scan_foreign_key,
    "partition-scan": _attach_partition,
    "maintenance": _maintain,
    "materialized-view-refresh": _refresh,
}


def describe_release(item: WorkUnderLock) -> str:
    """How the work is done when the locks are gone."""
    sql = " ".join(item.statement.sql.split())
    return (
        "Let the locks go first: in a block that commits what was done before it, or in a revision of its "
        "own, if "
        "`env.py` gives each revision a transaction (`transaction_per_migration=True`). Change many rows "
        "some at a "
        "time." + code_block(code.in_autocommit(code.execute(sql)))
    )
