"""The texts that Python source spells out: constants, f-strings, sums, `%` and `format()`. Nothing is run."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeGuard

from migration_gate.lazy_dataclass import dataclass

_MAX_TEXTS = 20
"""texts of one expression: a loop over table names gives one for each name"""
_MAX_DEPTH = 40
"""nested expressions that are followed"""
_MAX_PLACEHOLDER = 80
"""characters of an expression that stands for its unknown text"""
_STRING_METHODS = frozenset({"strip", "lstrip", "rstrip", "replace", "lower", "upper"})
"""methods of a string that do not change what it means"""
_WRAPPERS = frozenset({"dedent", "cleandoc", "SQL", "Identifier"})
"""functions around a string that do not change what it means; the last two are psycopg's"""
_FIELD = re.compile(r"%\((\w+)\)s|\{(\w*)[^{}]*\}|%s")
"""a field of a template: `%(name)s`, `{name}`, `{}`, `%s`"""

Constants = Mapping[str, Sequence[str]]
"""what each name stands for: one text, or several if it is a loop variable"""
_Meanings = Mapping[str, set[tuple[str, ...]]]
"""all that each name is assigned somewhere in the module"""


def dotted_name(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute, without calls and indices; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted_name(node.value)}.{node.attr}".lstrip(".")
    if isinstance(node, ast.Call):
        return dotted_name(node.func)
    return dotted_name(node.value) if isinstance(node, ast.Subscript) else ""


def last_name(node: ast.AST) -> str:
    """The last part of a callee's name: `execute` of `conn.execute`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def constant_text(node: ast.AST) -> str | None:
    """The text of a string constant; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def find_constants(tree: ast.AST) -> dict[str, tuple[str, ...]]:
    """What names stand for: names that are assigned one string, or looped over a list of strings.

    `__tablename__` of a class is under `Class.__tablename__`. A name with two meanings is left out.
    """
    meanings: dict[str, set[tuple[str, ...]]] = {}
    for node in ast.walk(tree):
        for name, texts in _find_meanings(node, meanings):
            meanings.setdefault(name, set()).add(texts)
    known = {name: _only_meaning(meanings, name) for name in meanings}
    return {name: texts for name, texts in known.items() if texts}


def _only_meaning(meanings: _Meanings, name: str) -> tuple[str, ...]:
    """The texts of a name that has one meaning; none for every other name."""
    all_texts = meanings.get(name, set())
    return next(iter(all_texts)) if len(all_texts) == 1 else ()


def _find_meanings(node: ast.AST, known: _Meanings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names that this node gives a meaning, with their texts; no text if they cannot be told."""
    match node:
        case ast.ClassDef(name=class_name, body=body):
            for statement in body:
                for name, value in find_assignments(statement):
                    yield f"{class_name}.{name}", _listed_texts(value, {})
        case ast.For(target=target, iter=values) | ast.AsyncFor(target=target, iter=values):
            yield from _find_loop_meaning(target, values, known)
        case ast.comprehension(target=target, iter=values):
            yield from _find_loop_meaning(target, values, known)
        case _:
            for name, value in find_assignments(node):
                yield name, _listed_texts(value, {})


def _find_loop_meaning(
    target: ast.expr, values: ast.expr, known: _Meanings
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The loop variable with every text that it takes."""
    if isinstance(target, ast.Name):
        yield target.id, _listed_texts(values, known)


def find_assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The name and value of an assignment to a single name."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value


def _listed_texts(node: ast.expr, known: _Meanings) -> tuple[str, ...]:
    """The texts that an expression can be: one, or those of a list; none if it holds anything else."""
    match node:
        case ast.Constant(value=str() as text):
            return (text,)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return _texts_of_elements(elements)
        case ast.Name(id=name):
            return _only_meaning(known, name)
    return ()


def _texts_of_elements(elements: Sequence[ast.expr]) -> tuple[str, ...]:
    """The texts of a list; none if an element is anything but a string constant."""
    texts = [text for text in map(constant_text, elements) if text is not None]
    return tuple(texts[:_MAX_TEXTS]) if len(texts) == len(elements) else ()


def possible_texts(node: ast.expr, constants: Constants, depth: int = 0) -> list[str]:
    """The texts that a string expression can be, at most 20; what is unknown stands as `{expression}`."""
    if depth < _MAX_DEPTH:
        parts = _joined_parts(node)
        if parts is not None:
            return ["".join(texts) for texts in _combine_texts(parts, constants, depth)]
        template = _find_template(node)
        if template is not None:
            combinations = _combine_texts([template.text, *template.values.values()], constants, depth)
            return [
                _fill_template(text, dict(zip(template.values, values, strict=True)))
                for text, *values in combinations
            ]
    text = constant_text(node)
    if text is not None:
        return [text]
    return list(_look_up(node, constants)) or [_make_placeholder(node)]


def _combine_texts(nodes: Iterable[ast.expr], constants: Constants, depth: int) -> Iterator[tuple[str, ...]]:
    """Every combination of the nodes' texts, up to the limit."""
    texts = [possible_texts(node, constants, depth + 1) for node in nodes]
    return itertools.islice(itertools.product(*texts), _MAX_TEXTS)


def _look_up(node: ast.expr, constants: Constants) -> Sequence[str]:
    """The texts of a name: `NAME`, `Class.NAME`, `self.NAME`."""
    name = dotted_name(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    if not name:
        return ()
    return constants.get(name) or constants.get(name.removeprefix("self.").removeprefix("cls.")) or ()


def _make_placeholder(node: ast.expr) -> str:
    source = ast.unparse(node).replace("{", "(").replace("}", ")").replace("\n", " ")
    return "{" + source[:_MAX_PLACEHOLDER] + "}"


def _joined_parts(node: ast.expr) -> list[ast.expr] | None:
    """The expressions whose texts this one joins, in order; None if it joins nothing."""
    match node:
        case ast.JoinedStr(values=values):
            return values
        case ast.FormattedValue(value=value):
            return [value]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [left, right]
        case ast.Call(func=function, args=[argument]) if last_name(function) in _WRAPPERS:
            return [argument]
        case ast.Call(func=ast.Attribute(value=receiver, attr=method)) if method in _STRING_METHODS:
            return [receiver]
    return None


def is_string_around(node: ast.AST, part: ast.AST) -> TypeGuard[ast.expr]:
    """Whether `node` is a longer string with `part` in it: a sum, an f-string, `dedent(part)`."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.JoinedStr | ast.FormattedValue)
    if part in node.args:
        return last_name(node.func) in _WRAPPERS
    is_method = isinstance(node.func, ast.Attribute) and node.func.value is part
    return is_method and last_name(node.func) in (*_STRING_METHODS, "format")


@dataclass(frozen=True, slots=True)
class _Template:
    """`text % values` or `text.format(values)`."""

    text: ast.expr
    values: Mapping[str, ast.expr]
    """by name, or by place from "0" on"""


def _find_template(node: ast.expr) -> _Template | None:
    match node:
        case ast.BinOp(left=text, op=ast.Mod(), right=right):
            values = right.elts if isinstance(right, ast.Tuple) else [right]
            return _Template(text, {str(place): value for place, value in enumerate(values)})
        case ast.Call(func=ast.Attribute(value=text, attr="format"), args=arguments, keywords=keywords):
            placed = {str(place): value for place, value in enumerate(arguments)}
            named = {keyword.arg: keyword.value for keyword in keywords if keyword.arg}
            return _Template(text, placed | named)
    return None


def _fill_template(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; a field without a value stays as `{name}`."""
    places = itertools.count()

    def replace_field(field: re.Match[str]) -> str:
        name = field[1] or field[2] or str(next(places))
        return values.get(name, "{" + name + "}")

    return _FIELD.sub(replace_field, template)


def find_texts(tree: ast.AST) -> Iterator[str]:
    """Every text that the source spells out; joined strings as one."""
    constants = find_constants(tree)
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):
        text = constant_text(node)
        if node in parts:
            parts.update(ast.iter_child_nodes(node))
        elif _is_joined(node):
            parts.update(ast.iter_child_nodes(node))
            yield from possible_texts(node, constants)
        elif text is not None:
            yield text


def _is_joined(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
    )
