"""How a partitioned table gets another partition while others read and write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.observed_changes import find_table_change
from migration_gate.analysis.partition_rules import find_partition_rule
from migration_gate.analysis.safe_way_request import SafeWay, SafeWayRequest
from migration_gate.facts import StoredRelation, WorkKind
from migration_gate.sql.identifiers import name_on_search_path, split_qualified_name, truncate_identifier

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
NEW_PARTITION = re.compile(
    r"\b(?:ATTACH\s+PARTITION|CREATE\s+(?:UNLOGGED\s+)?TABLE(?:\s+IF\s+NOT\s+EXISTS)?)\s+"
    rf"(?P<name>{_NAME}(?:\s*\.\s*{_NAME})?)",
    re.IGNORECASE,
)
WITHOUT_RULE = (
    "Add a CHECK to the table as NOT VALID: with the rule of the partition, or, on a default partition, with "
    "what the new one leaves to it. Validate it in a transaction of its own, then attach or create the "
    "partition, which needs no scan any more, and drop the CHECK."
)


def attach_partition(request: SafeWayRequest) -> SafeWay:
    """For a table with rows that becomes a partition, and for a default partition beside a new one.

    Of the first, its rows are read, and the parent's indexes built; of the second, the rows are read that may
    belong to the new one.
    """
    partition = _find_new_partition(request)
    if partition is None:
        return SafeWay(WITHOUT_RULE)
    builds = _build_indexes(request, partition)
    words = "Build the indexes of the parent before. " if builds else ""
    rule = find_partition_rule(request.replay, partition)
    if not rule:
        return SafeWay(words + WITHOUT_RULE)
    checks = dict(_list_checks(request, partition, rule))
    tables = {table: name_on_search_path(table.schema, table.name) for table in checks}
    names = {table: truncate_identifier(f"{table.name}_partition") for table in checks}
    return SafeWay(
        words + _describe_checks(partition, list(checks)),
        code.join_code(
            builds,
            [code.add_checked(tables[table], names[table], check) for table, check in checks.items()],
            request.statement,
            [code.drop_constraint(tables[table], names[table]) for table in checks],
        ),
    )


def _find_new_partition(request: SafeWayRequest) -> StoredRelation | None:
    """The table that the statement makes a partition; None if it is no such table at the end."""
    match = NEW_PARTITION.search(request.item.statement.sql)
    if match is None:
        return None
    *schemas, name = split_qualified_name(match["name"])
    for table in request.replay.catalog.tables:
        if table.name == name and table.partition_bound and schemas in ([], [table.schema]):
            return StoredRelation(table.schema, table.name)
    return None


def _build_indexes(request: SafeWayRequest, partition: StoredRelation) -> list[str]:
    change = find_table_change(request.replay, request.item.statement, partition)
    if change.before is None:
        return []  # it is new: there is nothing to build
    table = name_on_search_path(partition.schema, partition.name)
    constraints = {rule.name: rule for rule in change.new_constraints}
    return [
        code.use_index(table, partition.schema, constraints[index.name], index.definition)
        if index.name in constraints
        else code.build_index(partition.schema, index.name, index.definition)
        for index in change.new_indexes
    ]


def _list_checks(
    request: SafeWayRequest, partition: StoredRelation, rule: str
) -> Iterator[tuple[StoredRelation, str]]:
    """What proves that no row has to be read, by the table: one for a partition with all of its own."""
    for work in request.item.statement.works:
        if work.kind not in (WorkKind.VERIFICATION, WorkKind.INDEX_BUILD):
            continue
        if _is_part_of(request, work.relation, partition):
            yield partition, f"CHECK ({rule})"
        elif work.kind is WorkKind.VERIFICATION:
            yield StoredRelation(work.relation.schema, work.relation.name), f"CHECK (NOT ({rule}))"


def _is_part_of(request: SafeWayRequest, relation: StoredRelation, partition: StoredRelation) -> bool:
    """Whether it is the partition, or one of its own partitions."""
    wanted = f"{partition.schema}.{partition.name}"
    names = [f"{relation.schema}.{relation.name}"]
    for name in names:
        if name == wanted:
            return True
        table = request.replay.catalog.find_table(*name.split(".", 1))
        names += [parent for parent in (table.inherits if table is not None else ()) if parent not in names]
    return False


def _describe_checks(partition: StoredRelation, tables: list[StoredRelation]) -> str:
    is_own = partition in tables
    whose = "the partition's rule" if is_own else "what the new partition leaves to the default one"
    if is_own and len(tables) > 1:
        whose = "the partition's rule, and one with what it leaves to the default partition,"
    return (
        f"Have a CHECK with {whose} read the rows while others read and write: ATTACH PARTITION, or "
        "PARTITION OF, then needs no scan."
    )
