"""What is wrong with a configuration: the key, the value that was found, and the most similar valid one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from migration_gate.config.config_keys import Key, format_key
from migration_gate.config.schema import ProjectKeys
from migration_gate.config.sections import Keys
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import nearest_name, suggest_name

FindOrigin = Callable[[Key], str]
"""from a key to where it was set, for people: `file:line`, a variable, an option"""
ListChecks = Callable[[], Mapping[str, Sequence[str]]]
"""each check with its kinds; an empty list accepts any kind. Called if the configuration names a check"""


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing that is wrong."""

    message: str
    where: str
    advice: str = ""


def combine_faults(faults: Sequence[ConfigFault]) -> Misconfigured:
    """The first fault as the error, the others as its evidence."""
    first, *others = faults
    evidence = "\n".join(f"{fault.where}: {fault.message} {fault.advice}".rstrip() for fault in others)
    return Misconfigured(first.message, where=first.where, advice=first.advice, evidence=evidence)


def describe_value(value: object) -> str:
    """A found value, for people."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def validation_faults(
    error: ValidationError, model: type[Keys], find_origin: FindOrigin, prefix: Key = ()
) -> list[ConfigFault]:
    """Pydantic's errors in plain words. `prefix` is the key of the validated values in their file."""
    return [
        _fault_of_error(details, model, find_origin, prefix) for details in error.errors(include_url=False)
    ]


def _fault_of_error(
    details: ErrorDetails, model: type[Keys], find_origin: FindOrigin, prefix: Key
) -> ConfigFault:
    key: Key = tuple(details["loc"])
    path, where = format_key((*prefix, *key)), find_origin((*prefix, *key))
    owner, field = _find_field(model, key)
    if details["type"] == "extra_forbidden":
        return _unknown_key_fault(path, where, key, owner)
    meaning = f"Expected here: {field.description}." if field and field.description else ""
    match details["type"]:
        case "missing":
            return ConfigFault(f"`{path}` is missing.", where, meaning)
        case "value_error":
            subject = f"`{path}`" if path else "The configuration"
            return ConfigFault(f"{subject} {details['ctx']['error']}.", where, meaning)
        case "literal_error":
            choices = re.findall(r"'([^']*)'", details["ctx"]["expected"])
            expected = _join_choices(choices)
            advice = suggest_name(str(details["input"]), choices, meaning)
        case kind:
            expected, advice = _expected_type(kind), meaning
    value = describe_value(details["input"])
    return ConfigFault(f"`{path}` must be {expected}, but is {value}.", where, advice)


def _unknown_key_fault(path: str, where: str, key: Key, owner: type[BaseModel] | None) -> ConfigFault:
    message = f"`{path}` is not a setting."
    if owner is not ProjectKeys and key[-1] == "projects":
        return ConfigFault(message, where, "Projects cannot hold projects: name them all at the top.")
    known_names = _field_names(owner)
    similar_name = nearest_name(str(key[-1]), known_names)
    if similar_name is None:
        return ConfigFault(message, where, f"Known here: {', '.join(known_names)}.")
    start = path.removesuffix(str(key[-1]))
    return ConfigFault(message, where, f"Did you mean `{start}{similar_name}`?")


_EXPECTED_TYPES = {
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_pattern_mismatch": "changed, none, all or a number",
    "too_short": "some text",
    "string_too_short": "some text",
    "greater_than": "more than 0",
    "finite_number": "a number",
}


def _expected_type(kind: str) -> str:
    """What pydantic expected, by the type of its error."""
    if kind in _EXPECTED_TYPES:
        return _EXPECTED_TYPES[kind]
    if kind.startswith("bool"):
        return "true or false"
    return "a date such as 2027-01-31" if kind.startswith("date") else "a number"


def _join_choices(choices: Sequence[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def _field_names(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _find_field(model: type[BaseModel], key: Key) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model that a key belongs to, and its field if it is a known one."""
    owner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    current: type[BaseModel] | None = model
    is_name_in_mapping = False
    for part in key:
        if isinstance(part, int) or is_name_in_mapping:
            is_name_in_mapping = False
            continue
        if current is None:
            return None, field
        owner = current
        field = _field_of(owner, part)
        current, is_name_in_mapping = _inner_model(field.annotation) if field else (None, False)
    return owner, field


def _field_of(model: type[BaseModel], name: str) -> FieldInfo | None:
    for field_name, field in model.model_fields.items():
        if name in (field_name, field.alias):
            return field
    return None


def _inner_model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model inside an annotation, and whether it is the value of a mapping by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    is_mapping = getattr(annotation, "__origin__", None) is dict
    for argument in get_args(annotation):
        inner_model, _ = _inner_model(argument)
        if inner_model:
            return inner_model, is_mapping
    return None, is_mapping


def check_name_faults(
    keys: ProjectKeys, list_checks: ListChecks, find_origin: FindOrigin, prefix: Key = ()
) -> list[ConfigFault]:
    """Names in `checks:` and `allow:` that are no check of ours."""
    named_checks: list[tuple[Key, str]] = [(("checks", name), name) for name in keys.checks]
    named_checks += [(("allow", number, "check"), entry.check) for number, entry in enumerate(keys.allow)]
    if not named_checks:
        return []
    known = list_checks()
    faults = []
    for key, name in named_checks:
        path, where = format_key((*prefix, *key[:1])), find_origin((*prefix, *key))
        check, _, kind = name.partition("/")
        if check not in known:
            message = f"`{path}` names `{name}`, and there is no such check."
            faults.append(ConfigFault(message, where, suggest_name(check, known)))
        elif kind and known[check] and kind not in known[check]:
            message = f"`{path}` names `{name}`, and `{check}` has no such kind."
            faults.append(ConfigFault(message, where, suggest_name(kind, known[check])))
    return faults
