"""The places of a source file that read settings by name: `os.environ["A"]`, `config("B", cast=int)`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Dict, Iterator, List, Optional, Tuple

from .deferred_methods import dataclass

CONVERTING_FUNCTIONS = ("int", "float", "bool", "loads", "UUID", "Decimal", "fromisoformat")
TYPES_BY_FUNCTION = {"loads": "json", "UUID": "uuid", "Decimal": "decimal", "fromisoformat": "date"}
TYPED_METHODS = (
    "int", "float", "bool", "list", "json", "dict", "uuid", "decimal", "timedelta", "date", "datetime",
    "time", "url", "log_level", "email_url", "search_url", "db", "db_url",
)  # fmt: skip
"""of environs and django-environ: `env.int("NAME")`"""
PREFIXING_METHOD = "prefixed"
"""of environs"""
OPTIONAL_READERS = ("get", "getenv", "setdefault", "pop")
"""what answers without an error if the setting is missing"""


@dataclass(frozen=True)
class SettingCall:
    """One place that reads a setting."""

    name: str
    line: int
    reader: str
    """`os.environ[]`, `config()`, `env.`"""
    type_name: str = ""
    """int, bool, json...; '' if nothing says so"""
    is_required: bool = True


def parse_file(file: str) -> Optional[ast.Module]:
    """The file's syntax tree; None if it cannot be read."""
    try:
        with open(file, "rb") as stream:
            return ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def find_setting_calls(tree: ast.Module) -> list[SettingCall]:
    """Every place that reads a setting by a literal name. Those in a `try` count as not required."""
    return list(_walk_calls(tree))


def find_statement_lines(tree: ast.Module, line: int) -> range:
    """The lines of the innermost simple statement, or head of a compound one, that holds the line."""
    best = range(line, line + 1)
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        lines = _own_lines(node)
        if line in lines and (len(best) == 1 or len(lines) < len(best)):
            best = lines
    return best


def _own_lines(statement: ast.stmt) -> range:
    """The statement's lines; of one with a body only those above it."""
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return range(statement.lineno, body[0].lineno)
    return range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def _walk_calls(tree: ast.Module) -> Iterator[SettingCall]:
    """In the order of the text; a stack, because a sum of hundreds of strings nests too deeply to recurse."""
    stack: List[Tuple[ast.AST, str, bool, Dict[str, str]]] = [(tree, "", True, {})]
    while stack:
        node, type_name, is_required, prefixes = stack.pop()
        call = _read_call(node, type_name)
        if call is not None:
            name = prefixes.get(call.reader.rstrip(".()"), "") + call.name
            yield replace(call, name=name, is_required=call.is_required and is_required)
        inner_type = _converted_type(node)
        is_required = is_required and not isinstance(node, ast.Try)
        if isinstance(node, ast.With):
            prefixes = _add_prefixes(node, prefixes)
        children = [(child, inner_type, is_required, prefixes) for child in ast.iter_child_nodes(node)]
        stack += reversed(children)


def _add_prefixes(block: ast.With, prefixes: Dict[str, str]) -> Dict[str, str]:
    """What an object of environs puts before names in `with env.prefixed("SMTP_"):`, by its own name."""
    prefixes = dict(prefixes)
    calls = [item.context_expr for item in block.items if isinstance(item.context_expr, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr == PREFIXING_METHOD and call.args:
            reader = _unparse(call.func.value)
            prefixes[reader] = prefixes.get(reader, "") + (_text_of(call.args[0]) or "")
    return prefixes


def _converted_type(node: ast.AST) -> str:
    """What `int(…)` and `json.loads(…)` want to be given."""
    function = _last_name(node.func) if isinstance(node, ast.Call) else ""
    return TYPES_BY_FUNCTION.get(function, function) if function in CONVERTING_FUNCTIONS else ""


def _read_call(node: ast.AST, type_name: str) -> Optional[SettingCall]:
    """What this node reads by a literal name, if anything; `type_name` is what the code around it wants."""
    if isinstance(node, ast.Subscript):
        return _read_subscript(node, type_name)
    if isinstance(node, ast.Call) and node.args:
        return _read_function_call(node, type_name)
    return None


def _read_subscript(node: ast.Subscript, type_name: str) -> Optional[SettingCall]:
    name = _text_of(node.slice)
    if name is None or not isinstance(node.ctx, ast.Load):
        return None
    return SettingCall(name, node.lineno, _unparse(node.value) + "[]", type_name)


def _read_function_call(node: ast.Call, type_name: str) -> Optional[SettingCall]:
    name = _text_of(node.args[0])
    if name is None:
        return None
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    has_default = len(node.args) > 1 or "default" in keywords
    method = _last_name(node.func)
    if method == PREFIXING_METHOD:
        return None
    return SettingCall(
        name=name,
        line=node.lineno,
        reader=_reader_name(node.func),
        type_name=_find_type(method, keywords.get("cast"), type_name),
        is_required=not has_default and method not in OPTIONAL_READERS,
    )


def _find_type(method: str, cast: Optional[ast.expr], outer_type: str) -> str:
    """`config("N", cast=int)`, `env.int("N")`, `int(os.environ["N"])`."""
    cast_name = _last_name(cast) if cast is not None else ""
    if cast_name:
        return TYPES_BY_FUNCTION.get(cast_name, cast_name)
    return method if method in TYPED_METHODS else outer_type


def _reader_name(function: ast.expr) -> str:
    """The methods of one object count as one reader: `env.int` and `env.str`."""
    if isinstance(function, ast.Attribute):
        return _unparse(function.value) + "."
    return _unparse(function) + "()"


def _unparse(node: ast.AST) -> str:
    """The code of an expression; `…` for one that nests too deeply."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return "…"


def _last_name(node: ast.AST) -> str:
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _text_of(node: ast.AST) -> Optional[str]:
    value = getattr(node, "value", None)
    return value if isinstance(node, ast.Constant) and isinstance(value, str) else None
