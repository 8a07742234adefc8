"""Reads the fields of pydantic's models and settings classes, before version 2 and since."""

from __future__ import annotations

import typing
from typing import Any, Iterator, Mapping


def list_fields(class_: Any) -> dict[str, Any]:
    """The fields of a model class by their names; none for anything else."""
    fields = getattr(class_, "model_fields", None) or getattr(class_, "__fields__", None)
    return dict(fields) if isinstance(fields, Mapping) else {}


def list_required_types(class_: Any) -> dict[str, Any]:
    """The types of the fields of a model class that have no default, by their names."""
    fields = list_fields(class_)
    if not hasattr(class_, "model_fields"):  # before pydantic 2
        return {name: field.outer_type_ for name, field in fields.items() if field.required}
    return {name: field.annotation for name, field in fields.items() if field.is_required()}


def find_field_type(class_: Any, path: tuple[str, ...]) -> Any:
    """The type of a field, or of a field of its model, by names or aliases; str if it is not known."""
    type_: Any = class_
    for name in path:
        fields = list_fields(_find_model(type_))
        field = fields.get(name) or _find_by_alias(fields, name)
        type_ = getattr(field, "annotation", None) or getattr(field, "outer_type_", str)
    return type_


def _find_model(type_: Any) -> Any:
    """The model class of an annotation such as `Optional[Model]`."""
    for choice in (type_, *typing.get_args(type_)):
        if list_fields(choice):
            return choice
    return type_


def _find_by_alias(fields: Mapping[str, Any], alias: str) -> Any:
    return next((field for field in fields.values() if alias in _list_aliases(field)), None)


def _list_aliases(field: Any) -> tuple[str, ...]:
    """The other names of a field."""
    names: list[str] = []
    for attribute in ("validation_alias", "alias"):
        alias = getattr(field, attribute, None)
        choices = getattr(alias, "choices", None) or [alias]
        names += [choice for choice in choices if isinstance(choice, str)]
    return tuple(names)


def lacks_value(field: Any) -> bool:
    """Whether the field is empty if nothing is given."""
    return getattr(field, "default", None) in (None, "")


def find_variable_name(settings_class: Any, path: tuple[str, ...]) -> str:
    """The variable that gives a field its value, as pydantic would look for it."""
    first = next(_list_variable_names(settings_class, path[0]))
    delimiter = _read_config(settings_class, "env_nested_delimiter") or "__"
    name = delimiter.join((first, *path[1:]))
    return name if _read_config(settings_class, "case_sensitive") else name.upper()


def _list_variable_names(settings_class: Any, name: str) -> Iterator[str]:
    """The variable of a field in lower case, by the sources that name one, in the order of precedence."""
    field = list_fields(settings_class).get(name)
    if field is None:
        yield name
    aliases = _list_aliases(field)
    if aliases and aliases[0] != name:  # pydantic 1 has the name itself as the alias
        yield aliases[0]
    env_names = getattr(getattr(field, "field_info", None), "extra", {}).get("env_names", ())
    yield from sorted(env_names)
    yield str(_read_config(settings_class, "env_prefix") or "") + name


def _read_config(settings_class: Any, name: str) -> Any:
    """One key of a class's configuration; None if it is not there."""
    config = getattr(settings_class, "model_config", None) or getattr(settings_class, "__config__", None)
    return config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
