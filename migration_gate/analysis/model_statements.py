"""DDL that was compiled from the project's own models while the history ran, one group for each place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from migration_gate.facts import ModelObject, ModelObjectKind, ModelStatement, Replay
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import split_qualified_name

INSTALLED = "/site-packages/"
"""in the path of a file of an installed package"""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one revision, or one file that no revision ran, built from the models."""

    revision: str | None
    file: str
    """of the place that is shown; '' if no frame of the project's is known"""
    statements: tuple[ModelStatement, ...]
    """in their order, at least one"""
    objects: tuple[ModelObject, ...]
    """of all statements, each once"""

    def select_kind(self, *kinds: ModelObjectKind) -> ModelUse | None:
        """What is about objects of these kinds, with the statements that built them; None for nothing."""
        objects = tuple(item for item in self.objects if item.kind in kinds)
        statements = (s for s in self.statements if any(item.kind in kinds for item in s.objects))
        return replace(self, statements=tuple(statements), objects=objects) if objects else None

    @property
    def is_before_history(self) -> bool:
        """Whether it ran before the first revision."""
        return self.statements[0].step == 0


def find_model_uses(replay: Replay) -> tuple[ModelUse, ...]:
    """What took effect on the server, by revision; by file if no revision ran."""
    groups: dict[tuple[str | None, str, bool], list[ModelStatement]] = defaultdict(list)
    for statement in replay.model_statements:
        if statement.is_executed or _is_in_log(replay, statement):
            file = statement.location.file if statement.location else ""
            # One use for a revision, whatever files of the project its statements came through.
            file_of_group = "" if statement.revision is not None else file
            groups[statement.revision, file_of_group, statement.step == 0].append(statement)
    return tuple(
        ModelUse(revision, _first_file(statements), tuple(statements), tuple(_list_objects(statements)))
        for (revision, _, _), statements in groups.items()
    )


def _first_file(statements: list[ModelStatement]) -> str:
    return next((statement.location.file for statement in statements if statement.location), "")


def _list_objects(statements: Iterable[ModelStatement]) -> Iterator[ModelObject]:
    """Each object once. A part of a table is not named if the table itself is."""
    objects = dict.fromkeys(item for statement in statements for item in statement.objects)
    tables = {item.name for item in objects if item.kind == "table"}
    for item in objects:
        if item.kind in ("table", "part") or item.name.rpartition(".")[0] not in tables:
            yield item


def _is_in_log(replay: Replay, statement: ModelStatement) -> bool:
    """Whether the server made or changed one of the objects in the same step, by their names."""
    names = {_table_name(item) for item in statement.objects}
    return any(
        command.step == statement.step
        and command.identity
        and split_qualified_name(command.identity)[-1] in names
        for command in replay.ddl_commands
    )


def _table_name(item: ModelObject) -> str:
    """The name of the table, or of the index or type, without its schema."""
    parts = item.name.split(".")
    return parts[-1] if item.kind in ("table", "part") or len(parts) == 1 else parts[-2]


def is_of_installed_package(replay: Replay, use: ModelUse) -> bool:
    """Whether installed packages define the models, and no code of the project's own is known to.

    A framework that creates the tables of its own models when the application starts is such a case.
    """
    if use.revision is not None:
        return False
    names = {item.name for item in use.objects if item.kind == "table"}
    files = [
        model.location.file
        for model in replay.models.locations
        if model.table in names or model.table.partition(".")[2] in names
    ]
    return bool(files) and all(INSTALLED in file for file in files)
