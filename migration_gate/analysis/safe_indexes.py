"""How indexes are built, and constraints that have one are added, while others read and write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.alter_table_actions import split_alter_table
from migration_gate.analysis.observed_changes import TableChange
from migration_gate.analysis.safe_exclusion import describe_exclusion
from migration_gate.analysis.safe_way_request import LET_GO, SafeWay, SafeWayRequest
from migration_gate.facts import DdlCommand, Index, NamedDefinition, Replay, Table
from migration_gate.sql.identifiers import (
    name_on_search_path,
    qualified_name,
    quote_identifier,
    truncate_identifier,
)

ON_TABLE = re.compile(r' ON (?:ONLY )?(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?(?= |\()')
"""the table in an index's definition, as Postgres prints it"""
INDEX_NAME = re.compile(r'^(CREATE (?:UNIQUE )?INDEX )(?:"(?:[^"]|"")+"|[\w$]+)(?= ON )')
ADDED_KEY = re.compile(r"ADD\b.*\b(?:PRIMARY\s+KEY|UNIQUE)\b", re.IGNORECASE | re.DOTALL)
NOT_CONCURRENT = "A partitioned table takes no CONCURRENTLY: "
IN_PARTITIONS = (
    NOT_CONCURRENT + "add the constraint to the parent alone, build an index for each partition, make its "
    "constraint of that, and attach these."
)


def build_index(request: SafeWayRequest) -> SafeWay:
    """For an index that was not there."""
    relation, change = request.item.work.relation, request.item.change
    definition = find_new_index(change, request.item.work.detail)
    if relation.kind == "partitioned table" and definition is not None:
        return _build_partitioned_index(request, definition)
    text = definition.definition if definition is not None else request.item.statement.sql
    return SafeWay(
        f"Build it while others read and write: {LET_GO}, and a build that failed is repeated.",
        code.build_index(relation.schema, request.item.work.detail, text),
    )


def find_new_index(change: TableChange, name: str) -> NamedDefinition | None:
    """The index of that name, as the statement leaves it."""
    indexes = change.after.indexes if change.after is not None else ()
    return next((index for index in indexes if index.name == name), None)


def _build_partitioned_index(request: SafeWayRequest, index: NamedDefinition) -> SafeWay:
    """An index of a partitioned table is made on the parent alone, then built for each partition."""
    relation = request.item.work.relation
    parent = f" ON ONLY {name_on_search_path(relation.schema, relation.name)}"
    return SafeWay(
        NOT_CONCURRENT + "make the index on the parent alone, build it for each partition, and attach these.",
        code.join_code(
            code.execute(ON_TABLE.sub(lambda match: parent, index.definition, count=1)),
            _build_for_partitions(list_own_partitions(request, index.name), relation.schema, index),
        ),
    )


def complete_index(replay: Replay, index: Index) -> str:
    """The code that finishes an index which a partitioned table has alone; what partitions have is kept."""
    rules = replay.catalog.constraints_in(index.schema, index.table)
    rule = next((NamedDefinition(r.name, r.definition) for r in rules if r.name == index.constraint), None)
    missing: list[tuple[Table, str]] = []
    attachments: list[str] = []
    for table, upper in _list_partitions(replay, index.schema, index.table, index.name):
        expected = _rename_index(index.definition, "", table, "")
        twin = next(
            (
                own
                for own in replay.catalog.indexes_in(table.schema, table.name)
                if own.valid
                and (own.constraint is None) == (rule is None)
                and _rename_index(own.definition, "", table, "") == expected
            ),
            None,
        )
        if twin is None:
            missing.append((table, upper))
        else:  # which changes nothing if it is attached
            attachments.append(_attach(index.schema, upper, twin.schema, twin.name))
    new = NamedDefinition(index.name, index.definition)
    return code.join_code(_build_for_partitions(missing, index.schema, new, rule), attachments)


def _attach(schema: str, upper: str, own_schema: str, own: str) -> str:
    part = name_on_search_path(own_schema, own)
    return code.execute(f"ALTER INDEX {name_on_search_path(schema, upper)} ATTACH PARTITION {part}")


def _build_for_partitions(
    partitions: Iterable[tuple[Table, str]],
    schema: str,
    index: NamedDefinition,
    constraint: NamedDefinition | None = None,
) -> str:
    """The code that builds an index of the parent's, in `schema`, for each partition, and attaches them all.

    A constraint's index can only be attached if it is one of a constraint of the partition, too.
    """
    builds: list[str] = []
    attachments: list[str] = []
    for table, upper in partitions:
        name = truncate_identifier(f"{index.name}_{table.name}")
        own_table = name_on_search_path(table.schema, table.name)
        own_rule = NamedDefinition(name, constraint.definition) if constraint is not None else None
        attachment = _attach(schema, upper, table.schema, name)
        if table.kind == "table":
            own = _rename_index(index.definition, name, table, "")
            builds += [
                code.drop_index_concurrently(table.schema, name),
                code.create_index_concurrently(own),
            ]
            addition = code.add_on_index(own_table, own_rule) if own_rule is not None else ""
            attachments.append(code.join_code(addition, attachment))
        else:
            own = _rename_index(index.definition, name, table, "ONLY ")
            builds.insert(
                0, _add_to_parent(own_table, own_rule) if own_rule is not None else code.execute(own)
            )
            attachments.append(attachment)
    return code.join_code(code.in_autocommit(*builds) if builds else "", attachments[::-1])


def _rename_index(definition: str, name: str, table: Table, only: str) -> str:
    """The definition of an index, under another name and on another table."""
    target = f" ON {only}{qualified_name(table.schema, table.name)}"
    text = ON_TABLE.sub(lambda match: target, definition, count=1)
    return INDEX_NAME.sub(lambda match: match[1] + quote_identifier(name), text)


def _add_to_parent(table: str, constraint: NamedDefinition) -> str:
    """The call that adds a key to a partitioned table, and to none of its partitions."""
    name = quote_identifier(constraint.name)
    return code.execute(f"ALTER TABLE ONLY {table} ADD CONSTRAINT {name} {constraint.definition}")


def list_own_partitions(request: SafeWayRequest, index: str = "") -> Iterator[tuple[Table, str]]:
    """The partitions that the table had when the statement ran; see `_list_partitions`."""
    parent = request.item.work.relation
    is_later = partial(_is_attached_later, request)
    return _list_partitions(request.replay, parent.schema, parent.name, index, leaves_out=is_later)


def _list_partitions(
    replay: Replay,
    schema: str,
    name: str,
    index: str,
    *,
    leaves_out: Callable[[Table], bool] = lambda table: False,
) -> Iterator[tuple[Table, str]]:
    """The partitions below a table, upper ones first, each with the index that its own is a part of."""
    for table in replay.catalog.tables:
        is_partition = f"{schema}.{name}" in table.inherits and table.partition_bound is not None
        if is_partition and not leaves_out(table):
            yield table, index
            own = truncate_identifier(f"{index}_{table.name}")
            yield from _list_partitions(replay, table.schema, table.name, own, leaves_out=leaves_out)


def _is_attached_later(request: SafeWayRequest, table: Table) -> bool:
    """Whether the table was no partition yet: all that stood are locked, and the log has the new ones."""
    key = (table.schema, table.name)
    if key in {(known.schema, known.name) for known in request.replay.observation.relations}:
        locks = request.item.statement.locks
        return key not in {(lock.relation.schema, lock.relation.name) for lock in locks}
    after = request.item.change.after
    return after is not None and _is_attached_behind(request.replay, table, after)


def _is_attached_behind(replay: Replay, table: Table, command: DdlCommand) -> bool:
    """Whether a new table became a partition after the command; for ATTACH the log has its parent's state."""
    for own in replay.commands_on(table.oid):
        if own.table is not None and own.table.partition_bound is not None:
            return own.query_number > command.query_number
    name = re.escape(table.name)
    attachment = re.compile(rf"\bATTACH\s+PARTITION\b[^;]*(?<!\w){name}(?!\w)", re.IGNORECASE)
    return any(
        own.query_number > command.query_number and attachment.search(own.query)
        for own in replay.ddl_commands
    )


def rebuild_index(request: SafeWayRequest) -> SafeWay:
    """For an index that stood before, and that a change of a column makes anew."""
    schema, names = request.schema, list_index_names(request)
    found = ((name, find_new_index(request.item.change, name)) for name in names)
    return SafeWay(
        "Drop the index before, and build it again after the change: queries do without it for that time.",
        code.join_code(
            code.in_autocommit(*(code.drop_index_concurrently(schema, name) for name in names)),
            request.statement,
            [code.build_index(schema, name, index.definition) for name, index in found if index is not None],
        ),
    )


def list_index_names(request: SafeWayRequest) -> list[str]:
    """The indexes that the statement builds of the table, in the same way as the one in question."""
    work = request.item.work
    names = [
        other.detail
        for other in request.item.statement.works
        if (other.kind, other.relation) == (work.kind, work.relation)
    ]
    return names if work.detail in names else [work.detail]


def add_index_constraint(request: SafeWayRequest) -> SafeWay:
    """For UNIQUE, PRIMARY KEY and EXCLUDE."""
    item, table = request.item, request.table
    rules = item.change.after.constraints if item.change.after is not None else ()
    constraint = next((rule for rule in rules if rule.name == item.work.detail), None)
    columns = [
        request.add_new_column(column)
        for column in item.change.new_columns
        if column.nullable or column.default
    ]
    if constraint is None or constraint.definition.startswith("EXCLUDE"):
        way = describe_exclusion(request, constraint)
        return replace(way, code=code.join_code(columns, way.code) if way.code else "")
    index = find_new_index(item.change, constraint.name)
    if index is None:
        return SafeWay("Build a unique index CONCURRENTLY, and add the constraint with USING INDEX.")
    if constraint not in item.change.new_constraints:
        return _replace_key(request, constraint, index)
    if item.work.relation.kind == "partitioned table":
        return SafeWay(IN_PARTITIONS, add_key(request, constraint))
    names = list_index_names(request)
    required = []
    if constraint.definition.startswith("PRIMARY KEY"):
        nullable = {column.name for column in item.change.new_not_null}
        required = [name for name in constraint.columns if name in nullable]
    return SafeWay(
        "Build the index while others read and write, and make the constraint of it, which takes a moment.",
        code.join_code(
            columns,
            code.set_not_null(table, required) if required else "",
            [add_key(request, rule) for rule in item.change.new_constraints if rule.name in names],
        ),
    )


def add_key(request: SafeWayRequest, constraint: NamedDefinition) -> str:
    """The code that adds a primary key or a UNIQUE constraint; '' for other rules."""
    index = find_new_index(request.item.change, constraint.name)
    if index is None or not constraint.definition.startswith(("PRIMARY KEY", "UNIQUE")):
        return ""
    relation = request.item.work.relation
    if relation.kind != "partitioned table":
        return code.use_index(request.table, relation.schema, constraint, index.definition)
    return code.join_code(
        _add_to_parent(request.table, constraint),
        _build_for_partitions(
            list_own_partitions(request, constraint.name),
            relation.schema,
            NamedDefinition(constraint.name, index.definition),
            constraint,
        ),
    )


def _replace_key(request: SafeWayRequest, constraint: NamedDefinition, index: NamedDefinition) -> SafeWay:
    """The index is built under another name; what drops the old key takes it for the new one."""
    schema = request.item.work.relation.schema
    name = truncate_identifier(f"{constraint.name}_new")
    build = INDEX_NAME.sub(lambda match: match[1] + quote_identifier(name), index.definition)
    addition = code.constraint_on_index(constraint, name)
    table, own = split_alter_table(request.item.statement.sql), quote_identifier(constraint.name)
    if table is None:
        return SafeWay("Build a unique index CONCURRENTLY, and add the constraint with USING INDEX.")
    others = [action for action in table.actions if ADDED_KEY.match(action) is None]
    required = {column.name for column in request.item.change.new_not_null} & set(constraint.columns)
    return SafeWay(
        f"Build the index while others read and write, under another name: {own} stands until it is "
        "dropped, and the new one takes its name in the same statement.",
        code.join_code(
            code.set_not_null(request.table, sorted(required)) if required else "",
            code.build_index(schema, name, build),
            code.execute(table.write([*others, addition])),
        ),
        is_whole=True,
    )
