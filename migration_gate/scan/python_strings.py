"""Python source as a tree, and the strings it spells out: constants, f-strings, sums, `%` and format."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Iterator
from typing import TypeGuard

from migration_gate.scan import python_syntax

_FILE = "migration-gate-reads-only"
_WAYS = 20
"""spellings of one expression: a loop over table names gives one each"""
_METHODS = frozenset({"strip", "lstrip", "rstrip", "replace", "lower", "upper"})
"""of a string, that leave its sense as it is"""
_AROUND = frozenset({"dedent", "cleandoc", "SQL", "Identifier"})
"""functions around a string, likewise; the last two are psycopg's"""


def parse(data: bytes | str) -> ast.Module | None:
    """The tree of a source file; None when it cannot be parsed. Nothing is run."""
    # Old sources have invalid escapes; a filter for this one name mends that without hiding others' warnings.
    warnings.filterwarnings("ignore", module=_FILE)
    try:
        try:
            return ast.parse(data, filename=f"{_FILE}.py")
        except SyntaxError:
            return python_syntax.parse(data, f"{_FILE}.py")
    except (ValueError, RecursionError, MemoryError):
        return None


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute, calls and indices left out; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    if isinstance(node, (ast.Call, ast.Subscript)):
        return dotted(node.func if isinstance(node, ast.Call) else node.value)
    return ""


def last_name(node: ast.AST) -> str:
    """The last name of a callee: `execute` of `conn.execute`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def constants(tree: ast.AST) -> dict[str, tuple[str, ...]]:
    """What names stand for where that is plain: assigned one string, or looped over a list of strings.

    `__tablename__` of a class is kept as `Class.__tablename__`.
    """
    known: dict[str, set[tuple[str, ...]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                for name, value in _assigned(inner):
                    known.setdefault(f"{node.name}.{name}", set()).add(_values(value, {}))
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            if isinstance(node.target, ast.Name):
                known.setdefault(node.target.id, set()).add(_values(node.iter, known))
        else:
            for name, value in _assigned(node):
                known.setdefault(name, set()).add(_values(value, {}))
    return {name: next(iter(found)) for name, found in known.items() if len(found) == 1 and found != {()}}


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        yield node.targets[0].id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def _values(node: ast.expr, known: dict[str, set[tuple[str, ...]]]) -> tuple[str, ...]:
    """The strings that an expression can be: one, or those of a list; none when that is not plain."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        each = [
            item.value for item in node.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
        return tuple(each[:_WAYS]) if len(each) == len(node.elts) else ()
    if isinstance(node, ast.Name):
        found = known.get(node.id, set())
        return next(iter(found)) if len(found) == 1 else ()
    return ()


def spell(node: ast.expr, known: dict[str, tuple[str, ...]], depth: int = 0) -> list[str]:
    """The ways in which a string expression can read; what is not plain stands as `{expression}`."""
    parts = _parts(node)
    if parts is not None and depth < 40:
        ways = itertools.product(*(spell(part, known, depth + 1) for part in parts))
        return ["".join(way) for way in itertools.islice(ways, _WAYS)]
    filled = _filled(node)
    if filled is not None and depth < 40:
        ways = itertools.product(*(spell(part, known, depth + 1) for part in filled.values()))
        return [_fill(dict(zip(filled, way, strict=True))) for way in itertools.islice(ways, _WAYS)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    name = dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    if name and (values := known.get(name) or known.get(name.removeprefix("self.").removeprefix("cls."))):
        return list(values)
    return ["{" + ast.unparse(node).replace("{", "(").replace("}", ")").replace("\n", " ")[:80] + "}"]


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """What an expression joins, in order; None for what joins nothing."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and last_name(node.func) in _AROUND and len(node.args) == 1:
        return [node.args[0]]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        return [node.func.value]
    return None


def extends(node: ast.AST, part: ast.AST) -> TypeGuard[ast.expr]:
    """Whether `node` is a longer string expression: a sum, an f-string, `dedent(part)`, `part.format(x)`."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.JoinedStr | ast.FormattedValue)
    if part in node.args:
        return last_name(node.func) in _AROUND
    named = isinstance(node.func, ast.Attribute) and node.func.value is part
    return named and last_name(node.func) in (*_METHODS, "format")


def _filled(node: ast.expr) -> dict[str, ast.expr] | None:
    """The template of a `%` or a `format()` under "", and its values under their place or name."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        return {"": node.left} | {str(place): value for place, value in enumerate(given)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        return {"": node.func.value} | {str(n): value for n, value in enumerate(node.args)} | named
    return None


def _fill(values: dict[str, str]) -> str:
    """The template with its values in place; what it lacks stays a hole."""
    count = itertools.count()

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2] or str(next(count))
        return values.get(name, "{" + name + "}")

    return re.sub(r"%\((\w+)\)s|\{(\w*)[^{}]*\}|%s", value, values[""])


def spellings(tree: ast.AST) -> Iterator[str]:
    """Every string that the source spells out, joined parts as one."""
    known = constants(tree)
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):
        if node in parts:
            parts.update(ast.iter_child_nodes(node))
        elif isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
        ):
            parts.update(ast.iter_child_nodes(node))
            yield from spell(node, known)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
