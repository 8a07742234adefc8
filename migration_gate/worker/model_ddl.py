"""Sees DDL that SQLAlchemy compiles from the project's own models while the history runs.

A revision that creates what the models are today is compared with itself. Where an element comes from is
known by its objects, not by its text: a table of target_metadata, a copy of one of its columns, the type of
one. `find_model_ddl` is asked when target_metadata is known, after the run.
"""

from __future__ import annotations

import linecache
import os
from typing import Any, Iterable, Optional, Sequence

from . import column_sources, private_api
from .deferred_methods import dataclass
from .listener_guard import ListenerGuard
from .model_origins import ModelOrigins, list_items
from .protocol.model_lines import ModelDdl, ModelObject
from .protocol.reported_error import Frame
from .protocol.run_lines import Stage
from .running_frames import list_project_frames

OBSERVATION = "the look for what revisions build from the models"
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
    """what was compiled; None if SQLAlchemy executed the element itself"""
    is_executed: bool


class ModelDdlObserver:
    """Listens from its installation on."""

    def __init__(self, home: str, guard: ListenerGuard) -> None:
        self._home = home
        self._guard = guard
        self.is_active = True
        """set to False if what follows is the gate's own"""
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
        private_api.remember_column_sources(self._guard.wrap(OBSERVATION, column_sources.set_column_source))

    def begin_stage(self, stage: Stage) -> None:
        """What is observed from now on belongs to this stage."""
        self.position = RunPosition(stage, self.position.step, None, None)

    def begin_step(self, number: int, revision: str, file: Optional[str]) -> None:
        """It belongs to this step."""
        self.position = RunPosition(self.position.stage, number, revision, file)

    def end_step(self) -> None:
        """It belongs to no revision."""
        self.position = RunPosition(self.position.stage, self.position.step, None, None)

    def _before_execute(self, connection: Any, element: Any, *more: Any) -> None:
        if self.is_active and private_api.is_ddl_element(element):
            self._add_observed(element, connection.dialect, None)

    def _on_compiled(self, element: Any, compiled: Any) -> None:
        # SQLAlchemy compiles what it executes: then `_before_execute` has added it already.
        is_new = not self._observed or self._observed[-1].element is not element
        if self.is_active and is_new:
            self._add_observed(element, compiled.dialect, str(compiled).strip())

    def _add_observed(self, element: Any, dialect: Any, text: Optional[str]) -> None:
        has_items = next(list_items(element), None) is not None
        if not has_items or type(element).__name__.startswith("Drop"):
            return
        frames = tuple(list_project_frames(self._home))
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
        by_place: dict[Any, tuple[ObservedDdl, list[ModelObject]]] = {}
        for observed in self._observed:
            objects = list(models.list_model_objects(observed.element, observed.dialect))
            if objects:
                key = (observed.position, observed.frames, observed.is_executed)
                by_place.setdefault(key, (observed, []))[1].extend(objects)
        return tuple(_describe_model_ddl(observed, objects) for observed, objects in by_place.values())


def _describe_model_ddl(observed: ObservedDdl, objects: list[ModelObject]) -> ModelDdl:
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
    if not own:
        return None
    file = os.path.abspath(revision_file) if revision_file else _find_run_module(own)
    return next((frame for frame in reversed(own) if frame.file == file), own[-1])


def _find_run_module(frames: Sequence[Frame]) -> Optional[str]:
    """The innermost file whose top level runs."""
    return next((frame.file for frame in reversed(frames) if frame.function == "<module>"), None)


def _without_parts_of_tables(objects: list[ModelObject]) -> list[ModelObject]:
    """Each object once; what a whole table brings with it is not named beside the table."""
    tables = [item for item in objects if item.kind == "table"]
    return list(dict.fromkeys(tables or objects))
