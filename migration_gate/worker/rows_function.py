"""Calls the project's function that adds rows before a rehearsal: `rehearsal.python`."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from .statement_recorder import StatementRecorder


def call_rows_function(name: str, connection: Any, recorder: StatementRecorder) -> None:
    """Call `module:function` with the connection, and record the lines of its statements.

    Raises what the import and the function raise, and TypeError if what came back has not run yet.
    """
    module_name, _, function_name = name.partition(":")
    function = getattr(importlib.import_module(module_name), function_name)
    recorder.begin_step(_find_file(function))
    result = function(connection)
    if inspect.iscoroutine(result):
        result.close()
    if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise TypeError(
            "%s() returned %s, which nobody runs: write a plain function"
            % (function_name, type(result).__name__)
        )


def _find_file(function: Any) -> str:
    try:
        return inspect.getsourcefile(inspect.unwrap(function)) or ""
    except TypeError:
        return ""
