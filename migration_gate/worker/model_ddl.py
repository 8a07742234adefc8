"""Sees DDL that SQLAlchemy compiles from the project's own models while the history runs.

A revision that creates what the models are today is compared with itself. Where an element comes from is
known by its objects, not by its text: a table of target_metadata, a copy of one of its columns, the type of
one. `find_model_ddl` is asked when target_metadata is known, after the run.
"""

from __future__ import annotations

import dataclasses
import linecache
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Iterable, Iterator, Optional

from . import private_api
from .error_report import is_project_file
from .listener_guard import ListenerGuard
from .protocol import Frame, ModelDdl, ModelObject, Stage

OBSERVATION = "the look for what revisions build from the models"
MAX_FRAMES = 12
MAX_NESTING = 4
"""of types inside types"""
MAX_CODE = 200
"""characters of a line of source that are kept"""


@dataclass(frozen=True)
class RunPosition:
    """Where the run is."""

    stage: Stage
    step: int
    """number of the step that runs, or of the last one; 0 before the first"""
    revision: Optional[str]
    file: Optional[str]
    """of the revision that runs"""


@dataclass
class ObservedDdl:
    """A DDL element that was compiled or executed."""

    element: Any
    dialect: Any
    position: RunPosition
    frames: tuple[Frame, ...]
    """of the project, outermost first"""
    text: Optional[str]
    """what was compiled; None where SQLAlchemy executed the element itself"""
    is_executed: bool


class ModelDdlObserver:
    """Listens from its installation on."""

    def __init__(self, home: str, guard: ListenerGuard) -> None:
        self._home = home
        self._guard = guard
        self.is_active = True
        """set to False where what follows is the gate's own"""
        self._observed: list[ObservedDdl] = []
        self._compiled_only: list[ObservedDdl] = []
        """whose text was not yet seen in a statement"""
        self.position = RunPosition("prepare", 0, None, None)

    def install(self) -> None:
        """Listen on the class of all engines, and on the class of all DDL elements."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_execute", self._guard.wrap(OBSERVATION, self._before_execute))
        event.listen(Engine, "before_cursor_execute", self._guard.wrap(OBSERVATION, self._before_statement))
        private_api.observe_ddl_compilation(self._guard.wrap(OBSERVATION, self._on_compiled))
        private_api.remember_column_sources(self._guard.wrap(OBSERVATION, private_api.set_column_source))

    def move(self, **changed: Any) -> None:
        """The run is elsewhere: fields of `RunPosition`."""
        self.position = dataclasses.replace(self.position, **changed)

    def _before_execute(self, connection: Any, element: Any, *more: Any) -> None:
        if self.is_active and private_api.is_ddl_element(element):
            self._add(element, connection.dialect, None)

    def _on_compiled(self, element: Any, compiled: Any) -> None:
        is_new = not self._observed or self._observed[-1].element is not element
        if self.is_active and is_new:
            self._add(element, compiled.dialect, str(compiled).strip())

    def _add(self, element: Any, dialect: Any, text: Optional[str]) -> None:
        if type(element).__name__.startswith("Drop") or next(_list_items(element), None) is None:
            return
        frames = tuple(_list_project_frames(self._home))
        observed = ObservedDdl(element, dialect, self.position, frames, text, text is None)
        self._observed.append(observed)
        if text:
            self._compiled_only.append(observed)

    def _before_statement(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if self.is_active and self._compiled_only:
            for observed in self._compiled_only:
                observed.is_executed = observed.is_executed or (observed.text or "") in statement
            self._compiled_only = [observed for observed in self._compiled_only if not observed.is_executed]

    def find_model_ddl(self, metadatas: Iterable[Any]) -> tuple[ModelDdl, ...]:
        """What was built from these metadata, one entry for each place in the code."""
        models = ModelOrigins(metadatas)
        found: dict[Any, tuple[ObservedDdl, list[ModelObject]]] = {}
        for observed in self._observed:
            objects = list(models.list_model_objects(observed))
            if objects:
                position = observed.position
                key = (position, observed.frames, observed.is_executed)
                found.setdefault(key, (observed, []))[1].extend(objects)
        return tuple(_describe(observed, objects) for observed, objects in found.values())


def _describe(observed: ObservedDdl, objects: list[ModelObject]) -> ModelDdl:
    position = observed.position
    frame = _choose_frame(observed.frames, position.file)
    return ModelDdl(
        stage=position.stage,
        step=position.step,
        revision=position.revision,
        objects=tuple(_without_parts_of_tables(objects)),
        is_executed=observed.is_executed,
        frames=observed.frames,
        frame=frame,
        code=linecache.getline(frame.file, frame.line or 0).strip()[:MAX_CODE] if frame else "",
    )


def _choose_frame(frames: tuple[Frame, ...], revision_file: Optional[str]) -> Optional[Frame]:
    """That of the revision, else of the module that is being run: env.py, or one that it imports."""
    own = [frame for frame in frames if "site-packages" not in frame.file] or list(frames)
    modules = [frame.file for frame in own if frame.function == "<module>"]
    file = os.path.abspath(revision_file) if revision_file else modules[-1] if modules else None
    chosen = [frame for frame in own if frame.file == file] or own
    return chosen[-1] if chosen else None


def _without_parts_of_tables(objects: list[ModelObject]) -> list[ModelObject]:
    """Each object once; what a whole table brings with it is not named beside the table."""
    tables = [item for item in objects if item.kind == "table"]
    return list(dict.fromkeys(tables or objects))


# Where the objects of an element come from.


class ModelOrigins:
    """Tells whether an object belongs to the models, or was copied from them."""

    def __init__(self, metadatas: Iterable[Any]) -> None:
        # A project may empty its metadata at the end: its tables still name it.
        self._metadatas = list(metadatas)
        self._metadata_ids = {id(metadata) for metadata in self._metadatas}
        columns = [
            column
            for metadata in self._metadatas
            for table in metadata.tables.values()
            for column in table.columns
        ]
        self._column_ids = {id(private_api.find_column_source(column)) for column in columns}
        shared = {id(type_) for type_ in private_api.find_shared_types()}
        self._type_ids = {id(column.type) for column in columns} - shared
        types = [type_ for column in columns for type_ in _unwrap_type(column.type)]
        self._enums = {id(type_): type_ for type_ in types if hasattr(type_, "enums")}
        self._enum_classes = {
            enum_class
            for enum_class in (getattr(type_, "enum_class", None) for type_ in types)
            if enum_class is not None
        }

    def list_model_objects(self, observed: ObservedDdl) -> Iterator[ModelObject]:
        """What of the element is the models'."""
        element = observed.element
        for item in _list_items(element):
            if _is_table(item):
                yield from self._list_in_table(item)
            elif _is_column(item):
                table = _join_name(getattr(element, "schema", None), getattr(element, "table_name", None))
                yield from self._list_in_column(item, table or str(item.table))
            elif _is_type(item):
                yield from self._list_in_type(item, observed)
            elif self._is_of_models(getattr(item, "table", None)) or self._has_metadata(item):
                yield ModelObject("part", _name_item(item))

    def _list_in_table(self, table: Any) -> Iterator[ModelObject]:
        if self._is_of_models(table):
            yield ModelObject("table", _join_name(table.schema, table.name))
            return
        for column in table.columns:
            yield from self._list_in_column(column, _join_name(table.schema, table.name))

    def _list_in_column(self, column: Any, table: str) -> Iterator[ModelObject]:
        name = "%s.%s" % (table, column.name)
        if self._is_model_column(column):
            yield ModelObject("column", name)
            return
        for type_ in _unwrap_type(column.type):
            if self._has_labels_of_models(type_):
                yield ModelObject("labels", name, _name_class(type_))
                return
        if id(column.type) in self._type_ids:
            yield ModelObject("type", name)

    def _list_in_type(self, type_: Any, observed: ObservedDdl) -> Iterator[ModelObject]:
        """A type of its own: `CREATE TYPE`, or the new type of a column."""
        element = observed.element
        column = getattr(element, "column_name", None)
        if column:
            table = _join_name(getattr(element, "schema", None), getattr(element, "table_name", None))
            name = "%s.%s" % (table, column)
        else:
            name = _join_name(getattr(type_, "schema", None), getattr(type_, "name", None) or str(type_))
        for inner in _unwrap_type(type_):
            if self._has_labels_of_models(inner) or self._is_implementation(inner, observed.dialect):
                yield ModelObject("labels", name, _name_class(inner))
                return
        if id(type_) in self._type_ids:
            yield ModelObject("type", name)

    def _is_of_models(self, table: Any) -> bool:
        """Whether most of a table's columns are the models', or copies of theirs."""
        if table is None:
            return False
        if self._has_metadata(table):
            return True
        columns = list(table.columns)
        copied = sum(self._is_model_column(column) for column in columns)
        return copied > 0 and copied * 2 >= len(columns)

    def _has_metadata(self, item: Any) -> bool:
        return id(getattr(item, "metadata", None)) in self._metadata_ids

    def _is_model_column(self, column: Any) -> bool:
        source = private_api.find_column_source(column)
        return id(source) in self._column_ids or self._has_metadata(getattr(source, "table", None))

    def _has_labels_of_models(self, type_: Any) -> bool:
        if getattr(type_, "enum_class", None) is not None:
            return type_.enum_class in self._enum_classes
        return id(type_) in self._enums

    def _is_implementation(self, type_: Any, dialect: Any) -> bool:
        """Whether it is what a dialect uses in the place of an enum of the models."""
        if not hasattr(type_, "enums"):
            return False
        return any(known.dialect_impl(dialect) is type_ for known in self._enums.values())


def _list_items(element: Any) -> Iterator[Any]:
    """The objects that an element is about: SQLAlchemy's have one `element`, Alembic's a column or a type."""
    for attribute in ("element", "column", "type_"):
        item = getattr(element, attribute, None)
        if item is not None and not isinstance(item, str):
            yield item


def _is_table(item: Any) -> bool:
    return hasattr(item, "columns") and hasattr(item, "primary_key")


def _is_column(item: Any) -> bool:
    return hasattr(item, "server_default") and hasattr(item, "type")


def _is_type(item: Any) -> bool:
    return hasattr(item, "dialect_impl")


def _unwrap_type(type_: Any) -> Iterator[Any]:
    """The type, the type of an array's elements, and what a TypeDecorator is made of."""
    seen = 0
    while hasattr(type_, "dialect_impl") and not isinstance(type_, type) and seen < MAX_NESTING:
        yield type_
        # `impl` of a class of types is a class; of an instance, another instance.
        inner = getattr(type_, "item_type", None)
        type_ = inner if inner is not None else getattr(type_, "impl", None)
        seen += 1


def _name_class(type_: Any) -> str:
    enum_class = getattr(type_, "enum_class", None)
    return "" if enum_class is None else "%s.%s" % (enum_class.__module__, enum_class.__qualname__)


def _name_item(item: Any) -> str:
    table = getattr(item, "table", None)
    name = getattr(item, "name", None)
    if name is None:
        return str(getattr(table, "name", item))
    return _join_name(getattr(table, "schema", None) or getattr(item, "schema", None), name)


def _join_name(schema: Any, name: Any) -> str:
    """`schema.name`, as the models write it; '' for no name."""
    if name is None:
        return ""
    return "%s.%s" % (schema, name) if schema else str(name)


# Frames.


def _list_project_frames(home: str) -> list[Frame]:
    """The project's frames that are running, outermost first; of the callers of a greenlet too."""
    frames: list[Frame] = []
    for frame in _walk_frames():
        file = frame.f_code.co_filename
        if not file.startswith("<") and _is_of_project(file, home):
            frames.append(Frame(os.path.abspath(file), frame.f_lineno, frame.f_code.co_name))
    return frames[:MAX_FRAMES][::-1]


def _walk_frames() -> Iterator[Any]:
    """Every running frame, innermost first. SQLAlchemy's `run_sync` runs its function in a greenlet."""
    frame: Any = sys._getframe(1)
    greenlets = sys.modules.get("greenlet")
    current = greenlets.getcurrent() if greenlets is not None else None
    while frame is not None:
        while frame is not None:
            yield frame
            frame = frame.f_back
        current = getattr(current, "parent", None)
        frame = getattr(current, "gr_frame", None)


@lru_cache(maxsize=None)
def _is_of_project(file: str, home: str) -> bool:
    return is_project_file(file, home)
