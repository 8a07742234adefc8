"""The variables that an error names: by its key, in its message, or as a settings library calls them."""

from __future__ import annotations

import re
import traceback
from typing import Any, Iterator

from .startup_failure import StartupFailure, read_message

CONFIGURATION_LIBRARIES = (
    "decouple",
    "environs",
    "environ",
    "starlette",
    "dynaconf",
    "prettyconf",
    "everett",
)
UPPER_CASE = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
UPPER_CASE_WORD = re.compile(r"(?<![\w.])[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)*(?![\w.])")
IDENTIFIER = re.compile(r"^[A-Za-z_]\w*$")
DYNACONF_NAME = re.compile(r"^(\w[\w.]*) (?:is required|must)|no attribute '(\w+)'|^([A-Z]\w*)$")
DYNACONF_PREFIX = "DYNACONF"
"""of the variables, unless the settings name another one"""


def list_named_variables(failure: StartupFailure) -> list[str]:
    """Each once; those of key errors first."""
    return list(dict.fromkeys((*_names_in_key_errors(failure), *_names_in_messages(failure))))


def mentions(text: str, name: str) -> bool:
    """Whether the name stands in the text as a word of its own."""
    return bool(re.search(r"(?<!\w)%s(?!\w)" % re.escape(name), text))


def _names_in_key_errors(failure: StartupFailure) -> Iterator[str]:
    missing = failure.reads.missing_variables()
    for error in failure.errors:
        name = error.args[0] if isinstance(error, KeyError) and error.args else None
        if not isinstance(name, str) or not IDENTIFIER.match(name):
            continue
        if name in missing or UPPER_CASE.match(name):
            yield name


def _names_in_messages(failure: StartupFailure) -> Iterator[str]:
    missing = failure.reads.missing_variables()
    for error in failure.errors:
        message = read_message(error)
        yield from (name for name in missing if mentions(message, name))
        if _is_of_library(error, ("dynaconf",)):
            yield from _list_dynaconf_names(error)
        elif _is_of_library(error, CONFIGURATION_LIBRARIES):
            yield from UPPER_CASE_WORD.findall(message)


def _is_of_library(error: BaseException, libraries: tuple[str, ...]) -> bool:
    """Whether the error's class is of one of them, or its code has raised it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    raised_by = frames[-1].f_globals.get("__name__", "") if frames else ""
    return any(module.partition(".")[0] in libraries for module in (type(error).__module__, raised_by))


# dynaconf, whose variables have a prefix, and `__` for a dot.


def _list_dynaconf_names(error: BaseException) -> Iterator[str]:
    match = DYNACONF_NAME.search(read_message(error))
    if match is None:
        return
    name = (match[1] or match[2] or match[3]).upper().replace(".", "__")
    prefix = _find_dynaconf_prefix(error)
    yield "%s_%s" % (prefix, name) if prefix else name


def _find_dynaconf_prefix(error: BaseException) -> str:
    """That of the innermost settings object which the code of the traceback holds."""
    prefix = DYNACONF_PREFIX
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in (*frame.f_locals.values(), *frame.f_globals.values()):
            if _is_dynaconf_object(value):
                prefix = _read_dynaconf_prefix(value, prefix)
    return prefix


def _is_dynaconf_object(value: Any) -> bool:
    return value is not None and type(value).__module__.startswith("dynaconf")


def _read_dynaconf_prefix(settings: Any, default: str) -> str:
    """The prefix that a settings object names; '' if it has switched prefixes off."""
    attributes = getattr(settings, "__dict__", {})  # its own attributes would run the validators again
    for values in (attributes, attributes.get("_kwargs") or {}):
        if "ENVVAR_PREFIX_FOR_DYNACONF" in values:
            prefix = values["ENVVAR_PREFIX_FOR_DYNACONF"]
            return "" if prefix in (False, None) else str(prefix)
    return default
