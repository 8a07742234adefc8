"""What the code around a call of `create_all` says about it: a test, Alembic's recipe, its own engine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from migration_gate.scan.python_module import PythonModule
from migration_gate.scan.python_strings import constant_text, dotted_name, find_assignments, last_name

_ENGINES = frozenset({"create_engine", "create_async_engine"})
_TEST = re.compile(r"(?:^|_)(?:tests?|testing|fixtures?|mock|fake)(?:_|$)|(?:^|[a-z])Tests?(?:[A-Z_]|$)")
"""names of functions, classes and engines of tests; not `latest` or `contest`"""
_TEST_MODULES = frozenset({"pytest", "unittest", "pytest_asyncio", "testcontainers", "factory", "hypothesis"})
_STAMP_COMMAND = re.compile(r"\bstamp\b")


def is_test_code(module: PythonModule, node: ast.Attribute) -> bool:
    """Whether the call belongs to tests: by what its module imports, its function's name, or its engine's."""
    if any(name.partition(".")[0] in _TEST_MODULES for name in _list_imports(module)):
        return True
    parent = module.find_parent(node)
    engines = list(_list_arguments(parent)) if isinstance(parent, ast.Call) else []
    names = (*module.find_scopes(node), *(dotted_name(engine).rpartition(".")[2] for engine in engines))
    return any(_TEST.search(name) for name in names)


def stamps_head(module: PythonModule, node: ast.AST) -> bool:
    """Whether the innermost function also stamps the version table: `command.stamp(config, "head")`."""
    function = module.find_function(node)
    nodes = ast.walk(function) if function is not None else module.nodes
    return any(isinstance(call, ast.Call) and _is_stamp(call) for call in nodes)


def _is_stamp(call: ast.Call) -> bool:
    """Whether it is `command.stamp(...)`, or runs the command line `alembic stamp ...`."""
    if _STAMP_COMMAND.search(last_name(call.func)):
        return True
    line = " ".join(constant_text(part) or "" for part in ast.walk(call))
    return "alembic" in line and _STAMP_COMMAND.search(line) is not None


def find_engine_url(module: PythonModule, call: ast.Call) -> str:
    """The URL's expression of an engine that is made for this call; empty for an engine from elsewhere."""
    for engine in _list_arguments(call):
        made = engine if isinstance(engine, ast.Call) else _find_value(module, call, engine)
        if isinstance(made, ast.Call) and last_name(made.func) in _ENGINES and made.args:
            return ast.unparse(made.args[0])
    return ""


def _find_value(module: PythonModule, call: ast.Call, engine: ast.expr) -> ast.expr | None:
    """What the innermost function assigns to a variable."""
    function = module.find_function(call)
    if function is None or not isinstance(engine, ast.Name):
        return None
    for node in ast.walk(function):
        for name, value in find_assignments(node):
            if name == engine.id:
                return value
    return None


def _list_arguments(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments in which an engine may stand."""
    yield from call.args
    yield from (keyword.value for keyword in call.keywords if keyword.arg in ("bind", "engine"))


def _list_imports(module: PythonModule) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
