"""Watches pydantic's settings classes, and gives required fields that have no value one that is accepted.

Only where the project failed for the want of one: in the first run the class fails as it does elsewhere.
"""

from __future__ import annotations

import enum
import os
import re
import typing
from typing import Any, Iterator, Mapping, Optional

from .import_hooks import ImportHooks
from .listener_guard import ListenerGuard
from .pattern_sample import sample_pattern
from .placeholders import (
    OTHER_DATABASES,
    PLACEHOLDER_SECRET,
    PLACEHOLDER_URL,
    PLACEHOLDER_UUID,
    is_database_setting,
    make_text,
    suggest_texts,
)
from .setting_reads import OBSERVATION, SettingReads

MAX_ATTEMPTS = 60
"""of one settings object: each may show another value that is refused"""
MISSING = ("missing", "value_error.missing")
TEXTS_BY_TYPE = {
    "UUID": PLACEHOLDER_UUID,
    "PostgresDsn": PLACEHOLDER_URL,
    "CockroachDsn": "cockroachdb://gate:gate@localhost:5432/gate",
    "MySQLDsn": "mysql://gate:gate@localhost:3306/gate",
    "MariaDBDsn": "mariadb://gate:gate@localhost:3306/gate",
    "RedisDsn": "redis://localhost:6379/0",
    "AmqpDsn": "amqp://gate:gate@localhost:5672//",
    "MongoDsn": "mongodb://localhost:27017/gate",
    "KafkaDsn": "kafka://localhost:9092",
    "NatsDsn": "nats://localhost:4222",
    "ClickHouseDsn": "clickhouse://localhost:8123/gate",
    "WebsocketUrl": "ws://localhost",
    "AnyWebsocketUrl": "ws://localhost",
    "FileUrl": "file:///tmp",
    "FtpUrl": "ftp://localhost",
    "EmailStr": "gate@example.com",
    "NameEmail": "gate@example.com",
    "Decimal": "1",
    "datetime": "2000-01-01T00:00:00",
    "AwareDatetime": "2000-01-01T00:00:00Z",
    "NaiveDatetime": "2000-01-01T00:00:00",
    "PastDatetime": "2000-01-01T00:00:00",
    "FutureDatetime": "2999-01-01T00:00:00",
    "date": "2000-01-01",
    "PastDate": "2000-01-01",
    "FutureDate": "2999-01-01",
    "time": "00:00:00",
    "timedelta": "60",
    "ZoneInfo": "UTC",
    "Path": ".",
    "DirectoryPath": ".",
    "NewPath": "./migration-gate-new-file",
    "IPvAnyAddress": "127.0.0.1",
    "IPv4Address": "127.0.0.1",
    "IPv6Address": "::1",
    "IPvAnyNetwork": "127.0.0.0/8",
    "IPv4Network": "127.0.0.0/8",
    "Json": "{}",
    "Pattern": ".*",
    "ByteSize": "1024",
    "Color": "red",
}
"""by the name of the class that a field is annotated with"""


class SettingsFields:
    """Stands between pydantic's settings classes and the project."""

    def __init__(self, reads: SettingReads, guard: ListenerGuard) -> None:
        self._reads = reads
        self._guard = guard
        self.is_filling = False
        self.refusals: list[BaseException] = []
        """errors for the want of a field"""
        self.supplied: dict[str, str] = {}
        """variables that would have given the filled fields a value, and values for them"""

    def install(self, imports: ImportHooks) -> None:
        """Watch both generations of settings classes, once they are imported."""
        imports.add("pydantic_settings.main", self._patch_module)
        imports.add("pydantic.env_settings", self._patch_module)  # before pydantic 2

    def _patch_module(self, module: Any) -> None:
        settings_class = module.BaseSettings
        real_init = settings_class.__init__

        def initialise(instance: Any, **values: Any) -> None:
            self._initialise(real_init, instance, values)

        settings_class.__init__ = initialise

    def _initialise(self, real_init: Any, instance: Any, values: dict[str, Any]) -> None:
        filling = FieldFilling(type(instance), values)
        for _ in range(MAX_ATTEMPTS):
            try:
                real_init(instance, **filling.values)
            except ValueError as error:  # pydantic.ValidationError is one, in every version
                if not self.is_filling or not self._guard.wrap(OBSERVATION, filling.answer)(error):
                    self.refusals.append(error)
                    raise
            else:
                with self._guard.observing(OBSERVATION):
                    self._remember(instance, filling)
                return
        real_init(instance, **filling.values)

    def _remember(self, instance: Any, filling: FieldFilling) -> None:
        settings_class = type(instance)
        for path, value in filling.filled.items():
            self.supplied[variable_name(settings_class, path)] = _as_variable(value)
        for name in _list_fields(settings_class):
            value = getattr(instance, name, None)
            if value is not None and str(value).startswith(OTHER_DATABASES):
                self._reads.defaults[variable_name(settings_class, (name,))] = str(value)


class FieldFilling:
    """The values that one settings object is made of, and what was tried for each field."""

    def __init__(self, settings_class: Any, values: Mapping[str, Any]) -> None:
        self.values = dict(values)
        self.filled: dict[tuple[str, ...], Any] = {}
        """by the path of the field"""
        self._given = frozenset(values)
        self._class = settings_class
        self._tried: dict[tuple[str, ...], list[Any]] = {}

    def answer(self, error: Any) -> bool:
        """Fill what was missing, and replace what was refused; False where that cannot be done."""
        has_changed = False
        for row in error.errors():
            for path in self._paths_of(row):
                has_changed = self._fill(path, row) or has_changed
        return has_changed

    def _paths_of(self, row: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        path = tuple(str(part) for part in row["loc"] if part != "__root__")
        if path:
            known = next((known for known in self.filled if path[: len(known)] == known), None)
            if row["type"] in MISSING:
                yield path
            elif known is not None:
                yield known
            return
        message = str(row.get("msg"))
        fields = _list_fields(self._class)
        mentioned = [name for name in fields if re.search(r"(?<!\w)%s(?!\w)" % re.escape(name), message)]
        for name in mentioned or [name for name in fields if is_database_setting(name)]:
            if name not in self._given and (mentioned or _lacks_value(fields[name])):
                yield (name,)

    def _fill(self, path: tuple[str, ...], row: Mapping[str, Any]) -> bool:
        tried = self._tried.setdefault(path, [])
        for value in _candidates(self._field_type(path), path[-1], row, tried):
            if not any(value == earlier and type(value) is type(earlier) for earlier in tried):
                tried.append(value)
                self.filled[path] = value
                _set_path(self.values, path, value)
                return True
        return False

    def _field_type(self, path: tuple[str, ...]) -> Any:
        """The type of a field that is named by its name or an alias; str where it is not known."""
        type_: Any = self._class
        for name in path:
            fields = _list_fields(_model_of(type_))
            aliased = (other for other in fields.values() if name in _aliases(other))
            field = fields.get(name) or next(aliased, None)
            type_ = getattr(field, "annotation", None) or getattr(field, "outer_type_", str)
        return type_


def _set_path(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        values[name] = inner = dict(inner) if isinstance(inner, Mapping) else {}
        values = inner
    values[path[-1]] = value


def _list_fields(class_: Any) -> dict[str, Any]:
    fields = getattr(class_, "model_fields", None) or getattr(class_, "__fields__", None)
    return dict(fields) if isinstance(fields, Mapping) else {}


def _lacks_value(field: Any) -> bool:
    return getattr(field, "default", None) in (None, "")


def _aliases(field: Any) -> tuple[str, ...]:
    """The other names of a field."""
    names: list[str] = []
    for attribute in ("validation_alias", "alias"):
        alias = getattr(field, attribute, None)
        choices = getattr(alias, "choices", None) or [alias]
        names += [choice for choice in choices if isinstance(choice, str)]
    return tuple(names)


def _model_of(type_: Any) -> Any:
    """The model class of an annotation such as `Optional[Model]`."""
    for choice in (type_, *typing.get_args(type_)):
        if _list_fields(choice):
            return choice
    return type_


def variable_name(settings_class: Any, path: tuple[str, ...]) -> str:
    """The variable that gives a field its value, as pydantic would look for it."""
    fields = _list_fields(settings_class)
    field = fields.get(path[0])
    env_names = list(getattr(getattr(field, "field_info", None), "extra", {}).get("env_names", ()))
    aliases = _aliases(field) if field is not None else ()
    if field is None or (aliases and aliases[0] != path[0]):
        first = (aliases or path)[0]
    else:
        first = (
            sorted(env_names)[0]
            if env_names
            else str(_read_config(settings_class, "env_prefix") or "") + path[0]
        )
    name = (_read_config(settings_class, "env_nested_delimiter") or "__").join((first, *path[1:]))
    return name if _read_config(settings_class, "case_sensitive") else name.upper()


def _read_config(settings_class: Any, name: str) -> Any:
    """One key of a class's configuration; None where it is not there."""
    config = getattr(settings_class, "model_config", None) or getattr(settings_class, "__config__", None)
    return config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)


def _as_variable(value: Any) -> str:
    if isinstance(value, (dict, list)):
        import json

        return json.dumps(value)
    return str(value.value if isinstance(value, enum.Enum) else value)


# Values.


def _candidates(type_: Any, name: str, row: Mapping[str, Any], tried: list[Any]) -> Iterator[Any]:
    """Values for a field, likeliest first; after the first one was refused, by what the refusal says."""
    if not tried:
        yield make_value(type_, name)
    complaint = "%s %s %s" % (row.get("msg", ""), row.get("type", ""), row.get("ctx", ""))
    context = row.get("ctx") or {}
    yield from _values_within_bounds(context, type_, name)
    schemes = re.findall(r"'([a-z][\w+.-]*)'", str(context.get("expected_schemes", "")))
    yield from ("%s://gate:gate@localhost:5432/gate" % scheme for scheme in schemes)
    if "path" in complaint:
        yield from (os.path.abspath(__file__), os.path.dirname(os.path.abspath(__file__)))
    pattern = context.get("pattern")
    if isinstance(pattern, str):
        yield sample_pattern(pattern)
    yield from suggest_texts(name, complaint)


def _values_within_bounds(context: Mapping[str, Any], type_: Any, name: str) -> Iterator[Any]:
    for bound in ("ge", "le", "gt", "lt", "limit_value", "multiple_of"):
        limit = context.get(bound)
        if isinstance(limit, (int, float)):
            yield from (limit, limit + 1, limit - 1)
            if isinstance(limit, float):
                yield limit / 2
            yield from (make_text(name) + "x" * int(limit), make_text(name)[: int(max(limit, 0))])
    for bound in ("min_length", "max_length", "actual_length"):
        length = context.get(bound)
        if isinstance(length, int):
            text = (make_text(name) + PLACEHOLDER_SECRET * (length // 40 + 1))[:length]
            items = typing.get_args(type_)
            yield [make_value(items[0], name)] * length if items else text
            yield [text] * length


def make_value(type_: Any, name: str) -> Any:
    """Some value of this type, that a field of this name may have."""
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if hasattr(type_, "__metadata__"):  # Annotated
        return make_value(arguments[0], name)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (list, set, frozenset, tuple, dict):
        return origin()
    if arguments and not isinstance(type_, type):  # Optional, Union, `A | B`
        return make_value(next(choice for choice in arguments if choice is not type(None)), name)
    value = _make_object(type_) if isinstance(type_, type) else None
    return _make_text(type_, name) if value is None else value


def _make_object(class_: Any) -> Any:
    """An instance of a class that is more than text; of a model, a dict of its fields. None for text."""
    if issubclass(class_, enum.Enum):
        return next(iter(class_))
    if issubclass(class_, bool):
        return False
    if issubclass(class_, (int, float)) and class_.__name__ != "ByteSize":
        return 1 if issubclass(class_, int) else 1.0
    for container in (list, set, dict):
        if issubclass(class_, container):
            return container()
    return _make_model_fields(class_)


def _make_model_fields(class_: Any) -> Optional[dict[str, Any]]:
    fields = _list_fields(class_)
    if not fields:
        return None
    if not hasattr(class_, "model_fields"):  # before pydantic 2
        return {name: make_value(field.outer_type_, name) for name, field in fields.items() if field.required}
    return {name: make_value(field.annotation, name) for name, field in fields.items() if field.is_required()}


def _make_text(type_: Any, name: str) -> str:
    """A text of the form that the type and the name suggest."""
    type_name = str(getattr(type_, "__name__", type_))
    for known, text in TEXTS_BY_TYPE.items():
        if known == type_name:
            return text
    if type_name in ("FilePath",):
        return os.path.abspath(__file__)
    text = make_text(name)
    is_url = "Url" in type_name or "Dsn" in type_name
    if is_url and "://" not in text:
        return "http://localhost" if "Http" in type_name or "Url" in type_name else PLACEHOLDER_URL
    return text
