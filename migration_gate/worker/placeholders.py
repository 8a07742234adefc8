"""Dummy values for settings that a project cannot do without: the likeliest first, then other forms.

They only decide what the project believes. Where it connects to is decided in `redirection.py`.
"""

from __future__ import annotations

import re
from typing import Iterator, Optional

PLACEHOLDER_URL = "postgresql://gate:gate@localhost:5432/gate"
ASYNC_URL = "postgresql+asyncpg://gate:gate@localhost:5432/gate"
PLACEHOLDER_SECRET = "not-a-secret-only-a-placeholder-0123456789abcdef"  # noqa: S105  (as it says)
PLACEHOLDER_UUID = "00000000-0000-4000-8000-000000000000"
PLACEHOLDER_KEY = "bm90LWEtc2VjcmV0LW9ubHktYS1wbGFjZWhvbGRlcjE="
"""32 bytes in base64, as Fernet wants a key"""
DATABASE_WORDS = frozenset({"DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG", "SQLALCHEMY", "SQL", "ALEMBIC"})
URL_WORDS = frozenset({"URL", "URI", "DSN", "URLS", "URIS"})
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
TYPE_VALUES = {"int": "1", "float": "1", "bool": "true", "list": "gate", "json": "{}", "dict": "{}"}
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
    (r"\bpath|directory|folder", (".",)),
)  # fmt: skip
"""what a message says that complains about a value, and values of the form that it wants"""
QUOTED_WORD = re.compile(r"['\"]([A-Za-z][\w.+-]{0,40})['\"]")
NUMBER = re.compile(r"(?<![\w.])\d{1,9}(?![\w.])")


def make_text(name: str, type_name: str = "") -> str:
    """The likeliest value of a setting of this name, unlike that of any other name where it is free text."""
    if type_name in TYPE_VALUES:
        return _make_number(name) if type_name == "int" else TYPE_VALUES[type_name]
    words = re.split(r"[_\W]+", name.upper())
    for word, value in OTHER_SCHEMES.items():
        if word in words and words[-1] not in ENDINGS and not SECRET_WORDS & set(words):
            return value
    if URL_WORDS & set(words):
        return _make_url(words)
    if words[-1] in ENDINGS:
        return ENDINGS[words[-1]]
    if words[-1] == "NAME" and DATABASE_WORDS & set(words):
        return "gate"
    return "%s-%s" % (PLACEHOLDER_SECRET, name.lower().replace("_", "-"))


def make_text_instead_of(default: Optional[str], name: str) -> str:
    """A value of the form of the project's own default, on PostgreSQL."""
    if default is not None and "://" in default:
        return ASYNC_URL if "+aio" in default or "+async" in default else PLACEHOLDER_URL
    return make_text(name)


def _make_number(name: str) -> str:
    return "5432" if "PORT" in name.upper() else "1"


def _make_url(words: list[str]) -> str:
    is_of_database = bool(DATABASE_WORDS & set(words)) or words in (["DSN"], ["URI"], ["URL"])
    if is_of_database or words[-1] == "DSN":
        return ASYNC_URL if "ASYNC" in words else PLACEHOLDER_URL
    return "http://localhost"


def suggest_texts(name: str, complaint: str) -> Iterator[str]:
    """Values that a setting of this name may have, after a message that complained about an earlier one."""
    for number in NUMBER.findall(complaint):
        if re.search(r"[<>]|\bg[te]e?\b|\bl[te]e?\b|least|most|greater|less|between", complaint):
            yield from (number, str(int(number) + 1), str(max(int(number) - 1, 0)))
    for pattern, values in HINTS:
        if re.search(pattern, complaint):
            yield from values
    for word in QUOTED_WORD.findall(complaint):
        if word not in (name, name.lower()) and not word.startswith("not-a-secret"):
            yield word
    yield from ("1", PLACEHOLDER_URL, "true", "{}", "[]", PLACEHOLDER_UUID, PLACEHOLDER_KEY)


def is_database_setting(name: str) -> bool:
    """Whether a setting of this name says where a database is."""
    words = set(re.split(r"[_\W]+", name.upper()))
    return bool(words & DATABASE_WORDS) or bool(words & {"DSN"})
