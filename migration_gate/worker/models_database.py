"""The models as a database: in a copy of the replayed one, its tables are dropped and the models created."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, Mapping, NamedTuple, Optional, Sequence

from .alembic_comparison import find_alembic_differences, is_about
from .answer_stream import AnswerStream
from .env_context import EnvContext, follow_search_path, list_table_names, name_tables
from .imported_modules import find_imported_modules, list_installed_packages
from .mapped_tables import describe_mapped_tables
from .model_creation import RefusedPart, create_models
from .model_locations import find_mapped_classes
from .model_types import find_contradictions
from .moment_strings import find_frozen_defaults
from .own_connection import OwnConnections
from .project_check import ProjectCheck
from .protocol.model_lines import (
    AlembicDifference,
    MappedTable,
    ModelsCreated,
    ModelsProblem,
    UncreatedPart,
)
from .protocol.order import Order
from .redirection import Redirection
from .replaced_objects import (
    LostRoutines,
    disable_event_triggers,
    drop_relations,
    drop_types_and_sequences,
)
from .used_files import FilesUsed, UsedFiles

END_OTHER_SESSIONS = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


class AlembicComparison(NamedTuple):
    """What Alembic's own comparison was used for."""

    parts: tuple[UncreatedPart, ...]
    differences: tuple[AlembicDifference, ...]


class ModelsDatabase:
    """The copy of the replayed database in which the models are created."""

    def __init__(
        self,
        order: Order,
        redirection: Redirection,
        answer: AnswerStream,
        files_used: Optional[FilesUsed] = None,
    ) -> None:
        """`files_used`: to be sent if the gate may keep the answer."""
        self._order = order
        self._answer = answer
        self._files_used = files_used
        self._connections = OwnConnections(redirection)

    def create_models(
        self,
        all_contexts: Sequence[EnvContext],
        reflected: Mapping[int, Any],
        lost_tables: tuple[str, ...],
        *,
        describes_tables: bool,
        ran_changed_files: bool = True,
    ) -> None:
        """Create what the contexts of env.py have as target_metadata, and send what came of it.

        `reflected`: the tables that were read from the database, by `id()`. `describes_tables`: say what
        statements name of each table. `ran_changed_files`: whether code of the change's files was run; where
        revisions were, that is taken for granted.
        """
        order, connections = self._order, self._connections
        contexts = _distinct_contexts(all_contexts)
        metadatas = len({id(metadata) for context in contexts for metadata in context.metadatas})
        tables = list_table_names(contexts)
        if not tables:
            imported, used = find_imported_modules(), self._list_used()
            self._answer.send(
                ModelsCreated(
                    metadatas,
                    tables,
                    lost_tables=lost_tables,
                    imported_modules=imported,
                    ran_changed_files=ran_changed_files,
                    files_read=used.files,
                    modules=used.modules,
                    module_folders=used.folders,
                )
            )
            return
        check = ProjectCheck(order, connections)
        for context in contexts:
            check.check_context(context)
        creation = ModelsCreation(contexts, describes_tables=describes_tables)
        parts = creation.create_models(order, connections)
        comparison = _compare_with_alembic(order, connections, contexts, parts)
        used = self._list_used()
        named_tables = list(name_tables(contexts))
        reflected_tables = {name for table, name in named_tables if id(table) in reflected}
        self._answer.send(
            ModelsCreated(
                metadatas=metadatas,
                tables=tables,
                uncreated=comparison.parts,
                filtered=tuple(check.comparison.filtered),
                alembic_differences=comparison.differences,
                mapped_classes=find_mapped_classes({id(table): name for table, name in named_tables}),
                reflected_tables=tuple(sorted(reflected_tables)),
                lost_tables=lost_tables,
                frozen_defaults=tuple(find_frozen_defaults(contexts)),
                imported_modules=find_imported_modules(),
                installed_packages=list_installed_packages(),
                ran_changed_files=ran_changed_files,
                disabled_triggers=creation.disabled_triggers,
                dismissed=tuple(check.comparison.dismissed),
                declared=check.declared.operations,
                declared_catalog=check.declared.catalog,
                restored_catalog=check.declared.restored_catalog,
                problems=tuple(dict.fromkeys((*check.comparison.problems, *creation.problems))),
                mapped_tables=tuple(creation.mapped_tables.values()),
                files_read=used.files,
                modules=used.modules,
                module_folders=used.folders,
            )
        )

    def _list_used(self) -> UsedFiles:
        return self._files_used.list_used() if self._files_used is not None else UsedFiles()


def _distinct_contexts(contexts: Sequence[EnvContext]) -> list[EnvContext]:
    """One of each kind: a loop over tenants configures the same metadata for many schemas."""
    distinct: dict[Any, EnvContext] = {}
    for context in contexts:
        metadata_ids = tuple(id(metadata) for metadata in context.metadatas)
        distinct.setdefault((metadata_ids, context.search_path, str(context.schema_translation)), context)
    return list(distinct.values())


class ModelsCreation:
    """Creates the models of all contexts, where the replayed tables were."""

    def __init__(self, contexts: Sequence[EnvContext], *, describes_tables: bool) -> None:
        """`describes_tables`: fill `mapped_tables`."""
        self._contexts = contexts
        self._describes_tables = describes_tables
        self._lost_routines = LostRoutines()
        self.disabled_triggers: tuple[str, ...] = ()
        """event triggers of the migrations"""
        self.problems: list[ModelsProblem] = []
        self.mapped_tables: dict[tuple[str, str], MappedTable] = {}
        """by schema and name in the database"""

    def create_models(self, order: Order, connections: OwnConnections) -> list[UncreatedPart]:
        """Drop what is there and create the models of each context; what Postgres refused."""
        parts: list[UncreatedPart] = []
        for context in self._contexts:
            refused = connections.run(order.models_database, context, partial(self._create_context, context))
            parts += [_build_uncreated_part(part, context) for part in refused]
        return parts

    def _create_context(self, context: EnvContext, connection: Any) -> list[RefusedPart]:
        if context is self._contexts[0]:
            # Those that env.py has open in the copy may hold locks on its tables.
            connection.exec_driver_sql(END_OTHER_SESSIONS).fetchall()
            # Everything is dropped before the first: one context may use what another one creates.
            self._drop_replaced(connection)
        for metadata in context.metadatas:
            self.problems += find_contradictions(metadata, connection.dialect)
        if self._describes_tables:
            tables = describe_mapped_tables(context, connection.dialect)
            self.mapped_tables.update({(table.schema, table.name): table for table in tables})
        follow_search_path(connection, context)
        create_schemas(connection, context)
        if context.schema_translation:
            connection = connection.execution_options(schema_translate_map=context.schema_translation)
        return create_models(connection, context.metadatas, self._lost_routines)

    def _drop_replaced(self, connection: Any) -> None:
        self.disabled_triggers = disable_event_triggers(connection)
        self._lost_routines.remember(connection)
        drop_relations(connection)
        for context in self._contexts:
            follow_search_path(connection, context)
            drop_types_and_sequences(connection, context)
        self._lost_routines.keep_lost(connection)


def create_schemas(connection: Any, context: EnvContext) -> None:
    """Create the schemas that the tables are in, which no migration may have made."""
    quote = connection.dialect.identifier_preparer.quote
    schemas = {table.schema for metadata in context.metadatas for table in metadata.tables.values()}
    for schema in sorted(str(context.translate_schema(name)) for name in schemas if name):
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS %s" % quote(schema).replace("%", "%%"))


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
    """Compare the tables of uncreated parts with Alembic instead; no part is compared if that fails."""
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
