"""Gives every engine a PostgreSQL URL with a driver that is installed.

A project may be written for SQLite in tests, or for a driver that is not here. Which database it reaches is
not decided here, but in `redirection.py`.
"""

from __future__ import annotations

import importlib.util
import re
from typing import Any, Callable, Optional

from . import private_api
from .import_hooks import ImportHooks
from .placeholders import PLACEHOLDER_URL, make_database_url
from .redirection import Redirection

SYNC_DRIVERS = ("psycopg2", "psycopg", "pg8000", "psycopg2cffi")
ASYNC_DRIVERS = ("asyncpg", "psycopg")
ASYNC_NAMES = ("asyncpg", "psycopg_async", "aiosqlite", "aiomysql", "asyncmy")
"""drivers in URLs that are asynchronous whoever makes the engine: `AsyncEngine(create_engine(url))`"""
REPLACED_BACKENDS = ("sqlite", "mysql", "mariadb")
"""what a project may run on elsewhere; other dialects are refused when they connect"""
TEMPLATE_SCHEME = "driver://"
"""how the URL in Alembic's template of an alembic.ini begins: it means nothing"""
TEMPLATE_URL = re.compile(r"\{\w*\}|\$\{\w+\}|\$\w+|<[\w -]+>|@\w+@|%\(\w+\)s")
"""a URL that the project's own code fills in, when it makes a configuration from a template"""


def find_installed_drivers() -> tuple[str, ...]:
    """The PostgreSQL drivers that this interpreter can import, in the order in which they are preferred."""
    return _keep_installed(tuple(dict.fromkeys(SYNC_DRIVERS + ASYNC_DRIVERS)))


def _keep_installed(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if importlib.util.find_spec(name) is not None)


class DialectChoice:
    """Replaces dialects and drivers in the URLs of engines, and reports each replaced dialect."""

    def __init__(self, redirection: Redirection) -> None:
        self._redirection = redirection
        self._sync_drivers = _keep_installed(SYNC_DRIVERS)
        self._async_drivers = _keep_installed(ASYNC_DRIVERS)
        self._async_depth = 0
        """above 0 while `create_async_engine` runs, which calls `create_engine`"""

    def install(self, imports: ImportHooks) -> None:
        """Patch SQLAlchemy's URL reader, and the maker of async engines once it is imported."""
        private_api.replace_make_url(self._adapt_url)
        imports.add(
            "sqlalchemy.ext.asyncio.engine",
            lambda module: private_api.wrap_create_async_engine(module, self._note_async),
        )

    def _note_async(self, create: Callable[[], Any]) -> Any:
        self._async_depth += 1
        try:
            return create()
        finally:
            self._async_depth -= 1

    def _adapt_url(self, name_or_url: Any, make_url: Callable[[Any], Any]) -> Any:
        """The URL for `create_engine`, with another driver or dialect if that is needed."""
        if isinstance(name_or_url, str) and name_or_url.startswith(TEMPLATE_SCHEME):
            name_or_url = "postgresql://" + name_or_url[len(TEMPLATE_SCHEME) :]
        if isinstance(name_or_url, str) and TEMPLATE_URL.fullmatch(name_or_url.strip()):
            self._redirection.note(
                "the project's database URL is `%s`, which nothing has filled in: it stood for the ephemeral "
                "database" % name_or_url.strip()
            )
            name_or_url = make_database_url("".join(re.findall(r"[\w -]", name_or_url)).strip())
        url = make_url(name_or_url)
        backend, _, driver = url.drivername.partition("+")
        if backend == "postgresql":
            return self._adapt_driver(url, driver)
        if backend in REPLACED_BACKENDS:
            return self._replace_backend(url, backend, driver, make_url)
        return url

    def _adapt_driver(self, url: Any, driver: str) -> Any:
        chosen = self._choose_driver(driver, is_async=driver in ASYNC_NAMES)
        if chosen is None or chosen == driver:
            return url
        if driver:
            self._redirection.note(_describe_replacement(driver, chosen))
        return url.set(drivername="postgresql+" + chosen)

    def _replace_backend(self, url: Any, backend: str, driver: str, make_url: Callable[[Any], Any]) -> Any:
        chosen = self._choose_driver("", is_async=driver in ASYNC_NAMES)
        if chosen is None:
            return url  # the redirection refuses it, and says why
        self._redirection.report(backend, driver, str(url.database or ""), "url", "swapped")
        self._redirection.replaced_urls.append(_render_url(url))
        return make_url(PLACEHOLDER_URL.replace("postgresql", "postgresql+%s" % chosen))

    def _choose_driver(self, driver: str, *, is_async: bool) -> Optional[str]:
        """The driver that the URL names if it can be used here, else an installed one, else None.

        `is_async`: the URL names an asynchronous one, also where `create_engine` is called with it.
        """
        usable = self._async_drivers if self._async_depth or is_async else self._sync_drivers
        if driver in usable:
            return driver
        if driver.endswith("_async") and "psycopg" in self._async_drivers:
            return driver
        if not usable:
            return None
        is_named_so = is_async and not self._async_depth and usable[0] == "psycopg"
        return "psycopg_async" if is_named_so else usable[0]


def _describe_replacement(driver: str, chosen: str) -> str:
    """What a reader has to know: elsewhere the URL may fail, or the driver may act otherwise."""
    try:
        is_installed = importlib.util.find_spec(driver) is not None
    except (ImportError, ValueError):
        is_installed = False
    why = "is not asynchronous, as create_async_engine needs it" if is_installed else "is not installed here"
    return "the project's database URL names the driver %s, which %s: %s was used in its place" % (
        driver,
        why,
        chosen,
    )


def _render_url(url: Any) -> str:
    """With the password, as the project's settings have it."""
    render = getattr(url, "render_as_string", None)
    return str(render(hide_password=False)) if render is not None else str(url)
