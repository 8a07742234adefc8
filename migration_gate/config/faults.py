"""Says what is wrong with a configuration: the key, what was found there, and the nearest valid one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from migration_gate.config.config_file import Key, format_key
from migration_gate.config.schema import ProjectKeys
from migration_gate.config.sections import Keys
from migration_gate.errors import Misconfigured
from migration_gate.wording import nearest_name, suggest_name

At = Callable[[Key], str]
"""where a key stands, for people: `file:line`, a variable, an option"""


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing that is wrong."""

    says: str
    where: str
    advice: str = ""


def combine_faults(complaints: Sequence[ConfigFault]) -> Misconfigured:
    """The first complaint as the error, the others as its evidence."""
    first, *others = complaints
    evidence = "\n".join(f"{each.where}: {each.says} {each.advice}".rstrip() for each in others)
    return Misconfigured(first.says, where=first.where, advice=first.advice, evidence=evidence)


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
    error: ValidationError, model: type[Keys], at: At, prefix: Key = ()
) -> list[ConfigFault]:
    """Pydantic's errors in our words. `prefix` is where the validated values stand in their file."""
    return [_complaint(each, model, at, prefix) for each in error.errors(include_url=False)]


def _complaint(error: Any, model: type[Keys], at: At, prefix: Key) -> ConfigFault:
    loc: Key = tuple(error["loc"])
    path, where = format_key((*prefix, *loc)), at((*prefix, *loc))
    owner, field = _place(model, loc)
    meaning = f"Expected here: {field.description}." if field and field.description else ""
    kind: str = error["type"]
    if kind == "extra_forbidden":
        says = f"`{path}` is not a setting."
        word, words = str(loc[-1]), list(_names(owner))
        if owner is not ProjectKeys and loc[-1] == "projects":
            return ConfigFault(says, where, "Projects cannot hold projects: name them all at the top.")
        close = nearest_name(word, words)
        full = format_key((*prefix, *loc[:-1], close)) if close else ""
        return ConfigFault(
            says, where, f"Did you mean `{full}`?" if close else f"Known here: {', '.join(words)}."
        )
    if kind == "missing":
        return ConfigFault(f"`{path}` is missing.", where, meaning)
    if kind == "value_error":
        subject = f"`{path}`" if path else "The configuration"
        return ConfigFault(f"{subject} {error['ctx']['error']}.", where, meaning)
    found = describe_value(error["input"])
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        advice = suggest_name(str(error["input"]), choices, meaning)
        return ConfigFault(f"`{path}` must be {_either(choices)}, but is {found}.", where, advice)
    return ConfigFault(f"`{path}` must be {_wanted(kind)}, but is {found}.", where, meaning)


_WANTED = {
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


def _wanted(kind: str) -> str:
    if kind in _WANTED:
        return _WANTED[kind]
    if kind.startswith("bool"):
        return "true or false"
    return "a date such as 2027-01-31" if kind.startswith("date") else "a number"


def _either(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else "".join(choices)


def _names(model: type[BaseModel] | None) -> Iterable[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _place(model: type[BaseModel], loc: Key) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model that a key belongs to, and its field where it is a known one."""
    owner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    inside_mapping = False
    current: type[BaseModel] | None = model
    for part in loc:
        if isinstance(part, int) or inside_mapping:
            inside_mapping = False
            continue
        if current is None:
            return None, field
        owner = current
        field = next((f for n, f in owner.model_fields.items() if part in (n, f.alias)), None)
        current, inside_mapping = _inner(field.annotation) if field else (None, False)
    return owner, field


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model inside an annotation, and whether it stands inside a mapping by name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    found = [_inner(each)[0] for each in get_args(annotation)]
    return next((each for each in found if each), None), getattr(annotation, "__origin__", None) is dict


def check_name_faults(
    keys: ProjectKeys, known: Mapping[str, Sequence[str]], at: At, prefix: Key = ()
) -> list[ConfigFault]:
    """Names in `checks:` and `allow:` that are no check of ours. `known` maps a check to its kinds."""
    named: list[tuple[Key, str]] = [(("checks", name), name) for name in keys.checks]
    named += [(("allow", number, "check"), each.check) for number, each in enumerate(keys.allow)]
    complaints = []
    for key, name in named:
        check, _, kind = name.partition("/")
        path, where = format_key((*prefix, *key[:1])), at((*prefix, *key))
        if check not in known:
            advice = suggest_name(check, known)
            complaints.append(
                ConfigFault(f"`{path}` names `{name}`, and there is no such check.", where, advice)
            )
        elif kind and known[check] and kind not in known[check]:
            advice = suggest_name(kind, known[check])
            complaints.append(
                ConfigFault(f"`{path}` names `{name}`, and `{check}` has no such kind.", where, advice)
            )
    return complaints
