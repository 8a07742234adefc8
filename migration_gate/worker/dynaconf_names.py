"""The variables of dynaconf that an error is about: they have a prefix, and `__` for a dot."""

from __future__ import annotations

import re
import sys
import traceback
from typing import Any, Iterator

REQUIRED_NAME = re.compile(
    r"^(\w[\w.]*) (?:is required|must)|'(?:\w*Settings|Dyna\w+)' object has no attribute '(\w+)'|^([A-Z]\w*)$"
)
"""in a message: a validator's, that of a missing attribute, or a key alone"""
DEFAULT_PREFIX = "DYNACONF"
"""of the variables, unless the settings name another one"""


def list_dynaconf_names(error: BaseException, message: str) -> Iterator[str]:
    """The variable of the value that the error is about; none if it is about no value."""
    name = _find_validated_name(error) or _find_name_in_message(message)
    if name:
        yield _name_variable(name, _find_prefix(error))


def list_required_names(error: BaseException) -> Iterator[str]:
    """The variables of all values that the validators of the settings demand."""
    prefix = _find_prefix(error)
    for value in _list_frame_values(error):
        if type(value).__name__ == "ValidatorList" and isinstance(value, list):
            for validator in filter(_is_required, value):
                yield from (_name_variable(str(name), prefix) for name in validator.names)


def _name_variable(name: str, prefix: str) -> str:
    variable = name.upper().replace(".", "__")
    return "%s_%s" % (prefix, variable) if prefix else variable


def _find_name_in_message(message: str) -> str:
    match = REQUIRED_NAME.search(message)
    return (match[1] or match[2] or match[3]) if match else ""


def _find_validated_name(error: BaseException) -> str:
    """Of the value that the innermost validator of the traceback was looking at; '' without one."""
    found = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        name = frame.f_locals.get("name")
        if type(frame.f_locals.get("self")).__name__ == "Validator" and isinstance(name, str):
            found = name
    return found


def _is_required(validator: Any) -> bool:
    """Whether the value has to be set, in any environment, and has no default."""
    functional = sys.modules.get("dynaconf.utils.functional")
    has_default = getattr(validator, "default", None) is not getattr(functional, "empty", None)
    return bool(getattr(validator, "must_exist", False)) and not has_default and validator.when is None


def _list_frame_values(error: BaseException) -> Iterator[Any]:
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield from (value for value in (*frame.f_locals.values(), *frame.f_globals.values()))


def _find_prefix(error: BaseException) -> str:
    """That of the innermost settings object which the code of the traceback holds."""
    prefix = DEFAULT_PREFIX
    for value in _list_frame_values(error):
        if value is not None and type(value).__module__.startswith("dynaconf"):
            prefix = _read_prefix(value, prefix)
    return prefix


def _read_prefix(settings: Any, default: str) -> str:
    """The prefix that a settings object names; '' if it has switched prefixes off."""
    attributes = getattr(settings, "__dict__", {})  # its own attributes would run the validators again
    for values in (attributes, attributes.get("_kwargs") or {}):
        if "ENVVAR_PREFIX_FOR_DYNACONF" in values:
            prefix = values["ENVVAR_PREFIX_FOR_DYNACONF"]
            return "" if prefix in (False, None) else str(prefix)
    return default
