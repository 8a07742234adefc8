"""Examines the project at the base of a change. Runs in a process of its own: see `base_examination`."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, NoReturn, TypeVar

from migration_gate.change.base_messages import BaseAnswer, BaseInputs, BaseRequest, Shared
from migration_gate.change.base_models import SharedExamination, examine_with_shared_replay
from migration_gate.change.base_settings import build_base_settings, has_environment
from migration_gate.change.earlier_files import find_earlier_files
from migration_gate.change.revision_dependencies import (
    REVISION_MARK,
    depends_on_changes,
    list_essential_paths,
)
from migration_gate.checkpoint.dependencies import INSTALLED_FOLDERS, Dependency, compute_outside_digest
from migration_gate.ci.base_revision import BaseRevision, Comparison, FileChange
from migration_gate.ci.known_revisions import KnownRevisions
from migration_gate.config.relocation import Relocation
from migration_gate.config.settings import Settings
from migration_gate.errors import (
    AnswerCorrupted,
    Broken,
    DiskFull,
    GateError,
    PostgresNotFound,
    ProjectNotFound,
    TimedOut,
)
from migration_gate.facts import Facts
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tree_export import export_revision, read_exported_paths
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.postgres.url import SCHEME
from migration_gate.progress import Progress
from migration_gate.project import find_project
from migration_gate.replay.examination import examine_project
from migration_gate.verdict.comment_files import read_comment_files

T = TypeVar("T")
NICENESS = 5
"""the replay of the change goes first: it takes longer"""
NO_BASE = BaseRevision(None, "it is the base")
TROUBLES = (Broken, DiskFull, PostgresNotFound, TimedOut)
"""what happens to a run, whatever the base's code is: another run may well go on"""


class _MustBeAlone(Exception):
    """The base needs a replay of its own, on a server that is in use."""


class SharedMessages:
    """What the gate shares, as it comes; this process ends when the gate does, however that happens."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._messages: SimpleQueue[Shared] = SimpleQueue()
        threading.Thread(target=self._receive, args=(pipe,), daemon=True).start()

    def take(self) -> Shared:
        """The next message."""
        return self._messages.get()

    def _receive(self, pipe: BinaryIO) -> None:
        while True:
            try:
                self._messages.put(pickle.load(pipe))  # noqa: S301 - from the process that started this one
            except (EOFError, pickle.UnpicklingError):
                os.kill(os.getpid(), signal.SIGTERM)
                return


def answer_request() -> NoReturn:
    """Read a request from standard input, answer it, and end the process."""
    os.nice(NICENESS)
    request = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    assert isinstance(request, BaseRequest)  # noqa: S101 - tells mypy
    messages = SharedMessages(sys.stdin.buffer)
    with os.fdopen(request.answer, "wb") as stream:
        pickle.dump(_answer(request, messages), stream)
    os._exit(0)  # the thread that reads standard input would keep the interpreter from ending in order


def _answer_error(error: GateError) -> BaseAnswer:
    """What the base's code does in every run is its own failure: the change may be the one that mends it."""
    if isinstance(error, TROUBLES) and not isinstance(error, AnswerCorrupted):
        return BaseAnswer(trouble=error)
    return BaseAnswer(failure=error.message)


def _answer(request: BaseRequest, messages: SharedMessages) -> BaseAnswer:
    with temporary_run_directory() as folder:
        tree = (folder / "tree").resolve()
        tree.mkdir()
        try:
            export_revision(request.settings.root, request.commit, tree)
            settings = build_base_settings(request.settings, request.python, tree)
            started = time.time()
            examination = _examine_base(request, settings, tree, messages)
            facts = examination.facts
            require_own_files(facts, find_repository_root(request.settings.root), tree)
            inputs = _find_inputs(examination, settings, tree, started)
        except ProjectNotFound as error:
            return BaseAnswer(failure=error.message, is_new_project=not has_environment(tree))
        except GateError as error:
            return _answer_error(error)
        except _MustBeAlone:
            return BaseAnswer(must_be_alone=True)
        except Exception as error:  # noqa: BLE001 - a bug of ours, which the report names
            message = f"{type(error).__name__}: {error}"
            return BaseAnswer(trouble=Broken(message, evidence=traceback.format_exc()))
        texts = read_comment_files(facts, tree)
        return BaseAnswer(facts, comment_texts=tuple(texts.items()), inputs=inputs)


def _examine_base(
    request: BaseRequest, settings: Settings, tree: Path, messages: SharedMessages
) -> SharedExamination:
    if not request.is_alone and not _changes_replay(request, settings, tree):
        relocation = Relocation(find_repository_root(request.settings.root), tree)
        examination = examine_with_shared_replay(
            settings, relocation, tree.parent, messages.take, may_be_kept=request.may_be_kept
        )
        if examination is not None:
            return examination
    if SCHEME.match(settings.postgres) and not request.is_alone:
        raise _MustBeAlone
    facts = _exhaust(examine_project(settings, change=_describe_edits(request, tree)))
    return SharedExamination(facts, files_read=None)


def _find_inputs(
    examination: SharedExamination, settings: Settings, tree: Path, started: float
) -> BaseInputs | None:
    """What the answer depends on; None if it may not be kept. `started`: when the first file was read."""
    if examination.files_read is None:
        return None
    essential = list_essential_paths(tree, read_exported_paths(tree) or ())
    outside = sorted({path for path in examination.files_read if not _is_covered(path, tree)})
    if essential is None or any(_has_changed_since(path, started) for path in outside):
        return None
    own = [settings.config_file, settings.hook, find_project(settings).config]
    named = {os.path.relpath(path, tree) for path in own if path is not None}
    return BaseInputs(
        tuple(sorted(essential | named)),
        tuple(Dependency(path, compute_outside_digest(Path(path)), is_essential=True) for path in outside),
    )


def _is_covered(path: str, tree: Path) -> bool:
    """Whether a file is one of the tree, of an installed package, or was made for this run."""
    real_path = Path(os.path.realpath(path))
    return real_path.is_relative_to(tree.parent) or not INSTALLED_FOLDERS.isdisjoint(real_path.parts)


def _has_changed_since(path: str, started: float) -> bool:
    try:
        status = os.stat(path)  # noqa: PTH116 - many
    except OSError:
        return False
    return max(status.st_mtime, status.st_ctime) >= started


def _describe_edits(request: BaseRequest, tree: Path) -> Comparison:
    """The base's own change: the revisions that are going to be edited, which are tried here as there."""
    checkout = find_repository_root(request.settings.root)
    paths = sorted(find_earlier_files(tree, checkout, request.edited_paths, request.changed_paths))
    known = KnownRevisions(edited=frozenset(paths))  # only their rollback can be what the change is judged by
    return Comparison(NO_BASE, tuple(FileChange("M", path) for path in paths), known_revisions=known)


def _changes_replay(request: BaseRequest, settings: Settings, tree: Path) -> bool:
    """Whether the change edits what the replay of old revisions depends on."""
    project = find_project(settings)
    changed_files = [tree / path for path in request.changed_paths]
    if {settings.config_file, settings.hook, project.config} & {*changed_files}:
        return True
    if any(file.is_dir() or _is_environment_or_revision(file) for file in changed_files):
        return True  # (a folder is a submodule: anything may have changed in it)
    return depends_on_changes(tree, read_exported_paths(tree) or (), request.changed_paths)


def _is_environment_or_revision(file: Path) -> bool:
    if file.name == "env.py":
        return True
    return file.suffix == ".py" and file.is_file() and REVISION_MARK in file.read_bytes()


def _exhaust(examination: Generator[Progress, None, T]) -> T:
    """The result of an examination; nobody is shown its progress."""
    while True:
        try:
            next(examination)
        except StopIteration as end:
            result: T = end.value
            return result


def require_own_files(facts: Facts, checkout: Path, tree: Path) -> None:
    """Raise GateError if code of the change ran instead of the base's own: it would judge itself.

    checkout, tree: real paths of the repository with the change, and of the base's files.
    """
    replay = facts.replay
    for module in replay.models.imported_modules:
        if _is_of_change(module.file, checkout, tree):
            raise GateError(f"It imported `{module.name}` from the checkout of the change, `{module.file}`.")
    files = [revision.location.file for revision in replay.history.revisions]
    for file in (replay.models.environment_file or "", *files):
        if _is_of_change(file, checkout, tree):
            raise GateError(
                f"It ran `{file}` of the change: its configuration names that folder by an absolute path. "
                "Write `script_location` and `version_locations` relative to the configuration (`%(here)s`)."
            )


def _is_of_change(file: str, checkout: Path, tree: Path) -> bool:
    """Whether a file lies in the checkout; not if the base's tree leads there, as it does for a submodule."""
    path = Path(file)  # relative to the base's tree, if it is from there
    if not path.is_absolute() or not path.is_relative_to(checkout) or "site-packages" in path.parts:
        return False
    return (tree / path.relative_to(checkout)).resolve() != path
