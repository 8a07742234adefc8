"""How rules are added, and rows are held against them, while others read and write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.alter_table_actions import split_alter_table
from migration_gate.analysis.blocking_works import USING_INDEX
from migration_gate.analysis.domain_rules import find_domain
from migration_gate.analysis.observed_changes import find_current_name
from migration_gate.analysis.safe_indexes import list_own_partitions
from migration_gate.analysis.safe_way_request import LET_GO, SafeWay, SafeWayRequest
from migration_gate.facts import Column, NamedDefinition, WorkKind
from migration_gate.sql.identifiers import (
    name_on_search_path,
    quote_identifier,
    split_qualified_name,
)

DOMAIN_RULE = re.compile(
    r"\s*ALTER\s+DOMAIN\s+(?P<domain>(?:\"[^\"]+\"|[\w$.])+)\s+"
    r"(?:ADD\s+(?P<rule>.+?)|VALIDATE\s+CONSTRAINT\s+(?P<validated>\"[^\"]+\"|[\w$]+))\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
DOMAIN_NOT_NULL = re.compile(r"\s*ALTER\s+DOMAIN\b.*\bSET\s+NOT\s+NULL\s*;?\s*$", re.IGNORECASE | re.DOTALL)
CONSTRAINT_NAME = re.compile(r"CONSTRAINT\s+(?P<name>\"[^\"]+\"|[\w$]+)", re.IGNORECASE)
NOT_VALID = re.compile(r"\s+NOT\s+VALID$", re.IGNORECASE)
WEAK_VALIDATION = 18
"""the first PostgreSQL whose ALTER DOMAIN … VALIDATE lets others write"""
READ_BY_QUERY = (
    "Add the rule for new values, and have a query read the old ones: it fails where a row breaks the rule. "
    "Before PostgreSQL 18, VALIDATE CONSTRAINT of a domain keeps writers waiting for as long; a rule that is "
    "NOT VALID holds for every new value all the same."
)
VALIDATED = f"Add the rule for new values, and read the old ones while others read and write: {LET_GO}."


def scan_not_null(request: SafeWayRequest) -> SafeWay:
    """For SET NOT NULL, and for a primary key on an index of columns that accept NULL."""
    change = request.item.change
    columns = [column.name for column in change.new_not_null]
    addition = request.statement if USING_INDEX.search(request.item.statement.sql) else ""
    additions = list(map(request.add_new_column, change.new_columns))
    return SafeWay(
        "Have a CHECK read the rows while others read and write: where it proves that there is no NULL, SET "
        "NOT NULL takes a moment.",
        code.join_code(additions, code.set_not_null(request.table, columns), _add_checks(request), addition)
        if columns
        else "",
    )


def scan_check(request: SafeWayRequest) -> SafeWay:
    """For a CHECK, of a table or of a domain, and for a type that has one verified again."""
    change = request.item.change
    if _list_held(change.new_constraints, "CHECK"):
        columns = list(map(request.add_new_column, change.new_columns))
        return SafeWay(VALIDATED, code.join_code(columns, _add_checks(request)))
    if validate_apart(request):
        return _split_off_validation(request)
    if change.type_changes:
        return _change_type_with_check(request)
    if DOMAIN_NOT_NULL.match(request.item.statement.sql):
        return SafeWay(
            "NOT NULL of a domain cannot be NOT VALID, so its columns are read under a lock: give each "
            "column that uses it a NOT NULL of its own (a CHECK that is NOT VALID, VALIDATE, SET NOT NULL)."
        )
    domain = DOMAIN_RULE.fullmatch(request.item.statement.sql)
    if domain is not None:
        return _add_domain_rule(request, domain)
    return SafeWay(
        "Add the rule as NOT VALID, and validate it in a transaction of its own: the rows are read then "
        "while others read and write."
    )


def _add_checks(request: SafeWayRequest) -> str:
    """The code that adds the new CHECKs, and validates what the statement validates."""
    new = _list_held(request.item.change.new_constraints, "CHECK")
    checks = [code.add_checked(request.table, rule.name, rule.definition) for rule in new]
    return code.join_code(checks, validate_apart(request))


def _list_held(rules: Iterable[NamedDefinition], kind: str) -> list[NamedDefinition]:
    """The rules of the kind that rows are held against."""
    return [
        rule
        for rule in rules
        if rule.definition.startswith(kind) and not rule.definition.endswith(" NOT VALID")
    ]


def validate_apart(request: SafeWayRequest) -> str:
    """The code that validates what the statement validates beside other parts of it; '' without any."""
    table = split_alter_table(request.item.statement.sql)
    if table is None or not table.validations:
        return ""
    return code.in_autocommit(*(code.execute(table.write([action])) for action in table.validations))


def _split_off_validation(request: SafeWayRequest) -> SafeWay:
    table = split_alter_table(request.item.statement.sql)
    others = [] if table is None else [item for item in table.actions if item not in table.validations]
    rest = table.write(others) if table is not None else ""
    return SafeWay(
        "VALIDATE CONSTRAINT lets others read and write, unless another part of the same ALTER TABLE needs "
        f"its lock: give it a statement of its own, behind the others ({LET_GO}).",
        code.join_code(code.execute(rest) if rest else "", validate_apart(request)),
        is_whole=True,
    )


def _add_domain_rule(request: SafeWayRequest, match: re.Match[str]) -> SafeWay:
    domain = match["domain"]
    name, rule = _name_rule(domain, NOT_VALID.sub("", " ".join((match["rule"] or "").split())))
    if int(request.replay.postgres_version.partition(".")[0] or 0) >= WEAK_VALIDATION:
        reading, words = [code.execute(f"ALTER DOMAIN {domain} VALIDATE CONSTRAINT {name}")], VALIDATED
    else:
        reading, words = list(_read_values(request, domain)), READ_BY_QUERY
    return SafeWay(
        words,
        code.join_code(
            code.execute(f"ALTER DOMAIN {domain} ADD {rule} NOT VALID") if match["rule"] else "",
            code.in_autocommit(*reading) if reading else "",
        ),
    )


def _name_rule(domain: str, rule: str) -> tuple[str, str]:
    """The rule's name, and the rule with it: Postgres' own if it has none."""
    named = CONSTRAINT_NAME.match(rule)
    if named is not None:
        return named["name"], rule
    name = quote_identifier(f"{split_qualified_name(domain)[-1]}_check")
    return name, f"CONSTRAINT {name} {rule}"


def _read_values(request: SafeWayRequest, domain: str) -> Iterator[str]:
    """Queries that cast each value of the domain to it again, which fails where a rule is broken."""
    parts = split_qualified_name(domain)
    type_name = domain if len(parts) > 1 else f"public.{domain}"
    known = find_domain(request.replay.catalog, type_name)
    if known is None:
        return
    wanted = split_qualified_name(type_name)
    columns: dict[tuple[str, str], list[Column]] = {}
    for column in request.replay.catalog.columns:
        if split_qualified_name(column.type) == wanted:
            columns.setdefault((column.schema, column.table), []).append(column)
    for (schema, table), own in columns.items():
        casts = ", ".join(f"count({quote_identifier(c.name)}::{known.base_type}::{domain})" for c in own)
        yield code.execute(f"SELECT {casts} FROM {name_on_search_path(schema, table)}")  # noqa: S608


def _change_type_with_check(request: SafeWayRequest) -> SafeWay:
    changed = {change.column.name for change in request.item.change.type_changes}
    before = request.item.change.before
    checks = [
        constraint
        for constraint in (before.constraints if before is not None else ())
        if constraint.definition.startswith("CHECK") and changed.intersection(constraint.columns)
    ]
    return SafeWay(
        "A CHECK of the column is verified again for the new type: drop it before, and add it again as NOT "
        "VALID.",
        code.join_code(
            [code.drop_constraint(request.table, check.name) for check in checks],
            request.statement,
            [code.add_checked(request.table, check.name, check.definition) for check in checks],
        ),
    )


def scan_foreign_key(request: SafeWayRequest) -> SafeWay:
    """For a new foreign key, and for one that is verified again as a column of it gets another type."""
    change, table = request.item.change, request.table
    new = _list_held(change.new_constraints, "FOREIGN KEY")
    if not new and validate_apart(request):
        return _split_off_validation(request)
    if not new:
        return _verify_foreign_keys_again(request)
    columns = list(map(request.add_new_column, change.new_columns))
    if request.item.work.relation.kind == "partitioned table":
        return SafeWay(
            "Before PostgreSQL 18 a foreign key of a partitioned table cannot be NOT VALID: make it so for "
            f"each partition, where the rows are read while others read and write ({LET_GO}), and then "
            "for the parent, which takes those of the partitions over and reads no row.",
            code.join_code(columns, *(add_rule(request, rule) for rule in new)),
        )
    return SafeWay(
        f"Add it for new rows, and read the old ones while others read and write: {LET_GO}.",
        code.join_code(
            columns, [code.add_checked(table, c.name, c.definition) for c in new], validate_apart(request)
        ),
    )


def add_rule(request: SafeWayRequest, rule: NamedDefinition) -> str:
    """The code that adds a CHECK or a foreign key; '' for other rules."""
    if not rule.definition.startswith(("CHECK", "FOREIGN KEY")):
        return ""
    if rule.definition.startswith("FOREIGN KEY") and request.item.work.relation.kind == "partitioned table":
        return _add_to_partitions(request, rule)
    return code.add_checked(request.table, rule.name, rule.definition)


def _add_to_partitions(request: SafeWayRequest, rule: NamedDefinition) -> str:
    partitions = [table for table, _ in list_own_partitions(request) if table.kind == "table"]
    names = [name_on_search_path(table.schema, table.name) for table in partitions]
    name = quote_identifier(rule.name)
    return code.join_code(
        [code.add_checked(table, rule.name, rule.definition) for table in names],
        code.execute(f"ALTER TABLE {request.table} ADD CONSTRAINT {name} {rule.definition}"),
    )


def _verify_foreign_keys_again(request: SafeWayRequest) -> SafeWay:
    works = request.item.statement.works
    rewritten = [work.relation for work in works if work.kind is WorkKind.REWRITE]
    if rewritten:
        return SafeWay(
            f"The foreign key is verified again because the statement writes `{rewritten[0]}` anew: what is "
            "written in its place needs neither."
        )
    names = {(*find_current_name(request.replay, work.relation), work.detail) for work in works}
    keys = [
        (name_on_search_path(key.schema, key.table), key)
        for key in request.replay.catalog.constraints
        if key.kind == "foreign key" and (key.schema, key.table, key.name) in names
    ]
    return SafeWay(
        "The type of a key is changed, so its foreign keys are verified again: drop them before, and add "
        "them again as NOT VALID after the change.",
        code.join_code(
            [code.drop_constraint(table, key.name) for table, key in keys],
            request.statement,
            [code.add_checked(table, key.name, key.definition) for table, key in keys],
        )
        if keys
        else "",
    )
