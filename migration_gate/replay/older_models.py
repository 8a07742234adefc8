"""Creates the tables of an older commit's models, and stamps them: `start_from: {create_all: COMMIT}`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from migration_gate.config.relocation import Relocation
from migration_gate.config.settings import Settings
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tree_export import export_revision
from migration_gate.postgres.folder_remover import announce_folder
from migration_gate.project import find_project
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.verification import verify_bootstrap
from migration_gate.replay.worker_answer import AnswerReader
from migration_gate.replay.worker_answer_stream import send_order
from migration_gate.replay.worker_process import start_worker


def create_older_models(setup: ReplaySetup, commit: str, stamp: str) -> tuple[str, ...]:
    """Run a worker on a checkout of the commit; notes for the report.

    `stamp` is the revision that its models stand at, as Alembic names it there.
    Raises RepositoryUnreadable if git lacks the commit, and what a worker and `find_project` raise.
    """
    with _older_checkout(setup.settings, commit) as older_settings:
        project = find_project(older_settings)
        with start_worker(project, older_settings, setup.run_directory) as worker:
            task = setup.build_task("bootstrap", stamp)
            stream = send_order(worker, project, older_settings, setup.server, task)
            answer = AnswerReader(older_settings.root, list(stream))
        verify_bootstrap(project, answer, stream.output)
    return (*worker.notes, f"the replay began with the models of {commit}, stamped as {stamp}")


@contextmanager
def _older_checkout(settings: Settings, commit: str) -> Iterator[Settings]:
    """The settings for a temporary checkout of the commit, which every user may read."""
    with tempfile.TemporaryDirectory(prefix="migration-gate-base-") as name:
        checkout = Path(name).resolve()
        announce_folder(checkout)
        checkout.chmod(0o755)
        export_revision(settings.root, commit, checkout)
        relocation = Relocation(find_repository_root(settings.root), checkout)
        python = settings.python or find_project(settings).python
        yield replace(relocation.relocate_settings(settings, python), start_from=None, prepare=())
