"""The models as a database: a copy of the replayed one whose tables the models create anew."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
import time
from functools import partial
from typing import Any, Callable, Optional

from .answer_stream import AnswerStream
from .compare import alembic_differences, concerns, filtered, follow_search_path
from .create import RefusedPart, create_all, drop_named, drop_tables
from .engine import autocommitted, with_connection
from .error_report import describe_error
from .protocol import (
    AlembicDifference,
    DatabaseCopied,
    FilteredObject,
    MappedClass,
    ModelsCreated,
    Order,
    UncreatedPart,
)
from .redirect import Guard

TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where datname = "


class Models:
    """Everything that the contexts of env.py handed over as target_metadata."""

    def __init__(self, order: Order, guard: Guard, contexts: list[dict[str, Any]]) -> None:
        self._order = order
        self._guard = guard
        self._contexts = contexts
        for context in contexts:
            context["kept"] = guard.kept
            given = context["opts"].get("target_metadata")
            context["metadatas"] = list(given) if isinstance(given, (list, tuple)) else [given]
            context["metadatas"] = [each for each in context["metadatas"] if each is not None]

    def report(self, answer: AnswerStream) -> None:
        """Create, compare, and send one `models` line."""
        distinct = _distinct(self._contexts)
        metadatas = len({id(each) for context in distinct for each in context["metadatas"]})
        tables = tuple(sorted({name for context in distinct for name in _names(context)}))
        if not tables:
            answer.send(ModelsCreated(metadatas, tables))
            return
        filtered_objects: list[FilteredObject] = []
        for context in distinct:
            filtered_objects += self._in(self._order.database, context, partial(filtered, context))
        self._copy(distinct[0])
        answer.send(DatabaseCopied())
        refused: list[UncreatedPart] = []
        for context in distinct:
            refused += self._create(context, context is distinct[0])
        uncreated, differences = self._stand_in(distinct, refused)
        classes = tuple(_mapped_classes(distinct))
        answer.send(
            ModelsCreated(
                metadatas, tables, uncreated, tuple(filtered_objects), differences, mapped_classes=classes
            )
        )

    def _in(self, database: str, context: dict[str, Any], work: Callable[[Any], Any]) -> Any:
        return with_connection(self._guard, database, context, work)

    def _copy(self, context: dict[str, Any]) -> None:
        """Clone the replayed database; connections that the project left open end first."""
        source, copy = self._order.database, self._order.models_database
        strategy = " strategy file_copy" if self._order.server.version >= 150000 else ""

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
                        describe_error(error).sqlstate != "55006" or attempt == 19
                    ):  # still in use: they are ending
                        raise
                    time.sleep(0.005 * (attempt + 1))
                else:
                    comment = "%s%s" % (self._order.server.comment_prefix, copy)
                    connection.exec_driver_sql("comment on database %s is '%s'" % (quote(copy), comment))
                    return

        autocommitted(self._guard, self._order.server.database, context, work)

    def _create(self, context: dict[str, Any], first: bool) -> list[UncreatedPart]:
        def work(connection: Any) -> list[RefusedPart]:
            if first:
                drop_tables(connection)
                for other in self._contexts:  # all of them first: one may use what another one creates
                    follow_search_path(connection, other)
                    drop_named(connection, other["metadatas"], other["translate"])
            follow_search_path(connection, context)
            if context["translate"]:
                connection = connection.execution_options(schema_translate_map=context["translate"])
            return create_all(connection, context["metadatas"])

        refused: list[RefusedPart] = self._in(self._order.models_database, context, work)
        return [
            UncreatedPart(
                part.label, part.message, part.kind, part.name, part.columns,
                None if part.table is None else _qualified(part.table, context), compared_by_alembic=False,
            )
            for part in refused
        ]  # fmt: skip

    def _stand_in(
        self, contexts: list[dict[str, Any]], parts: list[UncreatedPart]
    ) -> tuple[tuple[UncreatedPart, ...], tuple[AlembicDifference, ...]]:
        """Alembic's own comparison for what could not be created."""
        lost = {part.table for part in parts if part.table}
        if not lost:
            return tuple(parts), ()
        differences: list[AlembicDifference] = []
        for context in contexts:
            try:
                rows = self._in(self._order.database, context, partial(alembic_differences, context, lost))
            except Exception:  # what the project's own functions for the comparison raise
                return tuple(parts), tuple(differences)
            differences += [row for row in rows if any(concerns(row, part) for part in parts)]
        compared = (dataclasses.replace(part, compared_by_alembic=part.table is not None) for part in parts)
        return tuple(compared), tuple(differences)


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


def _mapped_classes(contexts: list[dict[str, Any]]) -> list[MappedClass]:
    """The mapped class of each table, where there is one."""
    try:
        from sqlalchemy.orm import mapperlib

        registries = mapperlib._all_registries()
    except (ImportError, AttributeError):  # SQLAlchemy without the ORM, or one that keeps them elsewhere
        return []
    rows = set()
    tables = {
        id(t): _qualified(t, c) for c in contexts for each in c["metadatas"] for t in each.tables.values()
    }
    for registry in registries:
        for mapper in registry.mappers:
            name = tables.get(id(mapper.local_table))
            module = sys.modules.get(mapper.class_.__module__)
            file = getattr(module, "__file__", None)
            if name and file:
                rows.add((name, os.path.abspath(file), mapper.class_.__name__))
    texts = {file: _read_source(file) for _, file, _ in rows}
    return [MappedClass(name, file, _class_line(texts[file], cls)) for name, file, cls in sorted(rows)]


def _read_source(file: str) -> str:
    """The text of a file, '' where it cannot be read."""
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _class_line(text: str, name: str) -> Optional[int]:
    """The line of `class name` in a module's text."""
    match = re.search(r"^[ \t]*class[ \t]+%s\b" % re.escape(name), text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else None
