"""Calls of Alembic's operations that make or drop a constraint or an index with None for its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from migration_gate.facts import UnnamedCall
from migration_gate.lazy_dataclass import dataclass
from migration_gate.python_parser import walk_nodes

_NAMING = ("f", "conv", "quoted_name")
"""functions around a name"""
_NAME_KEYWORDS = ("constraint_name", "index_name")
_BATCH = "batch_alter_table"
_KINDS = {"foreignkey": "foreign key", "unique": "unique", "check": "check", "primary": "primary key"}
"""by the `type_` of `drop_constraint`"""


@dataclass(frozen=True, slots=True)
class _Signature:
    """Where a function has its arguments; the name is the first one. In a batch no table is among them."""

    kind: str
    table_keywords: tuple[str, ...] = ("table_name",)
    columns: int | None = None
    """position of the columns, behind the name and the table"""
    column_keywords: tuple[str, ...] = ("columns",)
    column_position_in_batch: int | None = None


_DROPS = {"drop_constraint": _Signature(""), "drop_index": _Signature("index")}
_CREATIONS = {
    "create_unique_constraint": _Signature("unique", columns=2, column_position_in_batch=1),
    "create_primary_key": _Signature("primary key", columns=2, column_position_in_batch=1),
    "create_check_constraint": _Signature("check"),
    "create_index": _Signature("index", columns=2, column_position_in_batch=1),
    "create_foreign_key": _Signature(
        "foreign key",
        ("source_table",),
        columns=3,
        column_keywords=("local_cols",),
        column_position_in_batch=2,
    ),
}


def find_unnamed_drops(function: ast.FunctionDef) -> Iterator[UnnamedCall]:
    """Those of a downgrade, in the order of their lines."""
    return _find_calls(function, _DROPS)


def find_unnamed_creations(function: ast.FunctionDef) -> Iterator[UnnamedCall]:
    """Those of an upgrade, in the order of their lines."""
    return _find_calls(function, _CREATIONS)


def _find_calls(function: ast.FunctionDef, signatures: Mapping[str, _Signature]) -> Iterator[UnnamedCall]:
    unnamed = [
        node
        for node in walk_nodes(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in signatures
        and _is_none(_find_argument(node, 0, _NAME_KEYWORDS))
    ]
    if not unnamed:
        return
    batches = dict(_list_batches(function))
    for call in sorted(unnamed, key=lambda node: (node.lineno, node.col_offset)):
        match call.func:
            case ast.Attribute(value=owner, attr=name):
                batch = batches.get(owner.id) if isinstance(owner, ast.Name) else None
                yield _describe_call(call, name, signatures[name], batch)


def _list_batches(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Variables of `with op.batch_alter_table("name") as variable:`, with the table or ''."""
    for node in walk_nodes(function):
        for item in node.items if isinstance(node, ast.With) else ():
            match item:
                case ast.withitem(
                    context_expr=ast.Call(func=ast.Attribute(attr=attribute)) as call,
                    optional_vars=ast.Name(id=variable),
                ) if attribute == _BATCH:
                    yield variable, _read_string(_find_argument(call, 0, ("table_name",)))


def _describe_call(call: ast.Call, name: str, signature: _Signature, batch: str | None) -> UnnamedCall:
    """`batch`: the table, if the call is one of a batch."""
    if batch is None:
        table = _read_string(_find_argument(call, 1, signature.table_keywords))
        kind_position, column_position = 2, signature.columns
    else:
        table = batch
        kind_position, column_position = 1, signature.column_position_in_batch
    columns = None
    if column_position is not None:
        columns = _find_argument(call, column_position, signature.column_keywords)
    kind = signature.kind
    if name == "drop_constraint":
        kind = _KINDS.get(_read_string(_find_argument(call, kind_position, ("type_",))), "")
    return UnnamedCall(
        function=name,
        line=call.lineno,
        last_line=call.end_lineno or call.lineno,
        code=ast.unparse(call),
        table=table,
        kind=kind,
        columns=_read_strings(columns),
    )


def _find_argument(call: ast.Call, position: int, keywords: Sequence[str]) -> ast.expr | None:
    if len(call.args) > position:
        return call.args[position]
    return next((item.value for item in call.keywords if item.arg in keywords), None)


def _read_string(argument: ast.expr | None) -> str:
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""


def _read_strings(argument: ast.expr | None) -> tuple[str, ...]:
    """Of a list or tuple; empty if one of them is no literal."""
    if not isinstance(argument, ast.List | ast.Tuple):
        return ()
    strings = tuple(map(_read_string, argument.elts))
    return strings if all(strings) else ()


def _is_none(argument: ast.expr | None) -> bool:
    match argument:
        case ast.Constant(value=None):
            return True
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[inner, *_]):
            return name in _NAMING and _is_none(inner)
        case _:
            return False
