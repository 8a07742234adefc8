"""What env.py configured, kept for the time after the replay: for the models and for Alembic's comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional


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

    @property
    def metadatas(self) -> tuple[Any, ...]:
        """The MetaData objects of target_metadata; none where it is missing."""
        return list_metadatas(self.options.get("target_metadata"))

    def translate_schema(self, schema: Optional[str]) -> Optional[str]:
        """The schema that stands for this one of the models."""
        return (self.schema_translation or {}).get(schema, schema)

    def qualified_name(self, table: Any) -> str:
        """`schema.name` of a table of the models, in the database."""
        return "%s.%s" % (self.translate_schema(table.schema) or self.default_schema, table.name)


def list_metadatas(target_metadata: Any) -> tuple[Any, ...]:
    """target_metadata as Alembic takes it: a MetaData, several, or None."""
    metadatas = target_metadata if isinstance(target_metadata, (list, tuple)) else [target_metadata]
    return tuple(metadata for metadata in metadatas if metadata is not None)


def follow_search_path(connection: Any, context: EnvContext) -> None:
    """Have names without a schema mean what they meant in the migrations."""
    if context.search_path:
        quoted = context.search_path.replace("'", "''")
        connection.exec_driver_sql("select set_config('search_path', '%s', false)" % quoted)
