"""Examines the project at the base of a change. Runs in a process of its own: see `base_examination`."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, TypeVar

from migration_gate.change.base_examination import BaseAnswer, BaseRequest
from migration_gate.change.base_settings import build_base_settings, has_environment
from migration_gate.errors import GateError, ProjectNotFound
from migration_gate.facts import Facts
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tree_export import export_revision
from migration_gate.postgres.run_directory import temporary_run_directory
from migration_gate.progress import Progress
from migration_gate.replay.examination import examine_project
from migration_gate.verdict.comment_files import read_comment_files

T = TypeVar("T")


def answer_request() -> int:
    """Read a request from standard input and answer it; end when the other end closes its pipe."""
    request = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    assert isinstance(request, BaseRequest)  # noqa: S101 - tells mypy
    threading.Thread(target=_end_with_parent, args=(sys.stdin.buffer,), daemon=True).start()
    with os.fdopen(request.answer, "wb") as stream:
        pickle.dump(_examine_base(request), stream)
    return 0


def _end_with_parent(pipe: BinaryIO) -> None:
    """Have this process end in order when the gate has ended, however that happened."""
    while pipe.read(1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def _examine_base(request: BaseRequest) -> BaseAnswer:
    with temporary_run_directory() as folder:
        tree = (folder / "tree").resolve()
        tree.mkdir()
        try:
            export_revision(request.settings.root, request.commit, tree)
            settings = build_base_settings(request.settings, request.python, tree)
            facts = _exhaust(examine_project(settings))
            _require_own_modules(facts, find_repository_root(request.settings.root))
        except ProjectNotFound as error:
            return BaseAnswer(failure=error.message, is_new_project=not has_environment(tree))
        except GateError as error:
            return BaseAnswer(failure=error.message)
        except Exception as error:  # noqa: BLE001 - a bug of ours, which the report names
            return BaseAnswer(failure=f"The gate broke there: {type(error).__name__}: {error}")
        texts = read_comment_files(facts, tree)
        return BaseAnswer(facts, comment_texts=tuple(texts.items()))


def _exhaust(examination: Generator[Progress, None, T]) -> T:
    """The result of an examination; nobody is shown its progress."""
    while True:
        try:
            next(examination)
        except StopIteration as end:
            result: T = end.value
            return result


def _require_own_modules(facts: Facts, checkout: Path) -> None:
    """Raise GateError if a module of the change was imported instead of the base's own."""
    for module in facts.replay.models.imported_modules:
        path = Path(module.file)  # relative to the base's tree, if it is from there
        if path.is_absolute() and path.is_relative_to(checkout) and "site-packages" not in path.parts:
            raise GateError(f"It imported `{module.name}` from the checkout of the change, `{module.file}`.")
