"""The models as a database: a copy of the replayed one, whose tables the models create anew."""

from __future__ import annotations

import dataclasses
import time
from functools import partial
from typing import Any, Iterator, NamedTuple, Sequence

from .alembic_comparison import find_alembic_differences, find_filtered_objects, is_about
from .answer_stream import AnswerStream
from .env_context import EnvContext, follow_search_path
from .error_report import describe_error
from .model_creation import RefusedPart, create_models, drop_relations, drop_types_and_sequences
from .model_locations import find_mapped_classes
from .own_connection import OwnConnections
from .protocol import AlembicDifference, DatabaseCopied, FilteredObject, ModelsCreated, Order, UncreatedPart
from .redirection import Redirection

TERMINATE_SESSIONS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '%s'"
OBJECT_IN_USE = "55006"
COPY_ATTEMPTS = 20
"""while sessions that were terminated are still ending, with longer and longer waits: 1 s in all"""
COPY_WAIT_SECONDS = 0.005
FILE_COPY_VERSION = 150000
"""the first server that can copy a database in two ways; file_copy is the fast one without a checkpoint"""


class AlembicComparison(NamedTuple):
    """What Alembic's own comparison was used for."""

    parts: tuple[UncreatedPart, ...]
    differences: tuple[AlembicDifference, ...]


def create_models_database(
    order: Order, redirection: Redirection, contexts: Sequence[EnvContext], answer: AnswerStream
) -> None:
    """Create what the contexts of env.py have as target_metadata, and send what came of it."""
    connections = OwnConnections(redirection)
    contexts = _distinct_contexts(contexts)
    metadatas = len({id(metadata) for context in contexts for metadata in context.metadatas})
    tables = tuple(sorted({name for context in contexts for _, name in _named_tables(context)}))
    if not tables:
        answer.send(ModelsCreated(metadatas, tables))
        return
    filtered = _find_filtered(order, connections, contexts)
    _copy_database(order, connections, contexts[0])
    answer.send(DatabaseCopied())
    parts = _create_models(order, connections, contexts)
    comparison = _compare_with_alembic(order, connections, contexts, parts)
    answer.send(
        ModelsCreated(
            metadatas=metadatas,
            tables=tables,
            uncreated=comparison.parts,
            filtered=filtered,
            alembic_differences=comparison.differences,
            mapped_classes=find_mapped_classes(
                {id(table): name for context in contexts for table, name in _named_tables(context)}
            ),
        )
    )


def _distinct_contexts(contexts: Sequence[EnvContext]) -> list[EnvContext]:
    """One of each kind: a loop over tenants configures the same metadata for many schemas."""
    distinct: dict[Any, EnvContext] = {}
    for context in contexts:
        metadata_ids = tuple(id(metadata) for metadata in context.metadatas)
        distinct.setdefault((metadata_ids, context.search_path, str(context.schema_translation)), context)
    return list(distinct.values())


def _named_tables(context: EnvContext) -> Iterator[tuple[Any, str]]:
    """Each Table of the context, and `schema.name` of what it becomes in the database."""
    for metadata in context.metadatas:
        for table in metadata.tables.values():
            yield table, context.qualified_name(table)


def _find_filtered(
    order: Order, connections: OwnConnections, contexts: Sequence[EnvContext]
) -> tuple[FilteredObject, ...]:
    filtered: list[FilteredObject] = []
    for context in contexts:
        filtered += connections.run(order.database, context, partial(find_filtered_objects, context))
    return tuple(filtered)


def _copy_database(order: Order, connections: OwnConnections, context: EnvContext) -> None:
    """Clone the replayed database; sessions that the project left open are ended first."""
    strategy = " strategy file_copy" if order.server.version >= FILE_COPY_VERSION else ""

    def create_copy(connection: Any) -> None:
        quote = connection.dialect.identifier_preparer.quote_identifier
        name = quote(order.models_database)
        create = "create database %s template %s%s" % (name, quote(order.database), strategy)
        _create_when_unused(connection, order.database, create)
        comment = order.server.comment_prefix + order.models_database
        connection.exec_driver_sql("comment on database %s is '%s'" % (name, comment))

    connections.run_autocommitted(order.server.database, context, create_copy)


def _create_when_unused(connection: Any, source: str, statement: str) -> None:
    """Create the copy as soon as no session uses the source any more."""
    for attempt in range(1, COPY_ATTEMPTS + 1):
        connection.exec_driver_sql(TERMINATE_SESSIONS % source)  # a name of ours: letters and digits
        try:
            connection.exec_driver_sql(statement)
        except Exception as error:
            if attempt == COPY_ATTEMPTS or describe_error(error).sqlstate != OBJECT_IN_USE:
                raise
            time.sleep(COPY_WAIT_SECONDS * attempt)
        else:
            return


def _create_models(
    order: Order, connections: OwnConnections, contexts: Sequence[EnvContext]
) -> list[UncreatedPart]:
    """Create the models of each context; what Postgres refused."""
    parts: list[UncreatedPart] = []
    for context in contexts:
        # Everything is dropped before the first: one context may use what another one creates.
        replaced = contexts if context is contexts[0] else ()
        work = partial(_replace_models, replaced, context)
        refused = connections.run(order.models_database, context, work)
        parts += [_build_uncreated_part(part, context) for part in refused]
    return parts


def _replace_models(
    replaced: Sequence[EnvContext], context: EnvContext, connection: Any
) -> list[RefusedPart]:
    """Drop what the models of the replaced contexts would create, and create those of `context`."""
    if replaced:
        drop_relations(connection)
    for other in replaced:
        follow_search_path(connection, other)
        drop_types_and_sequences(connection, other)
    follow_search_path(connection, context)
    if context.schema_translation:
        connection = connection.execution_options(schema_translate_map=context.schema_translation)
    return create_models(connection, context.metadatas)


def _build_uncreated_part(part: RefusedPart, context: EnvContext) -> UncreatedPart:
    return UncreatedPart(
        label=part.label,
        message=part.message,
        kind=part.kind,
        name=part.name,
        columns=part.columns,
        table=None if part.table is None else context.qualified_name(part.table),
        compared_by_alembic=False,
    )


def _compare_with_alembic(
    order: Order, connections: OwnConnections, contexts: Sequence[EnvContext], parts: list[UncreatedPart]
) -> AlembicComparison:
    """Compare the tables of uncreated parts with Alembic instead; no part is compared where that fails."""
    tables = {part.table for part in parts if part.table}
    differences: list[AlembicDifference] = []
    for context in contexts if tables else ():
        compare = partial(find_alembic_differences, context, tables)
        try:
            rows = connections.run(order.database, context, compare)
        except Exception:  # the project's own functions for the comparison may raise anything
            return AlembicComparison(tuple(parts), tuple(differences))
        differences += [row for row in rows if any(is_about(row, part) for part in parts)]
    compared = (dataclasses.replace(part, compared_by_alembic=part.table is not None) for part in parts)
    return AlembicComparison(tuple(compared), tuple(differences))
