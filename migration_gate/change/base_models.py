"""Examines the base with the replay of the change: only the base's own models and files are new."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from migration_gate.analysis.coverage_proof import measure_coverage
from migration_gate.catalog.snapshot_reader import read_snapshot
from migration_gate.change.base_messages import (
    Shared,
    SharedDatabase,
    SharedFolders,
    SharedReplay,
    SharedServer,
)
from migration_gate.config.relocation import Relocation
from migration_gate.config.settings import Settings
from migration_gate.facts import Facts, Replay, Tree
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project import find_project
from migration_gate.replay.dropped_name_uses import add_name_uses
from migration_gate.replay.model_facts import build_models
from migration_gate.replay.models_request import receive_models
from migration_gate.replay.replay_facts import compare_models_database
from migration_gate.replay.repository_paths import RepositoryPaths
from migration_gate.replay.worker_answer_stream import send_models_order
from migration_gate.replay.worker_order import WorkerTask
from migration_gate.replay.worker_process import start_worker
from migration_gate.scan.repository import read_repository
from migration_gate.scan.revision_files import read_revision_files_below
from migration_gate.worker.protocol.model_lines import ModelsCreated

MAX_FILES = 5000
"""read by the project's code; the worker names one more at most"""
Take = Callable[[], Shared]
"""waits for the next message"""


@dataclass(frozen=True, slots=True)
class SharedExamination:
    """The base, as the replay of the change and its own models show it."""

    facts: Facts
    files_read: tuple[str, ...] | None
    """what the project's code has read and imported: absolute paths; None if that is not known, or if what
    the new revisions made may have had a say in the facts"""


def examine_with_shared_replay(
    settings: Settings, relocation: Relocation, folder: Path, take: Take, *, may_be_kept: bool
) -> SharedExamination | None:
    """The facts of the base; None if the replay of the change does not show it, or its env.py fails.

    may_be_kept: `SharedExamination.files_read` is wanted.
    """
    project = find_project(settings)
    with (
        start_worker(project, settings, folder, with_models=True) as worker,
        ThreadPoolExecutor(1) as background,
    ):
        server = take()
        if not isinstance(server, SharedServer):
            return None
        task = WorkerTask("models", server.database, server.models_database, keeps_facts=may_be_kept)
        # Both import the project meanwhile, and wait for the database.
        stream = send_models_order(worker, project, settings, server.server, task)
        folders = take()
        if not isinstance(folders, SharedFolders):
            return None
        files = background.submit(_read_files, settings, relocation, folders)
        database = take()
        if not isinstance(database, SharedDatabase):
            return None
        created = receive_models(stream, database.request).created
        replay = take()
        if created is None or not isinstance(replay, SharedReplay):
            return None
        # Models that the change adds are not lost at the base, though the process that ran has them.
        lost_tables = tuple(name for name in created.lost_tables if name in replay.lost_tables)
        created = replace(created, lost_tables=lost_tables)
        if replay.has_new_revisions and _depends_on_revisions(created):
            return None
        facts = _compare(settings, server, created, replay.replay, files.result())
        return SharedExamination(facts, _list_files_read(created))


def _list_files_read(created: ModelsCreated) -> tuple[str, ...] | None:
    if _depends_on_revisions(created) or created.uncreated or not created.modules:
        return None
    if max(len(created.files_read), len(created.modules)) > MAX_FILES:
        return None
    return (*created.files_read, *created.modules, *created.module_folders)


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """The base's repository as text."""

    tree: Tree
    revision_paths: list[str]
    """absolute"""


def _read_files(settings: Settings, relocation: Relocation, folders: SharedFolders) -> BaseFiles:
    """The files of the base, whose revisions are where those of the change are."""
    sources = read_revision_files_below(
        [relocation.relocate_path(folder) for folder in folders.folders],
        relocation.relocate_path(folders.environment),
        relocation.new_top,
    )
    paths = [str(relocation.new_top / source.file.path) for source in sources]
    return BaseFiles(read_repository(settings, paths), paths)


def _depends_on_revisions(created: ModelsCreated) -> bool:
    """Whether new revisions may have had a say in the models, or in what differs from them.

    They made a part of the database that was read, or of target_metadata in the process that ran them.
    """
    is_from_database = bool(created.alembic_differences or created.declared or created.reflected_tables)
    return is_from_database or bool(created.lost_tables)


def _compare(
    settings: Settings, server: SharedServer, created: ModelsCreated, replay: Replay, files: BaseFiles
) -> Facts:
    paths = RepositoryPaths(find_repository_root(settings.root))
    models = build_models(created, scripts=None, version_tables=replay.version_tables, paths=paths)
    models = replace(models, environment_file=replay.models.environment_file)
    replay = replace(replay, models=models)
    if models.tables:
        with server.server.connect(server.models_database) as connection:
            snapshot = read_snapshot(connection, replay.version_tables)
        replay = compare_models_database(snapshot, replay, files.tree).replay
        if replay.differences:
            from migration_gate.replay.offered_fixes import (  # noqa: PLC0415 - Alembic's renderer
                describe_without_fixes,
            )

            replay = describe_without_fixes(replay)
    tree = add_name_uses(files.tree, replay, settings.root, files.revision_paths)
    replay = replace(replay, coverage=measure_coverage(replay))
    return Facts(settings.name, replay, tree, settings.owners)
