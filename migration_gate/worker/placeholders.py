"""Lets a project import without its settings: values for usual variables and for required settings fields.

They only decide what the project believes. Where it connects to is decided in `redirection.py`.
"""

from __future__ import annotations

import enum
import os
import typing
from typing import Any, Optional

from .import_hooks import ImportHooks
from .protocol import Note

PLACEHOLDER_URL = "postgresql://gate:gate@localhost:5432/gate"
PLACEHOLDER_SECRET = "not-a-secret-only-a-placeholder-0123456789abcdef"  # noqa: S105  (as it says)
ADDRESS_PREFIXES = ("POSTGRES_", "POSTGRESQL_", "PG_", "DB_", "DATABASE_")
ADDRESS_PARTS = {
    "HOST": "localhost",
    "SERVER": "localhost",
    "HOSTNAME": "localhost",
    "PORT": "5432",
    "USER": "gate",
    "USERNAME": "gate",
    "PASSWORD": "gate",
    "PASS": "gate",
    "PWD": "gate",
    "DB": "gate",
    "NAME": "gate",
    "DATABASE": "gate",
}
URL_VARIABLES = (
    "DATABASE_URL",
    "DATABASE_URI",
    "DB_URL",
    "DB_URI",
    "DB_DSN",
    "DB_CONNECTION_STRING",
    "DATABASE_CONNECTION_STRING",
    "SQLALCHEMY_DATABASE_URI",
    "SQLALCHEMY_DATABASE_URL",
    "SQLALCHEMY_URL",
    "POSTGRES_URL",
    "POSTGRES_URI",
    "POSTGRES_DSN",
    "POSTGRESQL_URL",
    "PG_URL",
    "PG_DSN",
    "ALEMBIC_DATABASE_URL",
    "ASYNC_DATABASE_URL",
)
SECRET_VARIABLES = ("SECRET_KEY", "SECRET", "JWT_SECRET", "JWT_SECRET_KEY", "APP_SECRET", "ENCRYPTION_KEY")
MAX_ATTEMPTS = 3
"""of one settings object: its validators may ask for one field after the other"""


# Environment variables.


def fill_environment() -> None:
    """Set the usual variables that are not set."""
    placeholders = dict.fromkeys(URL_VARIABLES, PLACEHOLDER_URL)
    placeholders.update(
        {prefix + part: value for prefix in ADDRESS_PREFIXES for part, value in ADDRESS_PARTS.items()}
    )
    placeholders.update(dict.fromkeys(SECRET_VARIABLES, PLACEHOLDER_SECRET))
    for name, value in placeholders.items():
        os.environ.setdefault(name, value)


# Settings classes of pydantic.


def fill_settings_fields(imports: ImportHooks, notes: list[Note]) -> None:
    """Give required fields of pydantic's settings classes that have no value one of their type.

    Adds a note for each class that needed some, in the course of the run.
    """

    def patch_module(module: Any) -> None:
        _patch_settings_class(module.BaseSettings, notes)

    imports.add("pydantic_settings.main", patch_module)
    imports.add("pydantic.env_settings", patch_module)  # before pydantic 2


def _patch_settings_class(settings_class: Any, notes: list[Note]) -> None:
    real_init = settings_class.__init__

    def initialise(self: Any, **values: Any) -> None:
        for _ in range(MAX_ATTEMPTS):
            try:
                real_init(self, **values)
            except ValueError as error:  # pydantic.ValidationError is one, in every version
                missing = _fill_missing_fields(type(self), error)
                if not missing or set(missing) <= set(values):
                    raise
                values.update(missing)
                notes.append(
                    Note("%s: dummy values for %s" % (type(self).__name__, ", ".join(sorted(missing))))
                )
            else:
                return
        real_init(self, **values)

    settings_class.__init__ = initialise


def _fill_missing_fields(settings_class: Any, error: Any) -> dict[str, Any]:
    """A value for each required field that had none, by the name that the error gives to the field."""
    fields = getattr(settings_class, "model_fields", None) or getattr(settings_class, "__fields__", {})
    values = {}
    for row in error.errors():
        if row["type"] in ("missing", "value_error.missing") and len(row["loc"]) == 1:
            name = row["loc"][0]
            values[name] = make_value(_field_type(fields, name), str(name))
    return values


def _field_type(fields: Any, name: str) -> Any:
    """The type of a field that is named by its name or its alias; str where it is not known."""
    field = fields.get(name)
    if field is None:
        field = next((other for other in fields.values() if getattr(other, "alias", None) == name), None)
    return getattr(field, "annotation", None) or getattr(field, "outer_type_", str)


# Values.


def make_value(type_: Any, name: str) -> Any:
    """Some value of this type, that a field of this name may have."""
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if hasattr(type_, "__metadata__"):  # Annotated
        return make_value(arguments[0], name)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (list, set, frozenset, tuple, dict):
        return origin()
    if arguments:  # Optional, Union, `A | B`
        return make_value(next(choice for choice in arguments if choice is not type(None)), name)
    value = _make_object(type_) if isinstance(type_, type) else None
    if value is not None:
        return value
    type_name = str(getattr(type_, "__name__", type_)) + str(type_)
    return _make_text(type_name, name.lower())


def _make_object(class_: Any) -> Any:
    """An instance of a class that is more than text; of a model, a dict of its fields. None for text."""
    if issubclass(class_, enum.Enum):
        return next(iter(class_))
    if issubclass(class_, bool):
        return False
    if issubclass(class_, (int, float)):
        return 1 if issubclass(class_, int) else 1.0
    for container in (list, set, dict):
        if issubclass(class_, container):
            return container()
    return _make_model_fields(class_)


def _make_model_fields(class_: Any) -> Optional[dict[str, Any]]:
    fields = getattr(class_, "model_fields", None)
    if not fields:
        return None
    return {name: make_value(field.annotation, name) for name, field in fields.items() if field.is_required()}


def _make_text(type_name: str, name: str) -> str:
    """A text of the form that the type and the name suggest."""
    if "Postgres" in type_name or any(
        part in name for part in ("database_ur", "db_ur", "dsn", "postgres_ur")
    ):
        return PLACEHOLDER_URL
    if "redis" in name + type_name.lower() and not name.endswith("host"):
        return "redis://localhost:6379/0"
    if name.endswith("host"):
        return "localhost"
    if "Url" in type_name or name.endswith(("url", "uri")):
        return "http://localhost"
    if "email" in type_name.lower() or "email" in name:
        return "gate@example.com"
    return "." if "Path" in type_name else PLACEHOLDER_SECRET
