"""The models as a database: a copy of the replayed one whose tables the models create anew."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import Any, Callable

from .compare import alembic_differences, concerns, filtered, follow_search_path
from .create import create_all, drop_named, drop_tables
from .engine import autocommitted, with_connection
from .failure import describe
from .redirect import Guard

TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where datname = "


class Models:
    """Everything that the contexts of env.py handed over as target_metadata."""

    def __init__(self, order: dict[str, Any], guard: Guard, contexts: list[dict[str, Any]]) -> None:
        self._order = order
        self._guard = guard
        self._contexts = contexts
        for context in contexts:
            context["kept"] = guard.kept
            given = context["opts"].get("target_metadata")
            context["metadatas"] = list(given) if isinstance(given, (list, tuple)) else [given]
            context["metadatas"] = [each for each in context["metadatas"] if each is not None]

    def tell(self, send: Callable[..., None]) -> None:
        """Create, compare, and send one `models` line."""
        distinct = _distinct(self._contexts)
        answer: dict[str, Any] = {
            "metadatas": len({id(each) for context in distinct for each in context["metadatas"]}),
            "tables": sorted({name for context in distinct for name in _names(context)}),
            "uncreated": [],
            "filtered": [],
            "alembic": [],
            "created": False,
        }
        if answer["tables"]:
            for context in distinct:
                answer["filtered"] += self._in(self._order["database"], context, partial(filtered, context))
            self._copy(distinct[0])
            send("copied")  # from now on the replayed database is nobody's but the gate's
            for context in distinct:
                answer["uncreated"] += self._create(context, context is distinct[0])
            answer["created"] = True
            self._stand_in(distinct, answer)
            answer["places"] = _places(distinct)
        send("models", **answer)

    def _in(self, database: str, context: dict[str, Any], work: Callable[[Any], Any]) -> Any:
        return with_connection(self._guard, database, context, work)

    def _copy(self, context: dict[str, Any]) -> None:
        """Clone the replayed database; connections that the project left open end first."""
        source, copy = self._order["database"], self._order["models_database"]
        strategy = " strategy file_copy" if self._order["server"]["version"] >= 150000 else ""

        def work(connection: Any) -> None:
            quote = connection.dialect.identifier_preparer.quote_identifier
            for attempt in range(20):
                connection.exec_driver_sql(TERMINATE + "'%s'" % source)  # a name of ours: letters and digits
                try:
                    connection.exec_driver_sql(
                        "create database %s template %s%s" % (quote(copy), quote(source), strategy)
                    )
                except Exception as error:
                    if (
                        describe(error)["sqlstate"] != "55006" or attempt == 19
                    ):  # still in use: they are ending
                        raise
                    time.sleep(0.005 * (attempt + 1))
                else:
                    comment = "%s%s" % (self._order["server"]["marker"], copy)
                    connection.exec_driver_sql("comment on database %s is '%s'" % (quote(copy), comment))
                    return

        autocommitted(self._guard, self._order["server"]["database"], context, work)

    def _create(self, context: dict[str, Any], first: bool) -> list[dict[str, Any]]:
        def work(connection: Any) -> list[dict[str, Any]]:
            if first:
                drop_tables(connection)
                for other in self._contexts:  # all of them first: one may use what another one creates
                    follow_search_path(connection, other)
                    drop_named(connection, other["metadatas"], other["translate"])
            follow_search_path(connection, context)
            if context["translate"]:
                connection = connection.execution_options(schema_translate_map=context["translate"])
            return create_all(connection, context["metadatas"])

        out: list[dict[str, Any]] = self._in(self._order["models_database"], context, work)
        for row in out:
            if row["table"] is not None:
                row["table"] = _qualified(row["table"], context)
        return out

    def _stand_in(self, contexts: list[dict[str, Any]], answer: dict[str, Any]) -> None:
        """Alembic's own comparison for what could not be created."""
        rows = answer["uncreated"]
        for row in rows:
            row["compared"] = False
        lost = {row["table"] for row in rows if row["table"]}
        if not lost:
            return
        for context in contexts:
            try:
                found = self._in(
                    self._order["database"], context, partial(alembic_differences, context, lost)
                )
            except Exception as error:
                answer["alembic_error"] = describe(error, home=self._order["home"])
                return
            answer["alembic"] += [row for row in found if any(concerns(row, part) for part in rows)]
        for row in rows:
            row["compared"] = row["table"] is not None


def _distinct(contexts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One of each: a tenant loop configures the same metadata for many schemas."""
    found: dict[Any, dict[str, Any]] = {}
    for context in contexts:
        key = (
            tuple(id(each) for each in context["metadatas"]),
            context["search_path"],
            str(context["translate"]),
        )
        found.setdefault(key, context)
    return list(found.values())


def _qualified(table: Any, context: dict[str, Any]) -> str:
    schema = table.schema
    if context["translate"]:
        schema = context["translate"].get(schema, schema)
    return "%s.%s" % (schema or context["default_schema"], table.name)


def _names(context: dict[str, Any]) -> list[str]:
    return [_qualified(table, context) for each in context["metadatas"] for table in each.tables.values()]


def _places(contexts: list[dict[str, Any]]) -> list[list[str]]:
    """Table, file and class name of each mapped class."""
    try:
        from sqlalchemy.orm import mapperlib

        registries = mapperlib._all_registries()
    except (ImportError, AttributeError):  # SQLAlchemy without the ORM, or one that keeps them elsewhere
        return []
    rows = []
    tables = {
        id(t): _qualified(t, c) for c in contexts for each in c["metadatas"] for t in each.tables.values()
    }
    for registry in registries:
        for mapper in registry.mappers:
            name = tables.get(id(mapper.local_table))
            module = sys.modules.get(mapper.class_.__module__)
            file = getattr(module, "__file__", None)
            if name and file:
                rows.append([name, os.path.abspath(file), mapper.class_.__name__])
    return sorted(rows)
