"""A parsed Python module that can be asked where a node stands, and what becomes of a string in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import Enum, auto

from migration_gate.scan.other_dialects import connects_to_other_database, names_other_database
from migration_gate.scan.python_strings import dotted_name, find_constants, is_string_around, last_name

EXECUTES = frozenset(
    {"execute", "executemany", "executescript", "exec_driver_sql", "execute_sql", "execute_async"}
    | {"execute_ddl", "run_sql", "exec_sql", "raw_sql", "execute_query", "run_query", "fetch", "fetchval"}
    | {"fetchrow", "fetch_all", "fetch_one", "scalar", "scalars"}
)
"""callees whose string argument a database runs"""
_HOLDS_SQL = frozenset({"text", "DDL", "SQL", "sql"})
"""callees that make a string into SQL"""
_RUNS_PROGRAM = frozenset(
    {"run", "call", "check_call", "check_output", "Popen", "system", "create_subprocess_exec"}
)
_ONLY_PRINTS = re.compile(
    r"^(?:debug|info|warn|warning|error|exception|critical|fatal|log|print|p?print|echo|secho|write|writelines"
    r"|help|fail|skip|confirm|prompt|add_argument|Option|Argument|option|argument|Field|match|search|compile"
    r"|sub|startswith|endswith|find|index|count|split|set_description|add_parser|deprecated|update_state"
    r"|\w*(?:Error|Exception|Warning|Prompt|Message|Template))$"
)
"""callees that print, compare or document their string argument"""
_NAMES_PROSE = re.compile(
    r"prompt|example|sample|doc|help|descr|message|\bmsg|title|fixture|reason|comment|usage", re.IGNORECASE
)
"""names of variables and arguments that hold text for people"""


class StringRole(Enum):
    """What becomes of a string."""

    EXECUTED = auto()
    """a call executes it"""
    STORED = auto()
    """it is kept under a name, returned or passed on"""
    PROGRAM = auto()
    """it is a part of a command line"""
    NOT_RUN = auto()
    """a docstring, a message, a comparison"""


class PythonModule:
    """The nodes of a module, each with its parent."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._parents: dict[ast.AST, ast.AST] = {}
        self._uses: dict[str, list[ast.Name]] | None = None
        self.nodes: list[ast.AST] = []
        for node in ast.walk(tree):
            self.nodes.append(node)
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node
        self.constants = find_constants(tree)
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.executes_sql = any(
            isinstance(node, ast.Call) and last_name(node.func) in EXECUTES for node in self.nodes
        )

    def find_uses(self, name: str) -> list[ast.Name]:
        """Every place that reads the variable of this name."""
        if self._uses is None:
            self._uses = {}
            for node in self.nodes:
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    self._uses.setdefault(node.id, []).append(node)
        return self._uses.get(name, [])

    def find_parent(self, node: ast.AST) -> ast.AST | None:
        """The node right above; None for the module itself."""
        return self._parents.get(node)

    def find_ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """From the node's parent up to, but without, the module."""
        parent = self._parents.get(node)
        while parent is not None and parent is not self._tree:
            yield parent
            parent = self._parents.get(parent)

    def find_scopes(self, node: ast.AST) -> tuple[str, ...]:
        """The names of the functions, classes and constants in which the node stands, innermost first."""
        names: list[str] = []
        for ancestor in self.find_ancestors(node):
            if isinstance(ancestor, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.append(ancestor.name)
            elif isinstance(ancestor, ast.Assign | ast.AnnAssign):
                names += [dotted_name(target) for target in _find_targets(ancestor)]
        return tuple(name for name in names if name)

    def find_function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost function in which the node stands."""
        for ancestor in self.find_ancestors(node):
            if isinstance(ancestor, ast.FunctionDef | ast.AsyncFunctionDef):
                return ancestor
        return None

    def find_function_name(self, node: ast.AST) -> str:
        """The name of the innermost function in which the node stands; empty outside of functions."""
        function = self.find_function(node)
        return function.name if function is not None else ""

    def runs_on_postgres(self, node: ast.AST) -> bool:
        """Whether the code can run in the application, against Postgres."""
        if any(names_other_database(name) for name in self.find_scopes(node)):
            return False
        child = node
        for ancestor in self.find_ancestors(node):
            if isinstance(ancestor, ast.If) and child in ancestor.body and not _can_hold(ancestor.test):
                return False
            if isinstance(ancestor, ast.FunctionDef | ast.AsyncFunctionDef) and connects_to_other_database(
                ast.unparse(ancestor)
            ):
                return False
            child = ancestor
        return True

    def find_whole_string(self, node: ast.Constant) -> ast.expr:
        """The largest string expression of which the constant is a part."""
        whole: ast.expr = node
        for ancestor in self.find_ancestors(node):
            if is_string_around(ancestor, whole):
                whole = ancestor
            elif not isinstance(ancestor, ast.Attribute):
                break
        return whole

    def find_role(self, node: ast.expr) -> StringRole:
        """What becomes of a string expression."""
        child: ast.AST = node
        for ancestor in self.find_ancestors(node):
            if _is_prose(ancestor, child):
                return StringRole.NOT_RUN
            if isinstance(ancestor, ast.Call) and child is not ancestor.func:
                return _find_role_in_call(ancestor)
            if isinstance(ancestor, ast.stmt):
                return _find_role_in_statement(ancestor)
            child = ancestor
        return StringRole.NOT_RUN


def _can_hold(condition: ast.expr) -> bool:
    """Whether the body of an `if` can run in the application with Postgres."""
    source = ast.unparse(condition)
    if "__name__" in source or "TYPE_CHECKING" in source:
        return False
    is_negated = "!=" in source or " not in " in source or source.startswith("not ")
    return is_negated or not names_other_database(source)


def _is_prose(parent: ast.AST, child: ast.AST) -> bool:
    """Whether the parent compares, raises or documents the string below it."""
    if isinstance(parent, ast.Dict):
        return child in parent.keys
    if isinstance(parent, ast.keyword):
        return _NAMES_PROSE.search(parent.arg or "") is not None
    return isinstance(parent, ast.Compare | ast.Raise | ast.Assert | ast.JoinedStr)


def _find_role_in_call(call: ast.Call) -> StringRole:
    name = last_name(call.func)
    if name in EXECUTES or name in _HOLDS_SQL:
        return StringRole.EXECUTED
    if name in _RUNS_PROGRAM:
        return StringRole.PROGRAM
    return StringRole.NOT_RUN if _ONLY_PRINTS.match(name) else StringRole.STORED


def _find_role_in_statement(statement: ast.stmt) -> StringRole:
    if isinstance(statement, ast.Return | ast.For):
        return StringRole.STORED
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        names = [dotted_name(target) for target in _find_targets(statement)]
        is_prose = any(_NAMES_PROSE.search(name) for name in names)
        return StringRole.NOT_RUN if is_prose else StringRole.STORED
    return StringRole.NOT_RUN


def _find_targets(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]
