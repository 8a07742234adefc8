"""What the worker reports of the models, as facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from migration_gate.facts import (
    AlembicDifference,
    DeclaredOperation,
    FilteredObject,
    ImportedModule,
    Location,
    MappedColumn,
    MappedTable,
    ModelLocation,
    ModelObject,
    Models,
    ModelStatement,
    Unchecked,
    UncreatedObject,
)
from migration_gate.replay.failure_facts import describe_frame
from migration_gate.replay.repository_paths import RepositoryPaths
from migration_gate.replay.step_facts import parse_optional_snapshot
from migration_gate.worker.protocol import model_lines
from migration_gate.worker.protocol.history_lines import ScriptsFound
from migration_gate.worker.protocol.model_lines import ModelDdl, ModelsCreated, UncreatedPart

COLUMN_FIELDS = tuple(field.name for field in dataclasses.fields(model_lines.MappedColumn))
"""those of the fact are the same"""


def build_models(
    created: ModelsCreated,
    *,
    scripts: ScriptsFound | None,
    version_tables: Sequence[str],
    paths: RepositoryPaths,
) -> Models:
    """What env.py gave as target_metadata, without the snapshot of the database that it made.

    `version_tables` (`schema.name`) are left out of snapshots.
    """
    return Models(
        tables=created.tables,
        metadatas=created.metadatas,
        uncreated_objects=tuple(_build_uncreated_object(part) for part in created.uncreated),
        filtered_objects=_build_filtered_objects(created.filtered),
        alembic_differences=tuple(
            AlembicDifference(
                difference.operation,
                difference.table,
                difference.name,
                difference.database,
                difference.models,
                difference.columns,
            )
            for difference in created.alembic_differences
        ),
        locations=tuple(
            ModelLocation(mapped.table, Location(paths.shorten(mapped.file), mapped.line))
            for mapped in created.mapped_classes
        ),
        imported_modules=tuple(
            ImportedModule(module.name, paths.shorten(module.file)) for module in created.imported_modules
        ),
        installed_packages=created.installed_packages,
        ran_changed_files=created.ran_changed_files,
        environment_file=paths.shorten(f"{scripts.folder}/env.py") if scripts is not None else None,
        reflected_tables=created.reflected_tables,
        lost_tables=created.lost_tables,
        frozen_defaults=created.frozen_defaults,
        disabled_triggers=created.disabled_triggers,
        dismissed_objects=_build_filtered_objects(created.dismissed),
        declared_operations=tuple(
            DeclaredOperation(
                operation.label,
                operation.upgrade,
                operation.downgrade,
                operation.error,
                operation.upgrade_statements,
                operation.downgrade_statements,
            )
            for operation in created.declared
        ),
        declared_snapshot=parse_optional_snapshot(created.declared_catalog, version_tables),
        restored_snapshot=parse_optional_snapshot(created.restored_catalog, version_tables),
        problems=tuple(Unchecked(problem.object, problem.why) for problem in created.problems),
        mapped_tables=tuple(_build_mapped_table(table) for table in created.mapped_tables),
    )


def build_model_statement(statement: ModelDdl, paths: RepositoryPaths) -> ModelStatement:
    """What was built from the models at one place of the code."""
    frame = statement.frame
    return ModelStatement(
        step=statement.step,
        revision=statement.revision,
        stage=statement.stage,
        objects=tuple(ModelObject(item.kind, item.name, item.source) for item in statement.objects),
        is_executed=statement.is_executed,
        location=Location(paths.shorten(frame.file), frame.line) if frame is not None else None,
        code=statement.code,
        traceback=tuple(describe_frame(frame, paths) for frame in statement.frames),
    )


def _build_mapped_table(table: model_lines.MappedTable) -> MappedTable:
    columns = tuple(
        MappedColumn(**{name: getattr(column, name) for name in COLUMN_FIELDS}) for column in table.columns
    )
    return MappedTable(table.schema, table.name, table.classes, columns)


def _build_uncreated_object(part: UncreatedPart) -> UncreatedObject:
    return UncreatedObject(
        object=part.label,
        message=part.message,
        compared_by_alembic=part.compared_by_alembic,
        table=part.table,
        kind=part.kind,
        name=part.name,
        columns=part.columns,
    )


def _build_filtered_objects(items: Sequence[model_lines.FilteredObject]) -> tuple[FilteredObject, ...]:
    return tuple(
        FilteredObject(
            item.kind, item.schema, item.table, item.name or "", item.option, item.is_flagged, item.columns
        )
        for item in items
    )
