"""What env.py configured, kept for the time after the replay: for the models and for Alembic's comparison."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping, Optional

from .deferred_methods import dataclass
from .protocol.order import ContextPlace


@dataclass(frozen=True)
class EnvContext:
    """One context of env.py whose revisions have run."""

    options: Mapping[str, Any]
    """all options of the MigrationContext"""
    explicit_options: Mapping[str, Any]
    """those that env.py gave to `context.configure`, as opposed to the defaults of an Alembic version"""
    driver: str
    is_async: bool
    search_path: str
    """of the session, before the first revision: what a later session of env.py has again"""
    default_schema: str
    """where a table without a schema is"""
    schema_translation: Optional[Mapping[Optional[str], Optional[str]]]
    """the connection's schema_translate_map"""
    environment: Any = None
    """the EnvironmentContext of env.py"""

    @property
    def metadatas(self) -> tuple[Any, ...]:
        """The MetaData objects of target_metadata; none if it is missing."""
        return list_metadatas(self.options.get("target_metadata"))

    def translate_schema(self, schema: Optional[str]) -> Optional[str]:
        """The schema that stands for this one of the models."""
        return (self.schema_translation or {}).get(schema, schema)

    def qualified_name(self, table: Any) -> str:
        """`schema.name` of a table of the models, in the database."""
        return "%s.%s" % (self.translate_schema(table.schema) or self.default_schema, table.name)


def keep_context(
    context: Any,
    explicit_options: Mapping[str, Any],
    place: ContextPlace,
    schema_translation: Optional[Mapping[Optional[str], Optional[str]]],
) -> EnvContext:
    """What is needed of a MigrationContext when env.py has ended."""
    return EnvContext(
        options=dict(context.opts),
        explicit_options=dict(explicit_options),
        driver=context.dialect.driver,
        is_async=bool(getattr(context.dialect, "is_async", False)),
        search_path=place.search_path,
        default_schema=place.default_schema,
        schema_translation=schema_translation,
        environment=context.environment_context,
    )


def remember_options(environment: Any) -> dict[str, Any]:
    """The arguments of the last `context.configure` of this EnvironmentContext: a dict that follows them."""
    explicit_options: dict[str, Any] = {}
    configure = environment.configure

    def configure_and_remember(*positional: Any, **options: Any) -> None:
        explicit_options.clear()
        explicit_options.update(options)
        configure(*positional, **options)

    environment.configure = configure_and_remember
    return explicit_options


def name_tables(contexts: Iterable[EnvContext]) -> Iterator[tuple[Any, str]]:
    """Each Table of the contexts, and `schema.name` of what it becomes in the database."""
    for context in contexts:
        for metadata in context.metadatas:
            for table in metadata.tables.values():
                yield table, context.qualified_name(table)


def list_table_names(contexts: Iterable[EnvContext]) -> tuple[str, ...]:
    """`schema.name` of the tables of the contexts, sorted."""
    return tuple(sorted({name for _, name in name_tables(contexts)}))


def list_metadatas(target_metadata: Any) -> tuple[Any, ...]:
    """target_metadata as Alembic takes it: a MetaData, several, or None."""
    metadatas = target_metadata if isinstance(target_metadata, (list, tuple)) else [target_metadata]
    return tuple(metadata for metadata in metadatas if metadata is not None)


def make_migration_context(context: EnvContext, connection: Any, **changed_options: Any) -> Any:
    """A MigrationContext with env.py's options, for a connection of ours."""
    from alembic.migration import MigrationContext

    follow_search_path(connection, context)
    # `fn` gives the steps of the replay.
    options = {name: value for name, value in context.options.items() if name != "fn"}
    return MigrationContext.configure(
        connection=connection,
        environment_context=context.environment,
        opts={**options, **changed_options},
    )


def follow_search_path(connection: Any, context: EnvContext) -> None:
    """Have names without a schema mean what they meant in the migrations."""
    if context.search_path:
        quoted = context.search_path.replace("'", "''")
        connection.exec_driver_sql("select set_config('search_path', '%s', false)" % quoted)
