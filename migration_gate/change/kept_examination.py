"""What one run does with the kept examination of its base: waits whether it serves, or keeps the new one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from migration_gate.change.base_messages import (
    BaseAnswer,
    Shared,
    SharedDatabase,
    SharedReplay,
    SharedServer,
)
from migration_gate.checkpoint.kept_base import BaseStore, KeptBase, compute_shared_digest, decode_answer
from migration_gate.ci.base_revision import Comparison
from migration_gate.config.settings import Settings
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tree_export import has_submodules, identify_tree
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class KeptExamination:
    """The one of this base, and the place for it."""

    store: BaseStore
    key: str
    found: KeptBase | None
    """None if there is none that may serve"""

    def find_answer(self, messages: Sequence[Shared]) -> BaseAnswer | None:
        """The kept answer, if it was made with what is shared now; else it is removed."""
        shared = find_shared_digest(messages)
        answer = self.found.read_answer(shared) if self.found is not None and shared else None
        if answer is None and shared:
            self.store.remove()
        return answer

    def find_earlier_answer(self, shared: str) -> BaseAnswer | None:
        """The kept answer, if it was made with what an earlier run shared, whose digest this is."""
        return self.found.read_answer(shared) if self.found is not None and shared else None

    def keep(self, messages: Sequence[Shared], answer: BaseAnswer, data: bytes) -> None:
        """Keep an answer for the next run, if it depends on nothing that cannot be told."""
        shared = find_shared_digest(messages)
        if answer.inputs is None or not shared or not self.store.writes:
            return
        if decode_answer(data) is None:
            return  # it could not be read again
        with suppress(OSError):
            self.store.write(KeptBase(self.key, shared, answer.inputs, data))


def find_kept_examination(
    store: BaseStore, settings: Settings, judging: Settings, python: Path, comparison: Comparison
) -> KeptExamination | None:
    """None if the base is such that its examination cannot be kept.

    judging: the settings for the base.
    """
    commit = str(comparison.base.commit)
    tree = identify_tree(settings.root, commit)
    if tree is None:
        return None
    key = store.compute_key(judging, python, tree, os.environ)
    found = store.read(key)
    top = find_repository_root(settings.root)
    if found is not None and not found.fits_change(top, comparison.changed_paths()):
        return None
    if found is None and has_submodules(settings.root, commit):
        return None
    return KeptExamination(store, key, found)


def find_shared_digest(messages: Sequence[Shared]) -> str:
    """Of what concerns the base; '' if it was not all shared, or the server is not that of the checkpoint."""
    match messages:
        case [SharedServer() as server, _, SharedDatabase() as database, SharedReplay() as replay]:
            if server.server.is_restored and database.is_of_base:
                return compute_shared_digest(database, replay)
    return ""
