"""What the parts of one examination share, once its worker has been started."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.config.settings import Settings
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project import Project
from migration_gate.replay.worker_process import WorkerProcess

if TYPE_CHECKING:  # nothing takes longer than the worker's import of SQLAlchemy: little is loaded before
    from migration_gate.change.base_examination import BaseExamination
    from migration_gate.change.base_policy import JudgingPolicy
    from migration_gate.checkpoint.checkpoint_run import CheckpointRun
    from migration_gate.ci.base_revision import Comparison


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """What the parts of one examination share."""

    settings: Settings
    project: Project
    folder: Path
    """of this run"""
    worker: WorkerProcess
    background: ThreadPoolExecutor
    comparison: Future[Comparison]
    policy: Future[JudgingPolicy]
    base: BaseExamination | None
    checkpoint: CheckpointRun | None
    notes: tuple[str, ...]
    """on the start of the project"""
    sends_ahead: bool
    """see `ReplaySetup`"""
    later_modules: tuple[str, ...]
