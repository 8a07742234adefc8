"""Dummy values for the fields of settings classes: of the field's type, and of the form that it demands."""

from __future__ import annotations

import enum
import os
import re
import typing
from typing import Any, Iterator, Mapping

from .pattern_sample import sample_pattern
from .placeholders import (
    PLACEHOLDER_SECRET,
    PLACEHOLDER_URL,
    PLACEHOLDER_UUID,
    make_database_url,
    make_text,
    suggest_texts,
)
from .pydantic_fields import list_fields, list_required_types

EXISTING_FILE = os.path.abspath(__file__)
"""for fields that want one"""
CONTAINERS = (list, set, frozenset, tuple, dict)
NUMBER_BOUNDS = ("ge", "le", "gt", "lt", "limit_value", "multiple_of")
LENGTH_BOUNDS = ("min_length", "max_length", "actual_length")
"""keys of the context of an error, as both generations of pydantic call them"""
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
    "timedelta": "PT1M",
    "ZoneInfo": "UTC",
    "Path": ".",
    "FilePath": EXISTING_FILE,
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


def list_candidates(type_: Any, name: str, refusal: Mapping[str, Any], tried: list[Any]) -> Iterator[Any]:
    """Values for a field, likeliest first; after the first one was refused, by what the refusal says.

    `refusal`: one of pydantic's `errors()`.
    """
    if not tried:
        yield make_value(type_, name)
    complaint = "%s %s %s" % (refusal.get("msg", ""), refusal.get("type", ""), refusal.get("ctx", ""))
    context = refusal.get("ctx") or {}
    yield from _list_near_bounds(context, name)
    yield from _list_of_length(context, type_, name)
    schemes = re.findall(r"'([a-z][\w+.-]*)'", str(context.get("expected_schemes", "")))
    yield from ("%s://gate:gate@localhost:5432/gate" % scheme for scheme in schemes)
    if "path" in complaint:
        yield from (EXISTING_FILE, os.path.dirname(EXISTING_FILE))
    pattern = context.get("pattern")
    if isinstance(pattern, str):
        yield sample_pattern(pattern)
    yield from suggest_texts(name, complaint)


def _list_near_bounds(context: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Numbers at the bounds that an error names, and texts: pydantic 1 calls a length `limit_value` too."""
    for bound in NUMBER_BOUNDS:
        limit = context.get(bound)
        if not isinstance(limit, (int, float)):
            continue
        yield from (limit, limit + 1, limit - 1)
        if isinstance(limit, float):
            yield limit / 2
        yield make_text(name) + "x" * int(limit)
        yield make_text(name)[: int(max(limit, 0))]


def _list_of_length(context: Mapping[str, Any], type_: Any, name: str) -> Iterator[Any]:
    """Texts and lists of the length that an error names."""
    for bound in LENGTH_BOUNDS:
        length = context.get(bound)
        if not isinstance(length, int):
            continue
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
    if origin in CONTAINERS:
        return origin()
    if arguments and not isinstance(type_, type):  # Optional, Union, `A | B`
        return make_value(next(choice for choice in arguments if choice is not type(None)), name)
    value = _make_object(type_) if isinstance(type_, type) else None
    return _make_typed_text(type_, name) if value is None else value


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
    if not list_fields(class_):
        return None
    return {field: make_value(type_, field) for field, type_ in list_required_types(class_).items()}


def _make_typed_text(type_: Any, name: str) -> str:
    """A text of the form that the type and the name suggest."""
    type_name = str(getattr(type_, "__name__", type_))
    url = make_database_url(name)
    if type_name in TEXTS_BY_TYPE:
        text = TEXTS_BY_TYPE[type_name]
        return url if text == PLACEHOLDER_URL else text
    text = make_text(name)
    if "://" in text:
        return text
    if "Url" in type_name:
        return "http://localhost"
    return url if "Dsn" in type_name else text
