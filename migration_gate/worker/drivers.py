"""The drivers' own `connect`, for code that goes round SQLAlchemy; patched when first imported."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from typing import Any, Callable, Optional

from .redirect import Guard


class _Loader(importlib.abc.Loader):
    """Runs the real loader, then a function on the finished module."""

    def __init__(self, real: Any, after: Callable[[Any], None]) -> None:
        self._real = real
        self._after = after

    def create_module(self, spec: Any) -> Any:
        return self._real.create_module(spec)

    def exec_module(self, module: Any) -> None:
        self._real.exec_module(module)
        module.__spec__.loader = module.__loader__ = self._real
        self._after(module)

    def __getattr__(self, name: str) -> Any:  # get_data, get_source: what tracebacks and inspect ask for
        return getattr(self._real, name)


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls a function with a module of a given name as soon as it has been imported."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[[Any], None]] = {}

    def add(self, name: str, function: Callable[[Any], None]) -> None:
        """Run `function(module)` now if it is imported already, else when it is."""
        if name in sys.modules:
            function(sys.modules[name])
        else:
            self._functions[name] = function

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:
        """The real spec, with a loader that calls the function afterwards; None for other modules."""
        function = self._functions.get(name)  # kept: a spec may be asked for without an import
        if function is None:
            return None
        spec = self._find(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, function)
        return spec

    def _find(self, name: str, path: Any, target: Any) -> Optional[Any]:
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None


def _dsn(text: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """A libpq connection string and keywords as one mapping; only what is kept beside the address matters."""
    found: dict[str, Any] = {}
    for word in str(text or "").split():
        key, mark, value = word.partition("=")
        if mark and "://" not in key:
            found[key] = value
    found.update(wanted)
    return found


def _note(guard: Guard, driver: str, wanted: dict[str, Any]) -> None:
    host, port = wanted.get("host") or "", wanted.get("port") or ""
    database = wanted.get("dbname") or wanted.get("database") or ""
    guard.report("postgresql", driver, "%s:%s/%s" % (host, port, database), "driver", "redirected")


def _is_ours(guard: Guard, wanted: dict[str, Any], address: str) -> bool:
    """Whether SQLAlchemy's layer has been here already."""
    return str(wanted.get(address, "")).startswith(guard._server.directory)


def _psycopg2(guard: Guard, module: Any) -> None:
    real = module.connect

    def connect(
        dsn: Any = None, connection_factory: Any = None, cursor_factory: Any = None, **wanted: Any
    ) -> Any:
        if not _is_ours(guard, wanted, "host"):
            wanted = _dsn(dsn, wanted)
            _note(guard, "psycopg2", wanted)
            wanted = guard.libpq(wanted)
        return real(connection_factory=connection_factory, cursor_factory=cursor_factory, **wanted)

    module.connect = connect


def _psycopg(guard: Guard, module: Any) -> None:
    def wrap(cls: Any) -> None:
        real = cls.__dict__["connect"].__func__

        def connect(owner: Any, /, conninfo: str = "", **wanted: Any) -> Any:
            if not _is_ours(guard, wanted, "host"):
                wanted = _dsn(conninfo, wanted)
                _note(guard, "psycopg", wanted)
                wanted = guard.libpq(wanted)
            return real(owner, **wanted)

        cls.connect = classmethod(connect)

    wrap(module.Connection)
    wrap(module.AsyncConnection)
    module.connect = module.Connection.connect


def _asyncpg(guard: Guard, module: Any) -> None:
    def patch(inner: Any, name: str) -> None:
        real = getattr(inner, name)

        def connect(dsn: Any = None, **wanted: Any) -> Any:
            if not _is_ours(guard, wanted, "host"):
                _note(guard, "asyncpg", wanted)
                wanted.update(guard.asyncpg(wanted))
                wanted = {k: v for k, v in wanted.items() if k not in {"sslmode", "service", "servicefile"}}
            return real(**wanted)

        setattr(inner, name, connect)
        setattr(module, name, connect)

    patch(module.connection, "connect")
    # a pool connects through connection.connect, with the addresses that it was made with


def _pg8000(guard: Guard, module: Any) -> None:
    real = module.connect

    def connect(*positional: Any, **wanted: Any) -> Any:
        if not _is_ours(guard, wanted, "unix_sock"):
            _note(guard, "pg8000", wanted)
            wanted = guard.pg8000(wanted)
        return real(**wanted)

    module.connect = connect
    if module.__name__ == "pg8000":  # pg8000 re-exports dbapi.connect under its own name
        sys.modules["pg8000.dbapi"].connect = connect  # type: ignore[attr-defined]


def watch(guard: Guard, imports: AfterImport) -> None:
    """Patch each driver as soon as the project imports it."""
    imports.add("psycopg2", lambda module: _psycopg2(guard, module))
    imports.add("psycopg", lambda module: _psycopg(guard, module))
    imports.add("asyncpg", lambda module: _asyncpg(guard, module))
    imports.add("pg8000", lambda module: _pg8000(guard, module))
