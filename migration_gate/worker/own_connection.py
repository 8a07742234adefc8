"""Connections of the worker's own, through the project's driver and the redirection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Mapping, TypeVar

from .env_context import EnvContext
from .redirection import Redirection

Value = TypeVar("Value")
SESSION_ARGUMENTS = ("options", "server_settings")
"""arguments of a driver that set something in the session, as the project's own connections do"""


class OwnConnections:
    """Runs functions with a connection that is made for each."""

    def __init__(self, redirection: Redirection) -> None:
        self._redirection = redirection
        arguments = redirection.last_arguments
        self._session_arguments = {name: arguments[name] for name in SESSION_ARGUMENTS if name in arguments}

    def run(self, database: str, context: EnvContext, work: Callable[[Any], Value]) -> Value:
        """The value of `work(connection)`, in one transaction in `database`."""
        from sqlalchemy.pool import NullPool

        keywords = {"poolclass": NullPool, "connect_args": self._session_arguments}
        replayed_database, self._redirection.database = self._redirection.database, database
        try:
            # psycopg is one driver with two dialects: the synchronous one serves for both.
            if context.is_async and not context.driver.startswith("psycopg"):
                return _run_async(context.driver, keywords, work)
            return _run_sync(context.driver.replace("_async", ""), keywords, work)
        finally:
            self._redirection.database = replayed_database


def _run_sync(driver: str, keywords: Mapping[str, Any], work: Callable[[Any], Value]) -> Value:
    from sqlalchemy import create_engine

    engine = create_engine(_engine_url(driver), **keywords)
    try:
        with engine.begin() as connection:
            leave_role(connection)
            return work(connection)
    finally:
        engine.dispose()


def _run_async(driver: str, keywords: Mapping[str, Any], work: Callable[[Any], Value]) -> Value:
    import asyncio

    from sqlalchemy.ext.asyncio import create_async_engine

    async def connect_and_run() -> Value:
        engine = create_async_engine(_engine_url(driver), **keywords)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(leave_role)
                value: Value = await connection.run_sync(work)
                return value
        finally:
            await engine.dispose()

    # In a thread: an event loop of the project's may be running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(connect_and_run())).result()


def leave_role(connection: Any) -> None:
    """Have the rights of the login: the project's arguments may set another role (`-c role=app`)."""
    connection.exec_driver_sql("SET SESSION AUTHORIZATION DEFAULT")
    connection.exec_driver_sql("SET ROLE NONE")


def _engine_url(driver: str) -> str:
    """Names the dialect only: the connection is redirected."""
    return "postgresql+%s://gate@/gate" % driver
