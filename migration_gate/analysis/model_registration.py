"""Which models of the repository's text are in the metadata that env.py gave to Alembic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from migration_gate.facts import Difference, Location, ModelDefinition, Replay, SchemaChange, Table, Tree
from migration_gate.lazy_dataclass import dataclass

_SCRIPT_FOLDER = re.compile(r"(?:^|/)(?:scripts?|tools?|bin|hack|devtools|notebooks?|playground|sandbox)/")
"""folders of programs that are no part of the application"""
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class UnregisteredModel:
    """A model whose module env.py does not import."""

    definition: ModelDefinition
    name: str
    """of its table; if the text does not tell it, the table of the migrations that fits the class"""
    table: Table | None
    """what the migrations make for it"""

    def __str__(self) -> str:
        return str(self.table) if self.table is not None else _display_name(self.definition.schema, self.name)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Models that may be those of a project whose metadata holds none."""

    imported: tuple[ModelDefinition, ...]
    missing: tuple[ModelDefinition, ...]
    """their modules were not imported"""


@dataclass(frozen=True)
class ModelRegistration:
    """The models as text beside the metadata that env.py passed."""

    replay: Replay
    tree: Tree

    @cached_property
    def unregistered(self) -> tuple[UnregisteredModel, ...]:
        """Models that belong to the passed metadata, in modules that were not imported; each table once."""
        models: dict[str, UnregisteredModel] = {}
        # Reversed, so that the first definition of a table stays.
        for definition in reversed(self.tree.model_definitions):
            model = self._describe_unregistered(definition) if self._is_left_out(definition) else None
            if model is not None:
                models[str(model)] = model
        return tuple(models[name] for name in sorted(models))

    @cached_property
    def removed(self) -> tuple[ModelDefinition, ...]:
        """Models that belong to the passed metadata, whose modules were imported, and that it lacks."""
        return tuple(filter(self._is_removed, self.tree.model_definitions))

    @cached_property
    def registered(self) -> tuple[ModelDefinition, ...]:
        """Models that are in the passed metadata."""
        return tuple(
            definition
            for definition in self.tree.model_definitions
            if self.is_imported(definition) and self.is_registered(definition)
        )

    @cached_property
    def candidates(self) -> Candidates:
        """All models of the application's text, of whatever metadata, by whether they were imported."""
        definitions = [
            definition
            for definition in self.tree.model_definitions
            if definition.metadata and _is_of_application(definition)
        ]
        return Candidates(
            imported=tuple(filter(self.is_imported, definitions)),
            missing=tuple(definition for definition in definitions if not self.is_imported(definition)),
        )

    def is_imported(self, definition: ModelDefinition) -> bool:
        """Whether its module was imported, from the repository or from an installed copy of it."""
        if definition.location.file in self._imported_files:
            return True
        return any(name in self._installed_modules for name in _list_names(definition.module))

    def is_registered(self, definition: ModelDefinition) -> bool:
        """Whether its table is in the metadata; a class may have another name there than its text says."""
        if definition.location in self._mapped_places:
            return True
        if definition.schema in self._schemas:
            return (definition.schema, definition.table) in self._tables
        return any(name == definition.table for _, name in self._tables)

    def find_registered_table(self, definition: ModelDefinition) -> str | None:
        """`schema.name` of its table in the metadata."""
        for model in self.replay.models.locations:
            if model.location == definition.location:
                return model.table
        names = (
            f"{schema}.{name}"
            for schema, name in self._tables
            if name == definition.table and definition.schema in (None, schema)
        )
        return next(names, None)

    def is_of_other_models(self, change: SchemaChange) -> bool:
        """Whether code that changes the schema is about models of another metadata than the passed one."""
        if not self.metadatas:
            return False
        definitions = self.tree.model_definitions
        if change.metadata:
            is_known = any(item.metadata == change.metadata for item in definitions)
            return is_known and change.metadata not in self.metadatas
        if change.kind != "ddl event":
            return False
        in_file = {item.metadata for item in definitions if item.location.file == change.location.file}
        return bool(in_file) and in_file.isdisjoint(self.metadatas)

    def explains_difference(self, difference: Difference) -> bool:
        """Whether the difference is that the migrations make what only unregistered models need.

        That is their tables, and the types and sequences that no other table uses.
        """
        if difference.models is not None or not self._unregistered_tables:
            return False
        if difference.kind in ("enum", "type definition", "sequence"):
            return self._is_used_by_unregistered_alone(difference.object)
        return difference.table in self._unregistered_tables

    def _is_used_by_unregistered_alone(self, name: str) -> bool:
        """Whether each column that uses this type or sequence is in a table of an unregistered model."""
        word = re.compile(rf"(?<!\w){re.escape(name.rpartition('.')[2])}(?!\w)")
        users = {
            column.full_table_name
            for column in self.replay.catalog.columns
            if word.search(f"{column.type} {column.default}")
        }
        return bool(users) and users <= self._unregistered_tables

    @cached_property
    def _unregistered_tables(self) -> frozenset[str]:
        tables = (model.table for model in self.unregistered if model.table is not None)
        return frozenset(table.full_name for table in tables)

    @cached_property
    def _tables(self) -> frozenset[tuple[str, str]]:
        """Schema and name of each table of the metadata."""
        return frozenset(_split_name(name) for name in self.replay.models.tables)

    @cached_property
    def _schemas(self) -> frozenset[str | None]:
        return frozenset(schema for schema, _ in self._tables)

    @cached_property
    def _mapped_places(self) -> frozenset[Location]:
        return frozenset(model.location for model in self.replay.models.locations)

    @cached_property
    def _imported_files(self) -> frozenset[str]:
        return frozenset(module.file for module in self.replay.models.imported_modules)

    @cached_property
    def _installed_modules(self) -> frozenset[str]:
        modules = self.replay.models.imported_modules
        return frozenset(module.name for module in modules if module.file.startswith("/"))

    @cached_property
    def metadatas(self) -> frozenset[str]:
        """The names of the MetaData objects that env.py passed, by the models in them."""
        return frozenset(definition.metadata for definition in self.registered if definition.metadata)

    def _is_removed(self, definition: ModelDefinition) -> bool:
        """Whether it should be in the passed metadata: its module was imported."""
        if not definition.table or definition.is_conditional or definition.metadata not in self.metadatas:
            return False
        return self.is_imported(definition) and not self.is_registered(definition)

    def _is_left_out(self, definition: ModelDefinition) -> bool:
        """Whether it would be in the passed metadata, if its module were imported."""
        return (
            definition.metadata in self.metadatas
            and not definition.is_skipped
            and not self.is_imported(definition)
            and not (definition.table and self.is_registered(definition))
        )

    def _describe_unregistered(self, definition: ModelDefinition) -> UnregisteredModel | None:
        """The model with its table; None if it is not known to be one that the migrations should know."""
        table = self._find_table(definition)
        if table is not None:
            return UnregisteredModel(definition, table.name, table)
        is_view = any(view.name == definition.table for view in self.replay.catalog.views)
        is_made_elsewhere = definition.table in self.tree.other_tables
        if not definition.table or is_view or is_made_elsewhere or not _is_of_application(definition):
            return None
        return UnregisteredModel(definition, definition.table, None)

    def _find_table(self, definition: ModelDefinition) -> Table | None:
        """The replayed table that the model describes and that no registered model describes."""
        names = [definition.table] if definition.table else list(_guess_names(definition.class_name))
        tables = (
            table
            for table in self.replay.catalog.tables
            if table.name in names
            and definition.schema in (None, table.schema)
            and (table.schema, table.name) not in self._tables
        )
        return next(tables, None)


def _is_of_application(definition: ModelDefinition) -> bool:
    """Whether running the application is sure to define it; scripts may have models of their own."""
    return not definition.is_conditional and not _SCRIPT_FOLDER.search(definition.location.file)


def _split_name(qualified_name: str) -> tuple[str, str]:
    schema, _, name = qualified_name.partition(".")
    return schema, name


def _display_name(schema: str | None, name: str) -> str:
    return name if schema in (None, "public") else f"{schema}.{name}"


def _list_names(module: str) -> Iterator[str]:
    """The names by which a module may be imported: with fewer and fewer of its folders."""
    parts = module.split(".")
    return (".".join(parts[start:]) for start in range(max(len(parts) - 1, 1)))


def _guess_names(class_name: str) -> Iterable[str]:
    """The tables that a class without a known one may have: `UserGroup` may be `user_groups`."""
    snake_case = _WORD.sub("_", class_name).lower()
    singular = (snake_case, class_name.lower())
    plural = (f"{name[:-1]}ies" if name.endswith("y") else f"{name}s" for name in singular)
    return (*singular, *plural) if class_name else ()
