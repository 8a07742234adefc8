"""Lets a project import without its settings: usual variables, dummy values, and the right dialect.

Everything here only decides what the project *believes*; where it connects is the guard's business.
"""

from __future__ import annotations

import enum
import importlib.util
import os
import typing
from typing import Any, Callable, Optional

from .drivers import AfterImport
from .redirect import Guard

SYNC = ("psycopg2", "psycopg", "pg8000", "psycopg2cffi")
ASYNC = ("asyncpg", "psycopg")
SECRET = "not-a-secret-only-a-placeholder-0123456789abcdef"  # noqa: S105  (as it says)
PARTS = {
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
URLS = (
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
SECRETS = ("SECRET_KEY", "SECRET", "JWT_SECRET", "JWT_SECRET_KEY", "APP_SECRET", "ENCRYPTION_KEY")
PREFIXES = ("POSTGRES_", "POSTGRESQL_", "PG_", "DB_", "DATABASE_")


def installed(names: tuple[str, ...]) -> list[str]:
    """Those of `names` that this interpreter can import."""
    return [name for name in names if importlib.util.find_spec(name) is not None]


def fill_environment() -> list[str]:
    """Set the usual variables that are not set; the names that were."""
    filled = []
    url = "postgresql://gate:gate@localhost:5432/gate"
    wanted = dict.fromkeys(URLS, url)
    wanted.update({prefix + part: value for prefix in PREFIXES for part, value in PARTS.items()})
    wanted.update(dict.fromkeys(SECRETS, SECRET))
    for name, value in wanted.items():
        if name not in os.environ:
            os.environ[name] = value
            filled.append(name)
    return filled


class Dialects:
    """Gives every engine a PostgreSQL URL with a driver that is installed, and says what it changed."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._sync = installed(SYNC)
        self._async = installed(ASYNC)
        self._in_async = 0

    def install(self, imports: AfterImport) -> None:
        """Patch SQLAlchemy's URL reader, and the maker of async engines once it is imported."""
        from sqlalchemy.engine import url as urls

        real = urls.make_url

        def make_url(text: Any) -> Any:
            return self._adapted(real(self._placeholder(text)), real)

        urls.make_url = make_url  # type: ignore[assignment]  # create_engine looks it up here
        imports.add("sqlalchemy.ext.asyncio.engine", self._patch_async)

    def _patch_async(self, module: Any) -> None:
        real = module.create_async_engine

        def create_async_engine(*positional: Any, **keywords: Any) -> Any:
            self._in_async += 1
            try:
                return real(*positional, **keywords)
            finally:
                self._in_async -= 1

        module.create_async_engine = create_async_engine

    def _placeholder(self, text: Any) -> Any:
        """The URL of Alembic's own template means nothing: `driver://user:pass@localhost/dbname`."""
        if isinstance(text, str) and text.startswith("driver://"):
            return "postgresql" + text[len("driver") :]
        return text

    def _adapted(self, url: Any, real_url: Callable[[str], Any]) -> Any:
        backend, _, driver = url.drivername.partition("+")
        if backend in ("sqlite", "mysql", "mariadb"):
            chosen = self._choose("")
            if chosen is None:
                return url  # the guard refuses it, and says why
            self._guard.report(backend, driver, str(url.database or ""), "url", "swapped")
            return real_url("postgresql+%s://gate:gate@localhost:5432/gate" % chosen)
        if backend == "postgresql":
            chosen = self._choose(driver)
            if chosen is not None and chosen != driver:
                return url.set(drivername="postgresql+" + chosen)
        return url

    def _choose(self, driver: str) -> Optional[str]:
        """The driver to use: the one that was named if it can serve, else one that is installed."""
        fitting = self._async if self._in_async else self._sync
        if driver in fitting or (driver.endswith("_async") and "psycopg" in self._async):
            return driver
        if driver and not self._in_async and driver in self._async:
            return driver
        return fitting[0] if fitting else None


def fill_settings(imports: AfterImport, notes: list[str]) -> None:
    """Give required pydantic-settings fields that have no value a dummy of their type."""

    def patch(module: Any) -> None:
        base = module.BaseSettings
        real = base.__init__

        def initialise(self: Any, **values: Any) -> None:
            for _ in range(3):
                try:
                    real(self, **values)
                except ValueError as error:  # pydantic.ValidationError is one, in every version
                    missing = _missing(type(self), error)
                    if not missing or set(missing) <= set(values):
                        raise
                    values.update(missing)
                    notes.append(
                        "%s: dummy values for %s" % (type(self).__name__, ", ".join(sorted(missing)))
                    )
                else:
                    return
            real(self, **values)

        base.__init__ = initialise

    imports.add("pydantic_settings.main", patch)
    imports.add("pydantic.env_settings", patch)


def _missing(owner: Any, error: Any) -> dict[str, Any]:
    """The required fields that had no value, each with a dummy."""
    found = {}
    fields = getattr(owner, "model_fields", None) or getattr(owner, "__fields__", {})
    for row in error.errors():
        if row["type"] in ("missing", "value_error.missing") and len(row["loc"]) == 1:
            name = row["loc"][0]
            field = fields.get(name) or next(
                (f for f in fields.values() if getattr(f, "alias", None) == name), None
            )
            kind = getattr(field, "annotation", None) or getattr(field, "outer_type_", str)
            found[name] = _dummy(kind, str(name))
    return found


def _dummy(kind: Any, name: str) -> Any:
    """Something of this type; what it means is nobody's business."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if hasattr(kind, "__metadata__"):  # Annotated
        return _dummy(arguments[0], name)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (list, set, frozenset, tuple, dict):
        return origin()
    if arguments:  # Optional, Union, `A | B`
        return _dummy(next(each for each in arguments if each is not type(None)), name)
    found = _dummy_object(kind) if isinstance(kind, type) else None
    return (
        found
        if found is not None
        else _dummy_text(str(getattr(kind, "__name__", kind)) + str(kind), name.lower())
    )


def _dummy_object(kind: Any) -> Any:
    """An instance of a class that is more than text, or None."""
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    for plain in (bool, int, float, list, set, dict):
        if issubclass(kind, plain):
            return plain(1) if plain in (int, float) else plain()
    fields = getattr(kind, "model_fields", None) or {}
    needed = {key: each for key, each in fields.items() if each.is_required()}
    return {key: _dummy(each.annotation, key) for key, each in needed.items()} if fields else None


def _dummy_text(kind: str, name: str) -> str:
    """A text that looks like what the type and the name ask for."""
    if "Postgres" in kind or any(word in name for word in ("database_ur", "db_ur", "dsn", "postgres_ur")):
        return "postgresql://gate:gate@localhost:5432/gate"
    if "redis" in (name + kind.lower()) and not name.endswith("host"):
        return "redis://localhost:6379/0"
    if name.endswith("host"):
        return "localhost"
    if "Url" in kind or name.endswith(("url", "uri")):
        return "http://localhost"
    if "email" in kind.lower() or "email" in name:
        return "gate@example.com"
    return "." if "Path" in kind else SECRET
