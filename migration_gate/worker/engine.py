"""A connection of the worker's own, through the project's driver and the guard."""

from __future__ import annotations

from typing import Any, Callable

from .redirect import Guard


def with_connection(guard: Guard, database: str, context: dict[str, Any], work: Callable[[Any], Any]) -> Any:
    """Run `work(connection)` in `database` in one transaction, sync or async as the driver is."""
    before, guard.database = guard.database, database
    try:
        return _run(guard, context, work, {})
    finally:
        guard.database = before


def autocommitted(guard: Guard, database: str, context: dict[str, Any], work: Callable[[Any], Any]) -> Any:
    """The same outside a transaction: for CREATE DATABASE."""
    before, guard.database = guard.database, database
    try:
        return _run(guard, context, work, {"isolation_level": "AUTOCOMMIT"})
    finally:
        guard.database = before


def _run(guard: Guard, context: dict[str, Any], work: Callable[[Any], Any], options: dict[str, Any]) -> Any:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    driver = context["driver"]
    kept = {key: value for key, value in context["kept"].items() if key in ("options", "server_settings")}
    keywords: dict[str, Any] = dict(poolclass=NullPool, connect_args=kept, **options)
    if context["is_async"] and not driver.startswith("psycopg"):
        return _run_async("postgresql+%s://gate@/gate" % driver, keywords, work)
    engine = create_engine("postgresql+%s://gate@/gate" % driver.replace("_async", ""), **keywords)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def _run_async(url: str, keywords: dict[str, Any], work: Callable[[Any], Any]) -> Any:
    import asyncio

    from sqlalchemy.ext.asyncio import create_async_engine

    async def go() -> Any:
        engine = create_async_engine(url, **keywords)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    return asyncio.run(go())
