"""How a change that writes every row of a table anew can be made without that, by its cause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from migration_gate.analysis import safe_operations as code
from migration_gate.analysis.domain_rules import find_domain
from migration_gate.analysis.observed_changes import TypeChange, find_current_name
from migration_gate.analysis.safe_constraints import add_rule, validate_apart
from migration_gate.analysis.safe_indexes import add_key, find_new_index, list_index_names, rebuild_index
from migration_gate.analysis.safe_way_request import SafeWay, SafeWayRequest
from migration_gate.facts import ColumnState, DdlCommand, EnumType, NamedType
from migration_gate.sql.identifiers import quote_identifier, split_qualified_name, truncate_identifier
from migration_gate.sql.lexer import Token, tokenize
from migration_gate.wording import join_words

IN_ONE_REVISION = (
    "Fill old rows some at a time, while others read and write. `autocommit_block()` commits what was done "
    "before it."
)

SERIAL = re.compile(r"\b(?:small|big)?serial[248]?\b", re.IGNORECASE)
_LARGEST_NUMBERS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
"""of a sequence of the type"""


def rebuild_indexes(request: SafeWayRequest) -> SafeWay:
    """For indexes that a change of a column makes anew: one of a key cannot be dropped for a while."""
    change = request.item.change
    indexes = (find_new_index(change, name) for name in list_index_names(request))
    if change.type_changes and any(index is not None and index.constraint for index in indexes):
        return change_types(request, change.type_changes)
    return rebuild_index(request)


def rewrite_table(request: SafeWayRequest) -> SafeWay:
    """For new columns, and for columns of another type."""
    change = request.item.change
    changes = (*change.type_changes, *_list_conversions(request))
    if any(_find_cause(request, column) for column in change.new_columns):
        columns = _add_columns(request, change.new_columns)
        types = change_types(request, changes) if changes else SafeWay("")
        rules = list(_add_rules(request, changes))
        words = f"{columns.words} {types.words}".strip()
        return SafeWay(words, code.join_code(columns.code, rules, types.code))
    if changes:
        added = [request.add_new_column(column) for column in change.new_columns]
        way = change_types(request, changes)
        return SafeWay(way.words, code.join_code(added, list(_add_rules(request, changes)), way.code))
    return SafeWay(
        "Make the change on a new column or a new table that is filled some rows at a time, and switch to it."
    )


def _list_conversions(request: SafeWayRequest) -> Iterator[TypeChange]:
    """The columns that keep their type, and get other values: `TYPE text USING trim(name)`."""
    change = request.item.change
    others = {item.column.name for item in change.type_changes} | {item.name for item in change.new_columns}
    for column in change.after.columns if change.after is not None else ():
        value = find_conversion(request.item.statement.sql, column.name)
        if column.name not in others and value and value != quote_identifier(column.name):
            yield TypeChange(column, column.type)


def _add_columns(request: SafeWayRequest, columns: Sequence[ColumnState]) -> SafeWay:
    causes = [cause for column in columns if (cause := _find_cause(request, column))]
    words = [_EXPLANATIONS[cause] for cause in causes]
    return SafeWay(
        " ".join(dict.fromkeys([*words, IN_ONE_REVISION])),
        code.join_code(*(_add_column(request, column) for column in columns)),
    )


def _add_rules(request: SafeWayRequest, changes: Sequence[TypeChange]) -> Iterator[str]:
    """The code that adds the keys and rules which the statement adds, too.

    Those of columns with another type have to wait until the new ones have taken their place.
    """
    changed = {change.column.name for change in changes}
    required = [column.name for column in request.item.change.new_not_null if column.name not in changed]
    if required:
        yield code.set_not_null(request.table, required)
    for rule in request.item.change.new_constraints:
        if changed.isdisjoint(rule.columns):
            yield add_key(request, rule) or add_rule(request, rule)
    yield validate_apart(request)


_EXPLANATIONS = {
    "generated": "A stored generated column is computed for every row at once: a plain column that a trigger "
    "fills does the same.",
    "identity": "Numbers for all rows are drawn at once: add the column without them first.",
    "default": "The default is another one for each row: set it after the column was added, for new rows.",
    "domain": "A domain with a rule is verified by writing each row anew: give the column the base type of "
    "the domain, and its rule as a CHECK, in the model too.",
}


def _find_cause(request: SafeWayRequest, column: ColumnState) -> str:
    """Why the column may have every row written anew; '' if it cannot."""
    if (column.generated or "").startswith("stored"):
        return "generated"
    if column.identity:
        return "identity"
    if _has_rules(request, column.type):
        return "domain"
    return "default" if column.default and not column.generated else ""


def _add_column(request: SafeWayRequest, column: ColumnState) -> str:
    cause, table = _find_cause(request, column), request.table
    if cause == "generated":
        return _add_generated(request, column)
    if cause == "identity":
        return _add_identity(request, column)
    if cause == "domain":
        return _add_domain(request, column)
    if not cause:
        return code.add_column(table, column)
    name = quote_identifier(column.name)
    sequence = _find_sequence(request, column)
    return code.join_code(
        code.execute(f"CREATE SEQUENCE {sequence} AS {column.type}") if sequence else "",
        code.add_column(table, column),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {column.default}"),
        code.execute(f"ALTER SEQUENCE {sequence} OWNED BY {table}.{name}") if sequence else "",
        code.update_in_batches(table, f"{name} = DEFAULT", f"{name} IS NULL"),
        "" if column.nullable else code.set_not_null(table, [column.name]),
    )


def _find_sequence(request: SafeWayRequest, column: ColumnState) -> str:
    """The sequence that `serial` makes with its column; '' without one: a default may use another."""
    prefix, suffix = "nextval('", "'::regclass)"
    default = column.default or ""
    if not (default.startswith(prefix) and default.endswith(suffix)):
        return ""
    if SERIAL.search(request.item.statement.sql) is None:
        return ""
    return default[len(prefix) : -len(suffix)]


def _add_generated(request: SafeWayRequest, column: ColumnState) -> str:
    table, name = request.table, quote_identifier(column.name)
    value = (column.generated or "").partition(": ")[2]
    function = f"fill_{_find_plain_name(table)}_{column.name}"
    trigger, _ = code.keep_filled((table, *request.heirs), function, _compute_from_row(name, value))
    return code.join_code(
        code.add_column(table, column),
        trigger,
        code.update_in_batches(table, f"{name} = {value}", f"{name} IS NULL AND ({value}) IS NOT NULL"),
        "" if column.nullable else code.set_not_null(table, [column.name]),
    )


def _add_identity(request: SafeWayRequest, column: ColumnState) -> str:
    table, name = request.table, quote_identifier(column.name)
    sequence = code.name_beside(table, f"{_find_plain_name(table)}_{column.name}_fill")
    kind = "ALWAYS" if column.identity == "always" else "BY DEFAULT"
    options = _write_options(request, column)
    given = f" ({options})" if options else ""
    return code.join_code(
        code.execute(f"CREATE SEQUENCE {sequence} {options}".rstrip()),
        code.add_column(table, column),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval('{sequence}')"),
        code.update_in_batches(table, f"{name} = DEFAULT", f"{name} IS NULL"),
        code.set_not_null(table, [column.name]),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} ADD GENERATED {kind} AS IDENTITY{given}"),
        code.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column.name}'), nextval('{sequence}'))"
        ),
        code.execute(f"DROP SEQUENCE {sequence}"),
    )


def _write_options(request: SafeWayRequest, column: ColumnState) -> str:
    """What the revision gives the numbers of an identity column, as SQL; '' for Postgres' own options."""
    owner = ".".join((*find_current_name(request.replay, request.item.work.relation), column.name))
    sequence = next((item for item in request.replay.catalog.sequences if item.owner == owner), None)
    if sequence is None:
        return ""
    largest = _LARGEST_NUMBERS[sequence.type]
    rises = sequence.increment > 0
    least, most = (1, largest) if rises else (-largest - 1, -1)
    options = (
        ("START WITH", sequence.start, least if rises else most),
        ("INCREMENT BY", sequence.increment, 1),
        ("MINVALUE", sequence.minimum, least),
        ("MAXVALUE", sequence.maximum, most),
        ("CACHE", sequence.cache, 1),
    )
    given = [f"{words} {value}" for words, value, own in options if value != own]
    return " ".join([*given, *(["CYCLE"] if sequence.cycle else [])])


def _add_domain(request: SafeWayRequest, column: ColumnState) -> str:
    """A column of the domain's base type, with the rules of the domain as CHECKs."""
    domain = find_domain(request.replay.catalog, column.type)
    table, name = request.table, quote_identifier(column.name)
    if domain is None:
        return code.add_column(table, column)
    default = column.default or domain.default
    checks = [
        code.add_checked(table, truncate_identifier(f"{column.name}_{check.name}"), check.definition)
        for check in domain.list_checks(name)
    ]
    return code.join_code(
        code.add_column(table, column, domain.base_type),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}") if default else "",
        code.update_in_batches(table, f"{name} = DEFAULT", f"{name} IS NULL") if default else "",
        checks,
        "" if column.nullable else code.set_not_null(table, [column.name]),
    )


def change_types(request: SafeWayRequest, changes: Sequence[TypeChange]) -> SafeWay:
    """For columns of another type, or of other values: each in a new column that takes its name later."""
    parts = [_change_type(request, change) for change in changes]
    drops = [drop for change in changes for drop in _list_type_drops(request, change)]
    old_columns = [
        code.execute(
            f"ALTER TABLE {request.table} DROP COLUMN {quote_identifier(f'{change.column.name}_old')}"
        )
        for change in changes
        if _list_type_drops(request, change)
    ]
    words = (
        "Keep the new type in a column of its own: a trigger fills it for new rows, old ones are filled some "
        "at a time. A later revision, when nothing reads the old column any more, takes the trigger away and "
        "renames; indexes, keys and rules of the column have to be given to the new one before."
    )
    if any(_has_rules(request, change.column.type) for change in changes):
        words += f" {_EXPLANATIONS['domain']}"
    if drops:
        names = join_words([" ".join(drop.query.split()) for drop in drops])
        words += f" Until then the old column has the old type: move {names} there."
    later = code.join_code(
        *(later for _, later in parts), old_columns, [code.execute(drop.query.strip()) for drop in drops]
    )
    return SafeWay(words, code.join_code(*(now for now, _ in parts), code.in_later_revision(later)))


def _change_type(request: SafeWayRequest, change: TypeChange) -> tuple[str, str]:
    """The code for this revision, and that for a later one."""
    table, old = request.table, change.column.name
    new, column = quote_identifier(f"{old}_new"), quote_identifier(old)
    type_name = change.column.type
    value = find_conversion(request.item.statement.sql, old) or f"{column}::{type_name}"
    function = f"fill_{_find_plain_name(table)}_{old}_new"
    tables = (table, *request.heirs)
    trigger, removal = code.keep_filled(tables, function, _compute_from_row(new, value))
    default = change.column.default
    later = code.join_code(
        removal,
        code.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {quote_identifier(f'{old}_old')}"),
        code.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {column}"),
        code.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}") if default else "",
        ""
        if change.column.nullable
        else code.execute(f"ALTER TABLE {table} ALTER COLUMN {quote_identifier(f'{old}_old')} DROP NOT NULL"),
    )
    domain = find_domain(request.replay.catalog, type_name)
    checks = list(domain.list_checks(new)) if domain is not None else []
    now = code.join_code(
        code.add_column(
            table,
            replace(change.column, name=f"{old}_new"),
            domain.base_type if domain is not None and domain.rules else None,
        ),
        trigger,
        code.update_in_batches(table, f"{new} = {value}", f"{new} IS NULL AND ({value}) IS NOT NULL"),
        [
            code.add_checked(table, truncate_identifier(f"{old}_{check.name}"), check.definition)
            for check in checks
        ],
        "" if change.column.nullable else code.set_not_null(table, [f"{old}_new"]),
    )
    return now, later


def _has_rules(request: SafeWayRequest, type_name: str) -> bool:
    domain = find_domain(request.replay.catalog, type_name)
    return domain is not None and bool(domain.rules)


def _list_type_drops(request: SafeWayRequest, change: TypeChange) -> list[DdlCommand]:
    """The later commands of the change that drop the type which the column had, under whatever name."""
    after = request.item.change.after
    *schemas, old_name = split_qualified_name(change.old_type.removesuffix("[]"))
    if after is None:
        return []
    drops: dict[int, DdlCommand] = {}
    for command in request.replay.ddl_commands:
        if command.dropped and command.kind == "type" and command.query_number >= after.query_number:
            states = [own.object for own in request.replay.commands_on(command.oid)]
            types = [state for state in states if isinstance(state, EnumType | NamedType)]
            if any(state.name == old_name and schemas in ([], [state.schema]) for state in types):
                drops.setdefault(command.query_number, command)
    return list(drops.values())


def find_conversion(sql: str, column: str) -> str:
    """The expression after USING in an ALTER COLUMN … TYPE of the column; '' without one."""
    tokens = list(tokenize(sql))
    depth, is_own, start = 0, False, -1
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 0 and token.text in (",", ";"):
            if start >= 0:
                return sql[start : token.start].strip()
            is_own = False
        elif depth == 0 and start < 0 and token.keyword == "TYPE":
            is_own = _names_column(tokens, token, column)
        elif depth == 0 and is_own and start < 0 and token.keyword == "USING" and following is not None:
            start = token.end
    return sql[start:].strip() if start >= 0 else ""


def _names_column(tokens: Sequence[Token], type_word: Token, column: str) -> bool:
    """Whether the name before TYPE, or SET DATA TYPE, is the column's."""
    words = [token for token in tokens if token.end <= type_word.start][-3:]
    while words and words[-1].keyword in ("SET", "DATA"):
        words.pop()
    return bool(words) and words[-1].name == column


def _compute_from_row(column: str, value: str) -> str:
    """The statement of a trigger that sets a column to an expression of the others."""
    return f"SELECT {value} INTO NEW.{column} FROM (SELECT NEW.*) AS new_row;"  # noqa: S608 - nobody runs it here


def _find_plain_name(table: str) -> str:
    return table.rpartition(".")[2].strip('"')
