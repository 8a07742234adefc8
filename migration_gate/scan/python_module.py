"""A parsed Python file that can be asked where a node stands, and what becomes of a string."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import Enum, auto

from migration_gate.scan import other_dialects
from migration_gate.scan.python_strings import constants, dotted, extends, last_name

EXECUTES = frozenset(
    {"execute", "executemany", "executescript", "exec_driver_sql", "execute_sql", "execute_async"}
    | {"execute_ddl", "run_sql", "exec_sql", "raw_sql", "execute_query", "run_query", "fetch", "fetchval"}
    | {"fetchrow", "fetch_all", "fetch_one", "scalar", "scalars"}
)
"""callees whose string argument a database runs"""
_HOLDS_SQL = frozenset({"text", "DDL", "SQL", "sql"})
_RUNS_PROGRAM = frozenset(
    {"run", "call", "check_call", "check_output", "Popen", "system", "create_subprocess_exec"}
)
_TALKS = re.compile(
    r"^(?:debug|info|warn|warning|error|exception|critical|fatal|log|print|p?print|echo|secho|write|writelines"
    r"|help|fail|skip|confirm|prompt|add_argument|Option|Argument|option|argument|Field|match|search|compile"
    r"|sub|startswith|endswith|find|index|count|split|set_description|add_parser|deprecated|update_state"
    r"|\w*(?:Error|Exception|Warning|Prompt|Message|Template))$"
)
_TALKING = re.compile(
    r"prompt|example|sample|doc|help|descr|message|\bmsg|title|fixture|reason|comment|usage", re.IGNORECASE
)


class Role(Enum):
    """What becomes of a string."""

    EXECUTED = auto()
    """it is an argument of a call that executes it"""
    STORED = auto()
    """it is kept under a name, returned or handed on"""
    PROGRAM = auto()
    """it is a part of a command line"""
    TALK = auto()
    """nobody runs it: a docstring, a message, a comparison"""


class Module:
    """A file's tree, with the way from every node up to the top."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.above: dict[ast.AST, ast.AST] = {}
        self.nodes: list[ast.AST] = []
        for node in ast.walk(tree):
            self.nodes.append(node)
            for child in ast.iter_child_nodes(node):
                self.above[child] = node
        self.known = constants(tree)
        self.executes = any(isinstance(n, ast.Call) and last_name(n.func) in EXECUTES for n in self.nodes)

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """From the node's parent up to, but without, the module."""
        above = self.above.get(node)
        while above is not None and above is not self.tree:
            yield above
            above = self.above.get(above)

    def scopes(self, node: ast.AST) -> tuple[str, ...]:
        """The functions, classes and constants that the node stands in."""
        names: list[str] = []
        for parent in self.parents(node):
            if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.append(parent.name)
            elif isinstance(parent, ast.Assign | ast.AnnAssign):
                names += [dotted(target) for target in _targets(parent)]
        return tuple(name for name in names if name)

    def counts(self, node: ast.AST) -> bool:
        """Whether the code runs in the application, against Postgres."""
        if any(other_dialects.named(name) for name in self.scopes(node)):
            return False
        below = node
        for parent in self.parents(node):
            if isinstance(parent, ast.If) and below in parent.body and not _runs(parent.test):
                return False
            if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and other_dialects.opened(
                ast.unparse(parent)
            ):
                return False
            below = parent
        return True

    def whole(self, node: ast.Constant) -> ast.expr:
        """The largest string expression that the constant is a part of."""
        whole: ast.expr = node
        for parent in self.parents(node):
            if extends(parent, whole):
                whole = parent
            elif not isinstance(parent, ast.Attribute):
                break
        return whole

    def role(self, node: ast.expr) -> Role:
        """What becomes of a string expression."""
        below: ast.AST = node
        for parent in self.parents(node):
            if _is_talk(parent, below):
                return Role.TALK
            if isinstance(parent, ast.Call) and below is not parent.func:
                return _role_in_call(parent)
            if isinstance(parent, ast.stmt):
                return _role_in_statement(parent)
            below = parent
        return Role.TALK


def _runs(test: ast.expr) -> bool:
    """Whether the body of an `if` can run in the application with Postgres."""
    said = ast.unparse(test)
    if "__name__" in said or "TYPE_CHECKING" in said:
        return False
    return not other_dialects.named(said) or "!=" in said or said.startswith("not ") or " not in " in said


def _is_talk(parent: ast.AST, below: ast.AST) -> bool:
    return (
        isinstance(parent, ast.Compare | ast.Raise | ast.Assert | ast.JoinedStr)
        or (isinstance(parent, ast.keyword) and bool(_TALKING.search(parent.arg or "")))
        or (isinstance(parent, ast.Dict) and below in parent.keys)
    )


def _role_in_call(call: ast.Call) -> Role:
    name = last_name(call.func)
    if name in EXECUTES or name in _HOLDS_SQL:
        return Role.EXECUTED
    if name in _RUNS_PROGRAM:
        return Role.PROGRAM
    return Role.TALK if _TALKS.match(name) else Role.STORED


def _role_in_statement(statement: ast.stmt) -> Role:
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        talks = any(_TALKING.search(dotted(target)) for target in _targets(statement))
        return Role.TALK if talks else Role.STORED
    return Role.STORED if isinstance(statement, ast.Return | ast.For) else Role.TALK


def _targets(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]
