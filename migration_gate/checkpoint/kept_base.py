"""The answer of an examination of the base, kept beside the checkpoint from which the run began.

It serves again only where everything is the same on which it depends: the checkpoint, the tree of the base,
the packages, the settings and all variables, the gate's code, and what the replay of the change showed of the
base. Whatever is wrong with it, the base is examined again.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import posixpath
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from migration_gate.change.base_messages import BaseAnswer, BaseInputs, SharedDatabase, SharedReplay
from migration_gate.change.revision_dependencies import use_data_files
from migration_gate.checkpoint.dependencies import Dependency, compute_outside_digest
from migration_gate.checkpoint.facts_key import FactsPlace
from migration_gate.checkpoint.sealed_file import (
    compute_digest,
    decode_facts,
    read_sealed_file,
    write_sealed_file,
)
from migration_gate.config.settings import Settings
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.lazy_dataclass import dataclass

FILE = "base"
LAYOUT = "1"
"""changes when the file does"""
ENVIRONMENT_FILE = "env.py"
FURTHER_PARTS = frozenset({
    "migration_gate.change.base_messages.BaseAnswer", "migration_gate.change.base_messages.BaseInputs",
    "migration_gate.checkpoint.dependencies.Dependency",
    "migration_gate.scan.revision_files._read_calls",
})  # fmt: skip
"""of an answer, beside facts; the last one parses the text of a revision when its calls are asked for"""


@dataclass(frozen=True, slots=True)
class KeptBase:
    """An answer in the cache."""

    key: str
    """see `BaseStore.compute_key`"""
    shared: str
    """see `compute_shared_digest`"""
    inputs: BaseInputs
    data: bytes
    """the answer, as the process sent it"""

    def fits_change(self, top: Path, changed_paths: Collection[str]) -> bool:
        """Whether the replay of a change to these files shows the base, as the first one did.

        Where it might not, the base is examined again, by a process that looks more closely.
        """
        changed = frozenset(changed_paths)
        if not changed.isdisjoint(self.inputs.essential_paths):
            return False
        if any(posixpath.basename(path) == ENVIRONMENT_FILE for path in changed):
            return False
        if any(folder in changed for path in changed for folder in _list_folders(path)):
            return False  # a file took the place of a folder, or a folder that of a file
        data_files = [path for path in changed if not path.endswith(".py")]
        return not data_files or not use_data_files(top, list_tracked_files(top).paths, data_files)

    def read_answer(self, shared: str) -> BaseAnswer | None:
        """The answer, if it was made with what is shared now, and the files outside are as they were."""
        if shared != self.shared:
            return None
        if any(compute_outside_digest(Path(file.path)) != file.digest for file in self.inputs.outside_files):
            return None
        return decode_answer(self.data)


@dataclass(frozen=True, slots=True)
class BaseStore:
    """The place of one answer."""

    place: FactsPlace

    @property
    def writes(self) -> bool:
        """Whether this run may keep one."""
        return self.place.writes

    def compute_key(
        self, settings: Settings, python: Path, tree: str, environ: Mapping[str, str] = os.environ
    ) -> str:
        """A digest of what is known before the examination.

        settings: those of the change, for the base. tree: the object name of the base's files.
        """
        return self.place.compute_key(settings, python, f"{LAYOUT} {tree}", environ)

    def read(self, key: str) -> KeptBase | None:
        """What is kept under this key; None if there is nothing, or it is damaged."""
        content = read_sealed_file(self.place.state.folder / FILE)
        try:
            kept = _decode(content) if content is not None else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return kept if kept is not None and kept.key == key else None

    def write(self, kept: KeptBase) -> None:
        """Keep an answer in the place of any other. Raises OSError."""
        if self.writes:
            write_sealed_file(self.place.state.folder / FILE, _encode(kept))

    def remove(self) -> None:
        """Keep none."""
        with suppress(OSError):
            (self.place.state.folder / FILE).unlink()


def compute_shared_digest(database: SharedDatabase, replay: SharedReplay) -> str:
    """A digest of what the gate has told the process that examines the base.

    Of the values alone: a pickle tells else which of them are the same object.
    """
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.fast = True
    pickler.dump((database, replay))
    return compute_digest(buffer.getbuffer())


def decode_answer(data: bytes) -> BaseAnswer | None:
    """The answer; None if it is none with facts."""
    answer = decode_facts(data, FURTHER_PARTS)
    return answer if isinstance(answer, BaseAnswer) and answer.facts is not None else None


def _encode(kept: KeptBase) -> bytes:
    """A line of JSON, and the answer."""
    header = {"key": kept.key, "shared": kept.shared, **asdict(kept.inputs)}
    return json.dumps(header).encode("ascii") + b"\n" + kept.data


def _decode(content: bytes) -> KeptBase:
    """Raises ValueError, TypeError or KeyError if it is something else."""
    header, _, answer = content.partition(b"\n")
    fields = json.loads(header)
    inputs = BaseInputs(
        tuple(fields["essential_paths"]), tuple(Dependency(**item) for item in fields["outside_files"])
    )
    return KeptBase(fields["key"], fields["shared"], inputs, answer)


def _list_folders(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
