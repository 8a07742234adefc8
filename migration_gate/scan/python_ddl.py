"""Where Python code changes a schema when it runs: read from its syntax tree, never executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from migration_gate.facts import SchemaChangeKind
from migration_gate.scan.found_change import FoundChange
from migration_gate.scan.other_dialects import imports_only_other_drivers, names_other_database
from migration_gate.scan.python_module import EXECUTES, PythonModule, StringRole
from migration_gate.scan.python_strings import constant_text, dotted_name, last_name, possible_texts
from migration_gate.scan.python_syntax import parse_python
from migration_gate.scan.sql_classifier import SqlStatement, StatementKind, classify_statements

_MAX_STRING = 100_000
"""characters of one string that are read as SQL"""
_DDL = re.compile(r"\b(?:CREATE|ALTER|DROP|COMMENT\s+ON)\s+[A-Z]", re.IGNORECASE)
_KINDS = "TABLE|INDEX|VIEW|TYPE|DOMAIN|SEQUENCE|TRIGGER|POLICY|RULE"
_COMPLETE_STATEMENT = re.compile(
    rf"""^\s*(?:
    CREATE\s+(?:\w+\s+)*?TABLE\s[^(]*(?:\(|\bAS\b|\bLIKE\b|\bOF\b)
    |CREATE\s+(?:\w+\s+)*?INDEX\s.*\bON\s.*(?:\(|\bUSING\b)
    |CREATE\s+(?:\w+\s+)*?VIEW\s.*\bAS\b
    |CREATE\s+(?:\w+\s+)*?(?:TRIGGER|POLICY|RULE|TYPE|DOMAIN|SEQUENCE|STATISTICS)\s
    |ALTER\s+(?:\w+\s+)*?(?:{_KINDS})\s.*
        \b(?:ADD|DROP|ALTER|RENAME|SET|RESET|OWNER|ENABLE|DISABLE|FORCE|NO|INHERIT|VALIDATE|CLUSTER|REPLICA|ON)\b
    |DROP\s+(?:\w+\s+)*?(?:{_KINDS})\s
    |COMMENT\s+ON\s.*\bIS\b
    |DO\b|SELECT\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""SQL, and not a sentence that begins with the same words"""
_METADATA = re.compile(r"metadata$|^(?:db|database|sqlmodel|orm)$|base$", re.IGNORECASE)
"""names of what holds the application's tables"""
_FOR_ALL_TABLES: dict[str, SchemaChangeKind] = {"create_all": "create_all", "drop_all": "drop_all"}
_FOR_ONE_TABLE = frozenset({"create", "drop"})
_DDL_ELEMENTS = frozenset(
    {"CreateTable", "DropTable", "CreateIndex", "DropIndex", "AddConstraint", "DropConstraint"}
)
"""SQLAlchemy's classes of schema statements"""


def find_python_changes(path: str, data: bytes | str) -> list[FoundChange] | None:
    """Every place in a Python file that changes a schema when it runs; None where it cannot be parsed."""
    tree = parse_python(data)
    if tree is None:
        return None
    if not any(_is_worth_reading(node) for node in ast.walk(tree)):
        return []
    try:
        return _find_changes(path, tree)
    except RecursionError:  # a sum of thousands of strings
        return None


def _is_worth_reading(node: ast.AST) -> bool:
    """Whether a node is a reason to read the file closely."""
    if isinstance(node, ast.Attribute):
        return node.attr in _FOR_ALL_TABLES or node.attr in _FOR_ONE_TABLE or node.attr in _DDL_ELEMENTS
    if isinstance(node, ast.Name):
        return node.id in _DDL_ELEMENTS
    text = constant_text(node)
    return text is not None and _DDL.search(text) is not None


def _find_changes(path: str, tree: ast.Module) -> list[FoundChange]:
    module = PythonModule(tree)
    if names_other_database(path) or imports_only_other_drivers(module.nodes):
        return []
    changes = [*_find_in_strings(module), *_find_in_calls(module)]
    unique = {(change.line, change.statement): change for change in changes}
    return sorted(unique.values(), key=lambda change: change.line)


def _find_in_strings(module: PythonModule) -> Iterator[FoundChange]:
    """Strings with schema statements that a database runs."""
    seen: set[ast.AST] = set()
    for node in module.nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if _DDL.search(node.value):
            whole = module.find_whole_string(node)
            if whole not in seen:
                seen.add(whole)
                yield from _read_string(module, whole)


def _read_string(module: PythonModule, whole: ast.expr) -> Iterator[FoundChange]:
    kind = _find_string_kind(module, whole)
    if kind is None:
        return
    for text in possible_texts(whole, module.constants):
        sql = _cut_command_line(text) if kind == "shell" else text
        for statement in classify_statements(sql[:_MAX_STRING]):
            if _is_change(statement):
                line = min(whole.lineno + statement.line - 1, whole.end_lineno or whole.lineno)
                scopes = module.find_scopes(whole)
                yield FoundChange(line, statement.text, kind, statement.relations, scopes)


def _find_string_kind(module: PythonModule, whole: ast.expr) -> SchemaChangeKind | None:
    """How the string reaches a Postgres; None where it does not."""
    role = module.find_role(whole)
    if role is StringRole.NOT_RUN or not module.runs_on_postgres(whole):
        return None
    if role is StringRole.PROGRAM:
        return "shell" if _runs_psql(module, whole) else None
    return "execute" if role is StringRole.EXECUTED or module.executes_sql else None


def _cut_command_line(text: str) -> str:
    """The SQL of `psql -c "SQL"`; the whole text where it is an argument of its own."""
    return text.partition("-c")[2].strip(" \"'") if "psql" in text else text


def _runs_psql(module: PythonModule, node: ast.expr) -> bool:
    ancestors = module.find_ancestors(node)
    call = next((ancestor for ancestor in ancestors if isinstance(ancestor, ast.Call)), None)
    return call is not None and "psql" in ast.unparse(call)


def _is_change(statement: SqlStatement) -> bool:
    """Whether the statement changes relations that it names, and is SQL rather than a sentence about it."""
    if statement.kind is not StatementKind.SCHEMA or statement.is_foreign or not statement.relations:
        return False
    first_word = statement.text.split()[0]
    if not first_word.isupper() and not first_word.islower():
        return False
    return statement.text.endswith("…") or _COMPLETE_STATEMENT.search(statement.text) is not None


def _find_in_calls(module: PythonModule) -> Iterator[FoundChange]:
    """`create_all`, `drop_all`, `execute(CreateTable(...))`, `User.__table__.create(bind)`."""
    for node in module.nodes:
        change = _read_node(module, node)
        if change is not None and module.runs_on_postgres(node):
            yield change


def _read_node(module: PythonModule, node: ast.AST) -> FoundChange | None:
    if isinstance(node, ast.Attribute):
        return _read_create_all(module, node) if node.attr in _FOR_ALL_TABLES else None
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    if name in _DDL_ELEMENTS:
        return _read_ddl_element(module, node)
    return _read_table_method(module, node) if name in _FOR_ONE_TABLE else None


def _read_create_all(module: PythonModule, node: ast.Attribute) -> FoundChange | None:
    """A call of `create_all` or `drop_all`, or the method passed to `run_sync`."""
    parent = module.find_parent(node)
    if not isinstance(parent, ast.Call | ast.keyword):
        return None
    tables = _tables_of_own_metadata(module, node.value)
    is_application = tables is None and _is_named_metadata(node.value)
    if not tables and not is_application:
        return None
    is_called = isinstance(parent, ast.Call) and parent.func is node
    if is_called and names_other_database(ast.unparse(parent)):
        return None
    source = ast.unparse(parent if is_called else node)
    scopes = module.find_scopes(node)
    return FoundChange(node.lineno, source, _FOR_ALL_TABLES[node.attr], tables or (), scopes)


def _is_named_metadata(receiver: ast.expr) -> bool:
    return _METADATA.search(dotted_name(receiver).rpartition(".")[2]) is not None


def _read_ddl_element(module: PythonModule, node: ast.Call) -> FoundChange | None:
    """A schema statement of SQLAlchemy's counts where it is executed; it is often only printed."""
    is_executed = any(
        isinstance(ancestor, ast.Call) and last_name(ancestor.func) in EXECUTES
        for ancestor in module.find_ancestors(node)
    )
    return _make_table_change(module, node, node.args[0]) if is_executed and node.args else None


def _read_table_method(module: PythonModule, node: ast.Call) -> FoundChange | None:
    """`table.create(bind)` and `table.drop(bind)`."""
    if not isinstance(node.func, ast.Attribute):
        return None
    has_bind = bool(node.args) or any(keyword.arg == "bind" for keyword in node.keywords)
    return _make_table_change(module, node, node.func.value) if has_bind else None


def _make_table_change(module: PythonModule, call: ast.Call, table: ast.expr) -> FoundChange | None:
    """The change of one table; None where `table` may be anything, often a table that users define."""
    tables = _tables_named_by(module, table)
    if not tables and not dotted_name(table).endswith("__table__"):
        return None
    return FoundChange(call.lineno, ast.unparse(call), "ddl element", tables, module.find_scopes(call))


def _tables_of_own_metadata(module: PythonModule, receiver: ast.expr) -> tuple[str, ...] | None:
    """The tables of a MetaData that the module makes itself; None for the application's own."""
    if not isinstance(receiver, ast.Name):
        return None
    values = [value for name, value in _find_assigned(module) if name == receiver.id]
    if not values or not all(_is_call_of(value, "MetaData") for value in values):
        return None
    tables: list[str] = []
    for node in module.nodes:
        if isinstance(node, ast.Call) and _is_table_of(node, receiver.id):
            tables += _without_placeholders(possible_texts(node.args[0], module.constants))
    return tuple(tables)


def _is_table_of(call: ast.Call, metadata: str) -> bool:
    """Whether the call is `Table(name, metadata, ...)`."""
    if last_name(call.func) != "Table" or len(call.args) < 2:
        return False
    return isinstance(call.args[1], ast.Name) and call.args[1].id == metadata


def _tables_named_by(module: PythonModule, node: ast.expr) -> tuple[str, ...]:
    """The table that `User.__table__`, or a name assigned `Table("users", ...)`, stands for."""
    name = dotted_name(node)
    if name.endswith(".__table__"):
        constant = name.removesuffix("__table__") + "__tablename__"
        return _without_placeholders(module.constants.get(constant, ()))
    for target, value in _find_assigned(module):
        if target == name and isinstance(value, ast.Call) and _is_call_of(value, "Table") and value.args:
            return _without_placeholders(possible_texts(value.args[0], module.constants))
    return ()


def _find_assigned(module: PythonModule) -> Iterator[tuple[str, ast.expr]]:
    """The dotted target and the value of every assignment."""
    for node in module.nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield dotted_name(target), node.value


def _is_call_of(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == name


def _without_placeholders(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if "{" not in name)
