"""Expressions of text that consist of constants: evaluated without running anything of the project."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.model_metadata import find_class_value
from migration_gate.scan.module_index import ModuleIndex, ParsedModule
from migration_gate.scan.python_strings import constant_text, dotted_name, last_name

_MAX_DEPTH = 20
"""nested expressions that are followed"""
_MAX_PATTERN = 120
"""characters of a regular expression of the project's that is applied to a class's name"""
_MAX_NAME = 120
_SAFE_PATTERN = re.compile(r"(?:[^*+{]|(?<=[\w\].])[*+])*")
"""no quantifier stands behind a group: matching takes no more than polynomial time"""
_SNAKE_CASE = re.compile(r"snake|underscore|decamel|camel_to|camel2", re.IGNORECASE)
"""names of functions that turn `UserGroup` into `user_group`"""
_ACRONYM = re.compile(r"[A-Z]{2}|\d")
"""where such functions differ"""
CAMEL_CASE = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")
"""as Flask-SQLAlchemy splits a class's name"""
_UNCHANGED = frozenset({"str", "quoted_name", "conv", "literal", "intern"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands."""

    module: ParsedModule
    class_: ast.ClassDef | None = None
    """the class whose body holds it"""
    class_name: str = ""
    """what `cls.__name__` is"""


class TextEvaluator:
    """Evaluates expressions of text that consist of constants, without running anything."""

    def __init__(self, index: ModuleIndex) -> None:
        self._index = index

    def evaluate(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> str | None:
        """The text of an expression; None if it is not known."""
        if node is None or depth > _MAX_DEPTH:
            return None
        parts = _joined_parts(node)
        if parts is not None:
            texts = self._evaluate_all(parts, scope, depth + 1)
            return "".join(texts) if texts is not None else None
        match node:
            case ast.Call():
                return self._evaluate_call(node, scope, depth)
            case ast.Constant():
                return constant_text(node)
            case ast.Name() | ast.Attribute():
                return self._look_up(node, scope, depth)
            case _:
                return None

    def _evaluate_all(self, nodes: Iterable[ast.expr], scope: Scope, depth: int) -> list[str] | None:
        """The texts of several expressions; None if one of them is not known."""
        texts = []
        for node in nodes:
            text = self.evaluate(node, scope, depth)
            if text is None:
                return None
            texts.append(text)
        return texts

    def _look_up(self, node: ast.expr, scope: Scope, depth: int) -> str | None:
        name = dotted_name(node)
        if name in ("cls.__name__", "self.__name__", "cls.__class__.__name__"):
            return scope.class_name or None
        name = name.removeprefix("cls.").removeprefix("self.")
        if scope.class_ is not None and "." not in name:
            value = find_class_value(scope.class_, name)
            if value is not None and value is not node:
                return self.evaluate(value, scope, depth + 1)
        return self._look_up_global(name, scope, depth)

    def _look_up_global(self, name: str, scope: Scope, depth: int) -> str | None:
        """A constant of a module, or an attribute of a class of constants: `Tables.USERS.value`."""
        symbol = self._index.resolve(scope.module.path, name)
        module = self._index.parse_module(symbol.path) if symbol is not None and symbol.path else None
        if symbol is None or module is None:
            return None
        if symbol.name in module.values and not symbol.attributes:
            return self.evaluate(module.values[symbol.name], Scope(module), depth + 1)
        if symbol.name in module.classes and symbol.attributes:
            class_ = module.classes[symbol.name]
            value = find_class_value(class_, symbol.attributes[0])
            return self.evaluate(value, Scope(module, class_, class_.name), depth + 1)
        return None

    def _evaluate_call(self, call: ast.Call, scope: Scope, depth: int) -> str | None:
        name = last_name(call.func)
        if name == "sub":
            return self._evaluate_substitution(call, scope, depth)
        if isinstance(call.func, ast.Attribute):
            texts = self._evaluate_all([call.func.value, *call.args], scope, depth + 1)
            if texts is not None:
                return _call_method(texts[0], name, texts[1:])
        if len(call.args) != 1 or call.keywords:
            return None
        argument = self.evaluate(call.args[0], scope, depth + 1)
        if argument is None or name in _UNCHANGED:
            return argument
        return _to_snake_case(argument) if _SNAKE_CASE.search(name) else None

    def _evaluate_substitution(self, call: ast.Call, scope: Scope, depth: int) -> str | None:
        """`re.sub(pattern, replacement, text)`, and the same of a compiled pattern."""
        arguments = list(call.args)
        if len(arguments) == 2 and isinstance(call.func, ast.Attribute):
            arguments = [*self._find_compiled(call.func.value, scope), *arguments]
        texts = self._evaluate_all(arguments[:3], scope, depth + 1)
        if texts is None or len(texts) != 3:
            return None
        pattern, replacement, text = texts
        if len(pattern) > _MAX_PATTERN or not _SAFE_PATTERN.fullmatch(pattern):
            return None
        try:
            return re.sub(pattern, replacement, text[:_MAX_NAME])
        except (re.error, IndexError):
            return None

    def _find_compiled(self, node: ast.expr, scope: Scope) -> list[ast.expr]:
        """The pattern of `NAME = re.compile(pattern)`."""
        symbol = self._index.resolve(scope.module.path, dotted_name(node))
        module = self._index.parse_module(symbol.path) if symbol is not None and symbol.path else None
        value = module.values.get(symbol.name) if module is not None and symbol is not None else None
        return value.args[:1] if isinstance(value, ast.Call) and last_name(value.func) == "compile" else []


def _joined_parts(node: ast.expr) -> list[ast.expr] | None:
    """The expressions whose texts this one joins; None if it joins nothing."""
    match node:
        case ast.JoinedStr(values=parts):
            return parts
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return [value]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [left, right]
    return None


def _call_method(text: str, method: str, arguments: list[str]) -> str | None:
    """The result of a method of a text; None for one that is not known here."""
    match method, arguments:
        case (("lower" | "upper" | "strip" | "title" | "capitalize" | "casefold"), []):
            changed: str = getattr(text, method)()
            return changed
        case "replace", [old, new]:
            return text.replace(old, new)
        case (("removesuffix" | "removeprefix"), [part]):
            cut: str = getattr(text, method)(part)
            return cut
        case "format", values if text.count("{}") == len(values) and text.count("{") == len(values):
            return text.format(*values)
    return None


def _to_snake_case(name: str) -> str | None:
    """`UserGroup` as `user_group`; None for a name that such functions split in different ways."""
    return None if _ACRONYM.search(name) else CAMEL_CASE.sub(r"_\1", name).lower().lstrip("_")
