"""Dummy values for settings that a project cannot do without: the likeliest first, then other forms.

They only decide what the project believes. Where it connects to is decided in `redirection.py`.
"""

from __future__ import annotations

import os
import re
from typing import Iterator, Optional, Sequence

PLACEHOLDER_URL = "postgresql://gate:gate@localhost:5432/gate"
ASYNC_URL = "postgresql+asyncpg://gate:gate@localhost:5432/gate"
DATABASE_URLS = (PLACEHOLDER_URL, ASYNC_URL)
PLACEHOLDER_SECRET = "not-a-secret-only-a-placeholder-0123456789abcdef"  # noqa: S105  (as it says)
PLACEHOLDER_UUID = "00000000-0000-4000-8000-000000000000"
PLACEHOLDER_KEY = "bm90LWEtc2VjcmV0LW9ubHktYS1wbGFjZWhvbGRlcjE="
"""32 bytes in base64, as Fernet wants a key"""
DATABASE_WORDS = frozenset({"DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG", "SQLALCHEMY", "SQL", "ALEMBIC"})
URL_WORDS = frozenset({"URL", "URI", "DSN", "URLS", "URIS"})
FORM_WORDS = frozenset({"", "ASYNC", "SYNC", "CONNECTION", "CONN", "STRING"})
"""of a name that say in which form a database is named, and not which one"""
OTHER_SCHEMES = {
    "REDIS": "redis://localhost:6379/0",
    "CELERY": "redis://localhost:6379/0",
    "CACHE": "redis://localhost:6379/0",
    "AMQP": "amqp://gate:gate@localhost:5672//",
    "RABBITMQ": "amqp://gate:gate@localhost:5672//",
    "BROKER": "redis://localhost:6379/0",
    "MONGO": "mongodb://localhost:27017/gate",
    "MONGODB": "mongodb://localhost:27017/gate",
    "KAFKA": "localhost:9092",
    "SENTRY": "https://gate@localhost/1",
    "CORS": "http://localhost",
}
"""by a word of the name"""
ENDINGS = {
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
    "DBNAME": "gate",
    "DATABASE": "gate",
    "EMAIL": "gate@example.com",
    "MAIL": "gate@example.com",
    "SCHEMA": "public",
    "DRIVER": "postgresql",
    "DIALECT": "postgresql",
    "UUID": PLACEHOLDER_UUID,
}
"""by the last word of the name"""
OTHER_DATABASES = (
    "sqlite", "mysql", "mariadb", "oracle", "mssql", "duckdb", "firebird", "db2", "snowflake", "redshift",
)  # fmt: skip
"""how URLs of databases begin that are not PostgreSQL"""
SECRET_WORDS = frozenset({"SECRET", "KEY", "TOKEN", "SALT"})
TYPE_VALUES = {
    "float": "1",
    "bool": "true",
    "list": "gate",
    "json": "{}",
    "dict": "gate=1",
    "uuid": PLACEHOLDER_UUID,
    "decimal": "1",
    "timedelta": "1",
    "date": "2000-01-01",
    "datetime": "2000-01-01T00:00:00",
    "time": "00:00:00",
    "log_level": "INFO",
    "email_url": "smtp://gate:gate@localhost:25",
    "search_url": "simple:///",
    "db": PLACEHOLDER_URL,
    "db_url": PLACEHOLDER_URL,
}
"""by what a settings library is asked for: `env.int("NAME")`, `cast=bool`"""
HINTS = (
    (r"asyncpg", (ASYNC_URL,)),
    (r"\bpostgres(ql)?\b|SQLAlchemy URL|database URL|\bDSN\b", (PLACEHOLDER_URL, ASYNC_URL)),
    (r"\bredis\b", ("redis://localhost:6379/0",)),
    (r"\bint\b|integer|base 10|number|numeric", ("1", "5432", "100000")),
    (r"\bfloat\b|decimal", ("1",)),
    (r"bool|truth", ("true",)),
    (r"mapping|key=value|\bdict\b|pairs", ("gate=1",)),
    (r"JSON|Expecting value|dictionary", ("{}", "[]")),
    (r"UUID|hexadecimal", (PLACEHOLDER_UUID,)),
    (r"Fernet|base64|[Pp]adding", (PLACEHOLDER_KEY,)),
    (r"isoformat|\bdate", ("2000-01-01", "2000-01-01T00:00:00")),
    (r"\be-?mail", ("gate@example.com",)),
    (r"\bURLs?\b|[Ss]cheme|https?", ("http://localhost", PLACEHOLDER_URL)),
    (r"\bIP(v4)?\b|address", ("127.0.0.1",)),
    (r"[Tt]imezone|time zone", ("UTC",)),
    (r"\blevel\b", ("INFO",)),
    (r"No such file", (os.devnull,)),
    (r"\bpath|directory|folder", (".",)),
)  # fmt: skip
"""what a message says that complains about a value, and values of the form that it wants"""
LENGTH = re.compile(r"\b(?:[Ll]ength|[Cc]haracters?|[Ll]ong)\b")
CHOICES = re.compile(r"\bone of:? ([\w.+-]+(?:, (?:or )?[\w.+-]+)+)")
"""words without quotes, as marshmallow lists them"""
QUOTED_WORD = re.compile(r"['\"]([A-Za-z][\w.+-]{0,40})['\"]")
LIMIT = re.compile(r"[<>]|\bg[te]e?\b|\bl[te]e?\b|least|most|greater|less|between")
"""what a message says that a number is too small or too large for"""
NUMBER = re.compile(r"(?<![\w.])\d{1,9}(?![\w.])")


def make_text(name: str, type_name: str = "") -> str:
    """The likeliest value of a setting of this name, unlike that of any other name if it is free text."""
    if type_name == "int":
        return "5432" if "PORT" in name.upper() else "1"
    if type_name in TYPE_VALUES:
        return TYPE_VALUES[type_name]
    words = _split_name(name)
    if type_name == "url":
        return _make_other_url(words) or _make_url(words) or "http://localhost"
    text = _make_other_url(words) or _make_url(words) or ENDINGS.get(words[-1])
    if text is not None:
        return text
    if words[-1] == "NAME" and DATABASE_WORDS & set(words):
        return "gate"
    return "%s-%s" % (PLACEHOLDER_SECRET, name.lower().replace("_", "-"))


def _split_name(name: str) -> list[str]:
    """`db-url` is [DB, URL]."""
    return re.split(r"[_\W]+", name.upper())


def _make_other_url(words: list[str]) -> Optional[str]:
    """The address of a service that is no database of ours; not for its host, its password and the like."""
    if words[-1] in ENDINGS or SECRET_WORDS & set(words):
        return None
    return next((url for word, url in OTHER_SCHEMES.items() if word in words), None)


def _make_url(words: list[str]) -> Optional[str]:
    """A database's URL, or a web site's; None for a name that is not a URL's."""
    if not URL_WORDS & set(words):
        return None
    if DATABASE_WORDS & set(words) or words[-1] == "DSN" or words in (["URI"], ["URL"]):
        return name_database(ASYNC_URL if "ASYNC" in words else PLACEHOLDER_URL, words)
    return "http://localhost"


def name_database(url: str, words: Sequence[str]) -> str:
    """The URL with a database of its own for the words of a setting's name that are not about its form.

    A project that migrates two databases has a setting for each, and must not take them for one.
    """
    own = [word.lower() for word in words if word not in DATABASE_WORDS | URL_WORDS | FORM_WORDS]
    return "_".join([url, *own])


def make_database_url(name: str) -> str:
    """The URL of the database that a setting of this name is about."""
    return name_database(PLACEHOLDER_URL, _split_name(name))


def make_text_instead_of(default: Optional[str], name: str) -> str:
    """A value of the form of the project's own default, on PostgreSQL."""
    if default is not None and "://" in default:
        url = ASYNC_URL if "+aio" in default or "+async" in default else PLACEHOLDER_URL
        return name_database(url, _split_name(name))
    if default is not None and default.lower().partition("+")[0].rstrip("3") in OTHER_DATABASES:
        return "postgresql"  # (not for `sqlite.db`, the name of a file)
    return make_text(name)


def suggest_texts(name: str, complaint: str) -> Iterator[str]:
    """Values that a setting of this name may have, after a message that complained about an earlier one."""
    for choices in CHOICES.findall(complaint):
        yield from choices.replace("or ", "").rstrip(".").split(", ")
    if LENGTH.search(complaint):
        for number in NUMBER.findall(complaint):
            yield (make_text(name) + PLACEHOLDER_SECRET * (int(number) // 40 + 1))[: min(int(number), 500)]
    if LIMIT.search(complaint):
        for number in NUMBER.findall(complaint):
            yield from (number, str(int(number) + 1), str(max(int(number) - 1, 0)))
            yield from ("%s.5" % number, str(max(int(number) - 0.5, 0)))
    words = _split_name(name)
    for pattern, values in HINTS:
        if re.search(pattern, complaint):
            yield from (name_database(value, words) if value in DATABASE_URLS else value for value in values)
    for word in QUOTED_WORD.findall(complaint):
        if word not in (name, name.lower()) and not word.startswith("not-a-secret"):
            yield word
    yield from ("1", make_database_url(name), "true", "{}", "[]", PLACEHOLDER_UUID, PLACEHOLDER_KEY)


def is_database_setting(name: str) -> bool:
    """Whether a setting of this name says where a database is."""
    return bool((DATABASE_WORDS | {"DSN"}) & set(_split_name(name)))
