"""The values among which the project looked for one that is not there: keys, modules, files, classes."""

from __future__ import annotations

import ast
import glob
import os
import sys
import traceback
from typing import Any, Iterator

from .placeholders import OTHER_DATABASES
from .setting_calls import find_statement_lines, parse_file

MOST_CHOICES = 12
"""of one kind: more are no choice"""


def list_known_choices(error: BaseException, value: str) -> list[str]:
    """What the code knows in the place of the value that the error is about; each once, empty if unknown."""
    choices: list[str] = []
    if isinstance(error, KeyError):
        choices = list(_list_keys_of_lookup(error))
    elif isinstance(error, ModuleNotFoundError) and error.name and value in error.name:
        choices = list(_list_modules(error.name.replace(".", os.sep), value))
    elif isinstance(error, FileNotFoundError) and value in str(error.filename):
        choices = list(_list_names(str(error.filename), value))
    elif isinstance(error, AttributeError) and value in str(error):
        owner = getattr(error, "obj", None)
        choices = list(_list_classes(vars(owner) if isinstance(owner, type(sys)) else {}))
    choices = list(dict.fromkeys(choices)) if len(choices) <= MOST_CHOICES else []
    return sorted(choices, key=_rank_choice)


def _rank_choice(choice: str) -> int:
    """The order in which they are tried: what is of another database than PostgreSQL comes last."""
    if "postgres" in choice.lower():
        return 0
    return 2 if any(name in choice.lower() for name in OTHER_DATABASES) else 1


def _list_keys_of_lookup(error: KeyError) -> Iterator[str]:
    """The keys of the dicts that the innermost statement of the error looks into: `URLS[mode]`."""
    frames = list(traceback.walk_tb(error.__traceback__))
    tree = parse_file(frames[-1][0].f_code.co_filename) if frames else None
    if tree is None:
        return
    frame, line = frames[-1]
    lines = find_statement_lines(tree, line)
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and node.lineno in lines:
            yield from _list_keys(node.value, frame)


def _list_keys(container: ast.expr, frame: Any) -> Iterator[str]:
    """Of a dict in the code, of one that a variable holds, or of those in one: `URLS[mode][region]`."""
    if isinstance(container, ast.Call) and getattr(container.func, "id", "") == "globals":
        yield from _list_classes(frame.f_globals)
    for mapping in _list_mappings(container, frame):
        keys = mapping.keys if isinstance(mapping, ast.Dict) else mapping
        texts = (key.value if isinstance(key, ast.Constant) else key for key in keys)
        yield from (text for text in texts if isinstance(text, str) and text)


def _list_mappings(container: ast.expr, frame: Any) -> Iterator[Any]:
    """Dicts, and those in the code, which the expression may stand for."""
    if isinstance(container, ast.Dict):
        yield container
    elif isinstance(container, ast.Name):
        value = frame.f_locals.get(container.id, frame.f_globals.get(container.id))
        yield from [value] if isinstance(value, dict) else []
    elif isinstance(container, ast.Subscript):
        for outer in _list_mappings(container.value, frame):
            values = outer.values if isinstance(outer, ast.Dict) else outer.values()
            yield from (value for value in values if isinstance(value, (dict, ast.Dict)))


def _list_modules(path: str, value: str) -> Iterator[str]:
    """`conf_prod.py` and `conf_dev.py` for `conf_<value>`: of the project's folders, which stand first."""
    for folder in [os.getcwd(), *sys.path[:3]]:
        for ending in (".py", os.sep + "__init__.py"):
            yield from _list_names(os.path.join(folder, path + ending), value)


def _list_names(path: str, value: str) -> Iterator[str]:
    """What stands in the place of the value in paths that there are."""
    before, _, after = path.partition(value)
    for found in sorted(glob.glob(glob.escape(before) + "*" + glob.escape(after))):
        name = found[len(before) : len(found) - len(after)]
        if name and not name.startswith(("_", ".")):
            yield name


def _list_classes(names: dict[str, Any]) -> Iterator[str]:
    """Of a module, by its names: one that failed is not among the imported ones."""
    for name, value in names.items():
        if isinstance(value, type) and value.__module__ == names.get("__name__"):
            yield name
