"""Redirects the drivers' own `connect`, for code that does not go through SQLAlchemy."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Mapping

from .import_hooks import ImportHooks
from .redirection import Redirection, format_address

ASYNCPG_ADDRESS = frozenset({"sslmode", "service", "servicefile"})
"""arguments of asyncpg's that name another place in spite of a host"""


def install_driver_patches(redirection: Redirection, imports: ImportHooks) -> None:
    """Patch each driver as soon as the project imports it."""
    imports.add("psycopg2", partial(_patch_psycopg2, redirection))
    imports.add("psycopg", partial(_patch_psycopg, redirection))
    imports.add("asyncpg", partial(_patch_asyncpg, redirection))
    imports.add("pg8000", partial(_patch_pg8000, redirection))


def _patch_psycopg2(redirection: Redirection, module: Any) -> None:
    real_connect = module.connect

    def connect(
        dsn: Any = None, connection_factory: Any = None, cursor_factory: Any = None, **arguments: Any
    ) -> Any:
        redirected = _redirect_libpq(redirection, "psycopg2", dsn, arguments)
        return real_connect(
            connection_factory=connection_factory, cursor_factory=cursor_factory, **redirected
        )

    module.connect = connect


def _patch_psycopg(redirection: Redirection, module: Any) -> None:
    for connection_class in (module.Connection, module.AsyncConnection):
        _patch_connection_class(redirection, connection_class)
    # The module's function is the method as it was before.
    module.connect = module.Connection.connect


def _patch_connection_class(redirection: Redirection, connection_class: Any) -> None:
    real_connect = connection_class.__dict__["connect"].__func__

    def connect(cls: Any, /, conninfo: str = "", **arguments: Any) -> Any:
        return real_connect(cls, **_redirect_libpq(redirection, "psycopg", conninfo, arguments))

    connection_class.connect = classmethod(connect)


def _patch_asyncpg(redirection: Redirection, module: Any) -> None:
    # A pool connects through connection.connect, with the addresses that it was made with.
    real_connect = module.connection.connect

    def connect(dsn: Any = None, **arguments: Any) -> Any:
        if redirection.is_redirected(arguments.get("host")):
            return real_connect(**arguments)
        _report_connection(redirection, "asyncpg", arguments)
        redirected = {**arguments, **redirection.asyncpg_arguments(arguments)}
        return real_connect(
            **{name: value for name, value in redirected.items() if name not in ASYNCPG_ADDRESS}
        )

    module.connection.connect = connect
    module.connect = connect


def _patch_pg8000(redirection: Redirection, module: Any) -> None:
    real_connect = module.connect

    def connect(*positional: Any, **arguments: Any) -> Any:
        if redirection.is_redirected(arguments.get("unix_sock")):
            return real_connect(**arguments)
        _report_connection(redirection, "pg8000", arguments)
        return real_connect(**redirection.pg8000_arguments(arguments))

    module.connect = connect
    sys.modules["pg8000.dbapi"].connect = connect  # type: ignore[attr-defined]  # where module.connect is from


def _redirect_libpq(
    redirection: Redirection, driver: str, dsn: Any, arguments: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The arguments for a driver on libpq; those that SQLAlchemy's layer has redirected stay as they are."""
    if redirection.is_redirected(arguments.get("host")):
        return arguments
    arguments = {**_parse_dsn(dsn), **arguments}
    _report_connection(redirection, driver, arguments)
    return redirection.libpq_arguments(arguments)


def _parse_dsn(dsn: Any) -> dict[str, str]:
    """The `key=value` words of a libpq connection string; of a URL nothing, since only the rest is kept."""
    words = (word.partition("=") for word in str(dsn or "").split())
    return {key: value for key, equals, value in words if equals and "://" not in key}


def _report_connection(redirection: Redirection, driver: str, arguments: Mapping[str, Any]) -> None:
    redirection.await_database()
    redirection.report("postgresql", driver, format_address(arguments), "driver", "redirected")
