"""The variables that an error names: by its key, in its message, or as a settings library calls them."""

from __future__ import annotations

import re
import traceback
from typing import Iterator

from .dynaconf_names import list_dynaconf_names, list_required_names
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


def list_named_variables(failure: StartupFailure) -> list[str]:
    """Each once; those of key errors first."""
    return list(dict.fromkeys((*_names_in_key_errors(failure), *_names_in_messages(failure))))


def list_refused_dynaconf_names(failure: StartupFailure) -> list[str]:
    """The variables whose values validators of dynaconf refused."""
    return [
        name
        for error in failure.errors
        if _is_of_library(error, ("dynaconf",))
        for name in list_dynaconf_names(error, read_message(error))
    ]


def mentions(text: str, name: str) -> bool:
    """Whether the name stands in the text as a word of its own."""
    return bool(re.search(r"(?<!\w)%s(?!\w)" % re.escape(name), text))


def _spells(text: str, name: str) -> bool:
    """Whether the text has the words of the name with other signs between them: `shop.url` is SHOP_URL."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", text).upper()
    return "_" in name.strip("_") and "_%s_" % name in "_%s_" % words


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
        yield from (name for name in missing if mentions(message, name) or _spells(message, name))
        if _is_of_library(error, ("dynaconf",)):
            names = [*list_dynaconf_names(error, message)]
            yield from (*names, *(list_required_names(error) if names else ()))
        elif _is_of_library(error, CONFIGURATION_LIBRARIES):
            yield from UPPER_CASE_WORD.findall(message)


def _is_of_library(error: BaseException, libraries: tuple[str, ...]) -> bool:
    """Whether the error's class is of one of them, or its code has raised it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    raised_by = frames[-1].f_globals.get("__name__", "") if frames else ""
    return any(module.partition(".")[0] in libraries for module in (type(error).__module__, raised_by))
