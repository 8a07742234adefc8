"""Schema statements that run when create_all or drop_all does, because they listen to its events."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Literal

from migration_gate.scan.python_module import EXECUTES, PythonModule
from migration_gate.scan.python_strings import constant_text, last_name

DdlEvent = Literal["create", "drop"]
_EVENTS: dict[str, DdlEvent] = {
    "after_create": "create",
    "before_create": "create",
    "after-create": "create",
    "before-create": "create",
    "after_drop": "drop",
    "before_drop": "drop",
    "after-drop": "drop",
    "before-drop": "drop",
}
_LISTENERS = frozenset({"listen", "listens_for", "execute_at", "append_ddl_listener"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def find_ddl_event(module: PythonModule, node: ast.expr, sql: str) -> DdlEvent | None:
    """Which of the two runs the SQL of this string expression; None if other code runs it.

    A `DDL(...)` that nothing in its module executes listens somewhere: that is what SQLAlchemy has it for.
    """
    if not any(last_name(call.func) in (*_LISTENERS, "DDL") for call in module.calls):
        return None
    events = set(_find_events(module, node, set()))
    if events:
        return next(iter(events)) if len(events) == 1 else None
    if _is_in_ddl(module, node):
        return "drop" if sql.lstrip().upper().startswith("DROP") else "create"
    return None


def _find_events(module: PythonModule, node: ast.AST, seen: set[str]) -> Iterator[DdlEvent | None]:
    """The event behind each way in which a node is used; None for a way that executes it directly.

    `seen`: the variables that were followed.
    """
    is_executed = False
    for ancestor in module.find_ancestors(node):
        event = _find_event_at(module, ancestor)
        if event is not None:
            yield event
            return
        is_executed = is_executed or _is_execution(ancestor)
        if isinstance(ancestor, ast.stmt) and not is_executed:
            names = set(_names_given(ancestor, node)) - seen
            seen |= names
            yield from _find_events_of_uses(module, sorted(names), seen)
    if is_executed:
        yield None


def _find_events_of_uses(
    module: PythonModule, names: Iterable[str], seen: set[str]
) -> Iterator[DdlEvent | None]:
    """The events behind every use of these variables."""
    for name in names:
        for use in module.find_uses(name):
            yield from _find_events(module, use, seen)


def _is_execution(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in EXECUTES


def _find_event_at(module: PythonModule, ancestor: ast.AST) -> DdlEvent | None:
    """The event of a call that registers a listener, or of a function that is one."""
    if isinstance(ancestor, ast.Call):
        return _find_listened(ancestor)
    if not isinstance(ancestor, _FUNCTIONS):
        return None
    decorators = [decorator for decorator in ancestor.decorator_list if isinstance(decorator, ast.Call)]
    registrations = [call for call in module.calls if _passes_function(call, ancestor.name)]
    events = map(_find_listened, (*decorators, *registrations))
    return next((event for event in events if event is not None), None)


def _passes_function(call: ast.Call, name: str) -> bool:
    return any(isinstance(argument, ast.Name) and argument.id == name for argument in call.args)


def _find_listened(call: ast.Call) -> DdlEvent | None:
    if last_name(call.func) not in _LISTENERS:
        return None
    arguments = (*call.args, *(keyword.value for keyword in call.keywords))
    names = (constant_text(argument) for argument in arguments)
    return next((_EVENTS[name] for name in names if name in _EVENTS), None)


def _names_given(statement: ast.stmt, node: ast.AST) -> Iterator[str]:
    """The variables that a statement gives the node to: by assignment, or as what a loop runs over."""
    match statement:
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.For(target=target, iter=values) if node is values:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _is_in_ddl(module: PythonModule, node: ast.expr) -> bool:
    calls = (ancestor for ancestor in module.find_ancestors(node) if isinstance(ancestor, ast.Call))
    return any(last_name(call.func) == "DDL" for call in calls)
