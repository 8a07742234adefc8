"""The text of a revision as code: what is the same whatever it looks like, its constants, its imports."""

from __future__ import annotations

import ast
import builtins
import posixpath
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from migration_gate.python_parser import parse_module

IDENTIFIERS = frozenset({"revision", "down_revision", "depends_on", "branch_labels"})
"""variables that say where a revision stands, and not what it does"""
GENERATORS = frozenset(
    {"uuid", "uuid1", "uuid4", "uuid7", "random", "secrets", "now", "utcnow", "today", "time", "time_ns"}
    | {"urandom", "token_hex", "token_urlsafe", "randint", "choice", "choices", "shuffle", "gensalt"}
    | {"hashpw", "generate_password_hash", "hash_password", "make_password", "get_password_hash", "hash"}
    | {"encrypt", "monotonic", "perf_counter"}
)
"""functions whose result is another one in each run"""
STATEMENT_FIELDS = ("body", "orelse", "finalbody", "handlers", "cases")
"""of nodes: lists with statements, or with what has statements"""
_BUILTINS = frozenset(vars(builtins))


@lru_cache(maxsize=256)
def _parse(text: str) -> ast.Module | None:
    """The upgrade and what it may use: without the downgrade, identifiers and docstrings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = parse_module(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    tree.body = [statement for statement in tree.body if not _is_left_out(statement)]
    return tree


def _is_left_out(statement: ast.stmt) -> bool:
    match statement:
        case ast.FunctionDef(name="downgrade") | ast.AsyncFunctionDef(name="downgrade"):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name in IDENTIFIERS
        case _:
            return _is_text(statement)


def _is_text(statement: ast.stmt) -> bool:
    """Whether it is a docstring, or another text that does nothing."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False


@lru_cache(maxsize=256)
def normalize_code(text: str) -> str:
    """The same for two texts that differ in layout, comments, docstrings, annotations or names of variables.

    The text itself, if Python cannot parse it.
    """
    tree = _parse(text)
    if tree is None:
        return text
    # (a fresh tree: the one that was parsed is kept for other questions)
    return ast.dump(_Renamer().visit(parse_module(ast.unparse(tree))))


class _Renamer(ast.NodeTransformer):
    """Numbers the names of variables, and drops what has no effect."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def _number(self, name: str) -> str:
        return name if name in _BUILTINS else self._names.setdefault(name, f"name{len(self._names)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._number(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._number(node.arg))

    def visit_alias(self, node: ast.alias) -> ast.AST:
        return ast.alias(node.name, self._number(node.asname or node.name.partition(".")[0]))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.visit(ast.Assign([node.target], node.value))  # type: ignore[no-any-return]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._number(node.name)
        node.returns = None
        node.body = [statement for statement in node.body if not _is_text(statement)] or [ast.Pass()]
        return self.generic_visit(node)


def count_constants(text: str) -> Counter[str]:
    """The strings and numbers in the code, as texts."""
    tree = _parse(text)
    nodes = ast.walk(tree) if tree is not None else ()
    return Counter(
        str(node.value)
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes | int | float)
    )


def uses_generator(text: str) -> bool:
    """Whether the code names a function whose result is another one in each run."""
    tree = _parse(text)
    return tree is None or any(name in GENERATORS for node in ast.walk(tree) for name in _list_names(node))


def _list_names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.alias(name=name):
            yield from name.split(".")
        case _:
            return


def list_imported_paths(text: str, file: str) -> frozenset[str]:
    """The modules that the code imports as paths without a suffix; what an import takes from one may be one.

    Relative imports begin at the folder of `file`, others at any folder: `shop/models`.
    """
    tree = _parse(text)
    nodes = _walk_statements(tree) if tree is not None else ()
    folder = posixpath.dirname(file)
    return frozenset(path for node in nodes for path in _list_imports(node, folder))


def _walk_statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements, without the expressions in them: most of a file's nodes are those."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for field in STATEMENT_FIELDS:
            inner = getattr(node, field, None)
            if isinstance(inner, list):
                waiting += inner


def _list_imports(node: ast.AST, folder: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name.replace(".", "/")
    elif isinstance(node, ast.ImportFrom):
        start = posixpath.normpath(posixpath.join(folder, *[".."] * (node.level - 1))) if node.level else ""
        module = posixpath.join(start, (node.module or "").replace(".", "/")).rstrip("/")
        yield module
        for alias in node.names:
            yield posixpath.join(module, alias.name)
