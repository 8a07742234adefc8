"""A checkpoint as files: the cluster in `data/`, the worker's lines, the server's log, and a record of them.

The record is written last. Whatever is wrong with a checkpoint, the run begins from scratch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from migration_gate.checkpoint.cluster_copy import compute_folder_digest, open_plain_file
from migration_gate.checkpoint.dependencies import Dependency
from migration_gate.lazy_dataclass import dataclass
from migration_gate.worker.protocol import Line, encode_line
from migration_gate.worker.protocol.history_lines import ContextConfigured, EarlierRevisionsRan
from migration_gate.worker.protocol.project_requests import ConnectionRequested
from migration_gate.worker.protocol.run_lines import Note
from migration_gate.worker.protocol.step_lines import AnswersReceived, StepFinished, StepStarted

RECORD = "record"
DATA = "data"
LINES = "lines"
LOG = "server.log"
CATALOG = "catalog"
DIGEST_BYTES = 32
STEP_LINES = (StepStarted, StepFinished, AnswersReceived, EarlierRevisionsRan, ConnectionRequested, Note)
"""kinds of lines that come while revisions run"""
LOGGED_PID = re.compile(rb"^([^|\n]*\|)(\d+\|\w{5}\|)", re.MULTILINE)
"""of an entry of the server's log"""


@dataclass(frozen=True, slots=True)
class StateRecord:
    """What is known of a checkpoint."""

    surroundings: str
    """see `surroundings.compute_surroundings`"""
    dependencies: tuple[Dependency, ...]
    revisions: tuple[str, ...]
    """that have run, in their order"""
    scripts: tuple[str, ...]
    """their files, relative to the top of the repository"""
    database: str
    """in which they ran"""
    password: str
    """of the superuser"""
    files: int
    bytes: int
    """of the cluster: the number and the size of its files"""
    content: str
    """digest of the cluster, the lines and the log"""
    steps: str
    """digest of what each revision ran"""
    preparation_notes: tuple[str, ...] = ()
    """what the report says of `start_from`"""


@dataclass(frozen=True, slots=True)
class SavedState:
    """A checkpoint in the cache."""

    folder: Path
    record: StateRecord

    @property
    def data(self) -> Path:
        """The files of the cluster."""
        return self.folder / DATA

    @property
    def log(self) -> Path:
        """What the server had written."""
        return self.folder / LOG

    @property
    def newest_revision(self) -> str:
        """The last one that has run."""
        return self.record.revisions[-1]

    def is_intact(self) -> bool:
        """Whether the content is what was written."""
        try:
            return compute_content_digest(self.folder) == self.record.content
        except OSError:
            return False

    def read_catalog(self) -> list[str]:
        """The objects that the revisions left, sorted. Raises OSError."""
        return (self.folder / CATALOG).read_text("utf-8", "surrogateescape").split("\n")

    def read_lines(self) -> list[bytes]:
        """The worker's lines: its context, then what came while the revisions ran. Raises OSError."""
        return (self.folder / LINES).read_bytes().splitlines()


def read_state(folder: Path, owners: Collection[int]) -> SavedState | None:
    """The checkpoint in this folder; None if it is none, or may not be trusted: see `is_private`."""
    try:
        if not is_private(folder, owners):
            return None
        with open_plain_file(folder / RECORD) as file:
            record = _decode_record(file.read())
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return SavedState(folder, record) if record.revisions else None


def _decode_record(data: bytes) -> StateRecord:
    """Raises ValueError if it is damaged; KeyError or TypeError if another version of the gate wrote it."""
    digest, _, text = data.partition(b"\n")
    if digest != _compute_record_digest(text):
        raise ValueError("the record is damaged")
    fields = json.loads(text)
    fields["dependencies"] = tuple(Dependency(**item) for item in fields["dependencies"])
    for name in ("revisions", "scripts", "preparation_notes"):
        fields[name] = tuple(fields[name])
    record = StateRecord(**fields)
    if not _has_right_types(record):
        raise ValueError("a value of the record is of another type")
    return record


def _has_right_types(record: StateRecord) -> bool:
    files = [text for item in record.dependencies for text in (item.path, item.digest)]
    lists = (*record.revisions, *record.scripts, *record.preparation_notes)
    texts = (record.surroundings, record.database, record.password, record.content, record.steps)
    numbers = (record.files, record.bytes)
    return all(type(text) is str for text in (*texts, *lists, *files)) and all(
        type(number) is int for number in numbers
    )


def write_record(folder: Path, record: StateRecord) -> None:
    """Complete a checkpoint. Raises OSError."""
    text = json.dumps(asdict(record)).encode("ascii")
    (folder / RECORD).write_bytes(_compute_record_digest(text) + b"\n" + text)


def _compute_record_digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).hexdigest().encode("ascii")


def is_private(folder: Path, owners: Collection[int]) -> bool:
    """Whether the folder, and those around it in the cache, are these users', and no other may write."""
    statuses = [path.lstat() for path in (folder, folder.parent, folder.parent.parent)]
    return all(status.st_uid in owners and not status.st_mode & 0o022 for status in statuses)


def compute_content_digest(folder: Path) -> str:
    """Of all files but the record. Raises OSError."""
    digest = hashlib.blake2b(compute_folder_digest(folder / DATA).encode(), digest_size=DIGEST_BYTES)
    for name in (LINES, LOG, CATALOG):
        with open_plain_file(folder / name) as file:
            digest.update(file.read())
    return digest.hexdigest()


def select_lines(lines: Iterable[Line]) -> list[Line] | None:
    """The context, and what came since the first step; None if something came that belongs to no step."""
    lines = list(lines)
    contexts = [line for line in lines if isinstance(line, ContextConfigured)]
    starts = [number for number, line in enumerate(lines) if isinstance(line, StepStarted)]
    if len(contexts) != 1 or not starts:
        return None
    steps = lines[starts[0] :]
    return [*contexts, *steps] if all(isinstance(line, STEP_LINES) for line in steps) else None


def encode_lines(lines: Iterable[Line]) -> bytes:
    """The lines as the worker writes them."""
    return b"".join(map(encode_line, lines))


def mark_old_sessions(log: bytes) -> bytes:
    """The log with other numbers of processes: a server that is started later may have the same ones."""
    return LOGGED_PID.sub(rb"\g<1>0\g<2>", log)


def describe_steps(lines: Sequence[Line]) -> str:
    """A digest of what each revision ran, without times."""
    digest = hashlib.blake2b(digest_size=16)
    for line in lines:
        if isinstance(line, StepFinished):
            parts = [line.revision, str(line.in_transaction), str(len(line.statements))]
            parts += [f"{statement.line} {statement.rows}" for statement in line.statements]
            digest.update("\0".join(parts).encode("utf-8", "replace"))
    return digest.hexdigest()
