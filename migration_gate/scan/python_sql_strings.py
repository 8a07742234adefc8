"""Strings in Python code that hold schema statements and reach a Postgres: executed, or given to `psql`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from migration_gate.facts import SchemaChangeKind
from migration_gate.scan.code_change import CodeChange
from migration_gate.scan.ddl_events import DdlEvent, find_ddl_event
from migration_gate.scan.python_module import PythonModule, StringRole
from migration_gate.scan.python_strings import possible_texts
from migration_gate.scan.sql_classifier import SqlStatement, StatementKind, classify_statements

DDL = re.compile(r"\b(?:CREATE|ALTER|DROP|COMMENT\s+ON)\s+[A-Z]", re.IGNORECASE)
"""a string that may hold a schema statement"""
_MAX_STRING = 100_000
"""characters of one string that are read as SQL"""
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


def find_sql_strings(module: PythonModule) -> Iterator[CodeChange]:
    """Every string of the module with schema statements that a Postgres runs."""
    seen: set[ast.AST] = set()
    for node in module.nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if DDL.search(node.value):
            whole = module.find_whole_string(node)
            if whole not in seen:
                seen.add(whole)
                yield from _read_string(module, whole)


def _read_string(module: PythonModule, whole: ast.expr) -> Iterator[CodeChange]:
    """The schema statements in one string; a string with several possible texts gives those of each."""
    role = module.find_role(whole)
    if role is StringRole.NOT_RUN or not module.runs_on_postgres(whole):
        return
    kind = _find_string_kind(module, whole, role)
    for text in possible_texts(whole, module.constants):
        sql = _cut_command_line(text) if kind == "shell" else text
        event = find_ddl_event(module, whole, sql)
        if kind is None and event is None:
            continue
        for statement in classify_statements(sql[:_MAX_STRING]):
            change = _make_change(statement, kind, event)
            if change is not None:
                yield replace(
                    change,
                    line=min(whole.lineno + statement.line - 1, whole.end_lineno or whole.lineno),
                    scopes=module.find_scopes(whole),
                    function=module.find_function_name(whole),
                )


def _make_change(
    statement: SqlStatement, kind: SchemaChangeKind | None, event: DdlEvent | None
) -> CodeChange | None:
    """The change of one statement, without its place; None for one that changes no schema by itself."""
    if event is None:
        is_change = kind is not None and _is_change(statement)
        return CodeChange(0, statement.text, kind or "execute", statement.relations) if is_change else None
    if event == "drop" or statement.kind is not StatementKind.SCHEMA or statement.is_foreign:
        return None
    return CodeChange(0, statement.text, "ddl event", statement.relations, created=statement.created)


def _find_string_kind(module: PythonModule, whole: ast.expr, role: StringRole) -> SchemaChangeKind | None:
    """How the string reaches a Postgres; None if no code of the module brings it there."""
    if role is StringRole.PROGRAM:
        return "shell" if _runs_psql(module, whole) else None
    return "execute" if role is StringRole.EXECUTED or module.executes_sql else None


def _cut_command_line(text: str) -> str:
    """The SQL of `psql -c "SQL"`; the whole text if it is an argument of its own."""
    return text.partition("-c")[2].strip(" \"'") if "psql" in text else text


def _runs_psql(module: PythonModule, node: ast.expr) -> bool:
    """Whether the command line that the string is a part of starts `psql`."""
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
