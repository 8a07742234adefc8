"""Where Python code changes a schema when it runs: read from its syntax tree, never executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from migration_gate.scan import other_dialects
from migration_gate.scan.python_module import EXECUTES, Module, Role
from migration_gate.scan.python_strings import dotted, last_name, parse, spell
from migration_gate.scan.sql_classifier import SqlStatement, StatementKind, classify_statements

LONGEST_STRING = 100_000
"""characters of one string that are read as SQL"""
_DDL = re.compile(r"\b(?:CREATE|ALTER|DROP|COMMENT\s+ON)\s+[A-Z]", re.IGNORECASE)
_KINDS = "TABLE|INDEX|VIEW|TYPE|DOMAIN|SEQUENCE|TRIGGER|POLICY|RULE"
_SQL_NOT_PROSE = re.compile(
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
_METADATA = re.compile(r"metadata$|^(?:db|database|sqlmodel|orm)$|base$", re.IGNORECASE)
_ELEMENTS = frozenset(
    {"CreateTable", "DropTable", "CreateIndex", "DropIndex", "AddConstraint", "DropConstraint"}
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One place that changes a schema."""

    file: str
    line: int
    statement: str
    how: str
    tables: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """names of the functions, classes and constants it stands in"""


def find_python_changes(file: str, data: bytes | str) -> list[Hit] | None:
    """Every place in a Python file that changes a schema when it runs; None when it cannot be parsed."""
    tree = parse(data)
    if tree is None:
        return None
    if not any(_is_mark(node) for node in ast.walk(tree)):
        return []
    try:
        return _changes(file, tree)
    except RecursionError:  # a sum of thousands of strings
        return None


def _changes(file: str, tree: ast.Module) -> list[Hit]:
    module = Module(tree)
    if other_dialects.named(file) or other_dialects.imported_alone(module.nodes):
        return []
    found = {(hit.line, hit.statement): hit for hit in (*_strings(file, module), *_calls(file, module))}
    return sorted(found.values(), key=lambda hit: hit.line)


def _is_mark(node: ast.AST) -> bool:
    """Whether a node can make a file worth a closer look."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and bool(_DDL.search(node.value))
    if isinstance(node, ast.Attribute):
        return node.attr in ("create_all", "drop_all", "create", "drop") or node.attr in _ELEMENTS
    return isinstance(node, ast.Name) and node.id in _ELEMENTS


def _strings(file: str, module: Module) -> Iterator[Hit]:
    """Strings that hold DDL and go to a database."""
    done: set[ast.AST] = set()
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DDL.search(node.value):
            whole = module.whole(node)
            if whole not in done:
                done.add(whole)
                yield from _string(file, module, whole)


def _string(file: str, module: Module, whole: ast.expr) -> Iterator[Hit]:
    role = module.role(whole)
    if role is Role.TALK or (role is Role.STORED and not module.executes) or not module.counts(whole):
        return
    if role is Role.PROGRAM and not _runs_psql(module, whole):
        return
    how = "shell" if role is Role.PROGRAM else "execute"
    for text in spell(whole, module.known):
        sql = text.partition("-c")[2].strip(" \"'") if how == "shell" and "psql" in text else text
        for statement in classify_statements(sql[:LONGEST_STRING]):
            if _is_change(statement):
                line = min(whole.lineno + statement.line - 1, whole.end_lineno or whole.lineno)
                yield Hit(file, line, statement.text, how, statement.relations, module.scopes(whole))


def _runs_psql(module: Module, node: ast.expr) -> bool:
    call = next((parent for parent in module.parents(node) if isinstance(parent, ast.Call)), None)
    return call is not None and "psql" in ast.unparse(call)


def _is_change(statement: SqlStatement) -> bool:
    """Whether the statement changes relations that it names, and is SQL rather than a sentence about it."""
    if statement.kind is not StatementKind.SCHEMA or statement.is_foreign or not statement.relations:
        return False
    head = statement.text.split()[0]
    cut = statement.text.endswith("…")
    return (head.isupper() or head.islower()) and (cut or bool(_SQL_NOT_PROSE.search(statement.text)))


def _calls(file: str, module: Module) -> Iterator[Hit]:
    """`create_all`, `drop_all`, `execute(CreateTable(...))`, `User.__table__.create(bind)`."""
    for node in module.nodes:
        hit = None
        if isinstance(node, ast.Attribute) and node.attr in ("create_all", "drop_all"):
            hit = _create_all(module, node)
        elif isinstance(node, ast.Call) and last_name(node.func) in _ELEMENTS:
            hit = _element(module, node)
        elif isinstance(node, ast.Call) and last_name(node.func) in ("create", "drop"):
            hit = _create_table(module, node)
        if hit is not None and isinstance(node, ast.expr) and module.counts(node):
            how, statement, tables = hit
            yield Hit(file, node.lineno, statement, how, tables, module.scopes(node))


def _create_all(module: Module, node: ast.Attribute) -> tuple[str, str, tuple[str, ...]] | None:
    """A call, or the method handed to `run_sync`."""
    parent = module.above.get(node)
    if not isinstance(parent, ast.Call | ast.keyword):
        return None
    tables = _made_here(module, node.value)
    if tables == () or (tables is None and not _METADATA.search(dotted(node.value).rpartition(".")[2])):
        return None
    called = isinstance(parent, ast.Call) and parent.func is node
    if called and other_dialects.named(ast.unparse(parent)):
        return None
    return node.attr, ast.unparse(parent if called else node), tables or ()


def _made_here(module: Module, receiver: ast.expr) -> tuple[str, ...] | None:
    """The tables of a MetaData that the module makes itself; None for the application's own."""
    if not isinstance(receiver, ast.Name):
        return None
    makers = [value for name, value in _assignments(module) if name == receiver.id]
    if not makers or not all(isinstance(m, ast.Call) and last_name(m.func) == "MetaData" for m in makers):
        return None
    return tuple(
        name
        for node in module.nodes
        if isinstance(node, ast.Call) and last_name(node.func) == "Table" and len(node.args) > 1
        if isinstance(node.args[1], ast.Name) and node.args[1].id == receiver.id
        for name in _plain(spell(node.args[0], module.known))
    )


def _assignments(module: Module) -> Iterator[tuple[str, ast.expr]]:
    for node in module.nodes:
        if isinstance(node, ast.Assign):
            yield from ((dotted(target), node.value) for target in node.targets)


def _element(module: Module, node: ast.Call) -> tuple[str, str, tuple[str, ...]] | None:
    """A DDL element counts where it is executed; it is often only printed."""
    runs = any(isinstance(p, ast.Call) and last_name(p.func) in EXECUTES for p in module.parents(node))
    if not runs or not node.args:
        return None
    tables = _table_of(module, node.args[0])
    if not tables and not dotted(node.args[0]).endswith("__table__"):  # often one that users define
        return None
    return "ddl element", ast.unparse(node), tables


def _create_table(module: Module, node: ast.Call) -> tuple[str, str, tuple[str, ...]] | None:
    if not isinstance(node.func, ast.Attribute):
        return None
    if not node.args and not any(keyword.arg == "bind" for keyword in node.keywords):
        return None
    tables = _table_of(module, node.func.value)
    if not tables and not dotted(node.func.value).endswith("__table__"):
        return None
    return "ddl element", ast.unparse(node), tables


def _table_of(module: Module, node: ast.expr) -> tuple[str, ...]:
    """The table that `User.__table__`, or a name assigned `Table("users", ...)`, stands for."""
    name = dotted(node)
    if name.endswith(".__table__"):
        return _plain(list(module.known.get(name.removesuffix("__table__") + "__tablename__", ())))
    for target, value in _assignments(module):
        if target == name and isinstance(value, ast.Call) and last_name(value.func) == "Table" and value.args:
            return _plain(spell(value.args[0], module.known))
    return ()


def _plain(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if "{" not in name)
