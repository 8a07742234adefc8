"""What the gate and the process that examines the base send each other, as pickles.

The gate sends a `BaseRequest`, and then, as they come, a `SharedServer`, `SharedFolders`, a `SharedDatabase`
and a `SharedReplay`; `NothingShared` in the place of any of them ends the list. The process sends a
`BaseAnswer`.
"""

from __future__ import annotations

from pathlib import Path

from migration_gate.checkpoint.dependencies import Dependency
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError
from migration_gate.facts import Facts, Replay
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.server import Server
from migration_gate.worker.protocol.order import ModelsRequest


@dataclass(frozen=True, slots=True)
class BaseRequest:
    """What is to be examined."""

    settings: Settings
    """of the change"""
    python: Path
    """the project's interpreter"""
    commit: str
    changed_paths: tuple[str, ...]
    """what the change adds, edits or deletes, relative to the repository"""
    edited_paths: tuple[str, ...]
    """of these, what it adds or edits otherwise than by moving it or wording it anew"""
    is_alone: bool
    """nothing is shared, and the change has been examined: on a server of the user's both would meet"""
    may_be_kept: bool
    """the gate may keep the answer, and wants `BaseAnswer.inputs`"""
    answer: int
    """descriptor to write the answer to"""


@dataclass(frozen=True, slots=True)
class SharedServer:
    """The change's own server, on which the base's models may be created."""

    server: Server
    database: str
    """in which the history runs"""
    models_database: str
    """the copy that there will be for the base's models"""


@dataclass(frozen=True, slots=True)
class SharedFolders:
    """Where the revisions of the change are; those of the base are at the same places."""

    folders: tuple[Path, ...]
    """with revisions; real paths"""
    environment: Path
    """of env.py"""


@dataclass(frozen=True, slots=True)
class SharedDatabase:
    """The history has run, and the copy for the base's models is there."""

    request: ModelsRequest
    is_of_base: bool = False
    """it is a copy of the database as the revisions of the base left it, before any other ran"""


@dataclass(frozen=True, slots=True)
class SharedReplay:
    """The replay as it was at the base, without models."""

    replay: Replay
    has_new_revisions: bool
    """the database has more than that replay"""
    lost_tables: tuple[str, ...] = ()
    """`schema.name` of those that only the process which ran all revisions has in target_metadata"""


@dataclass(frozen=True, slots=True)
class SharedEarlier:
    """The facts of an earlier run may serve again: does the base that was kept then? For the gate alone."""

    digest: str
    """of what that run shared; '' if it shared nothing"""


@dataclass(frozen=True, slots=True)
class NothingShared:
    """The change's replay does not show the base: it needs one of its own."""


Shared = SharedServer | SharedFolders | SharedDatabase | SharedReplay | NothingShared


@dataclass(frozen=True, slots=True)
class BaseInputs:
    """What an answer depends on beside the tree of the base, the packages, settings, and what was shared."""

    essential_paths: tuple[str, ...]
    """files of the repository: if the change edits one, its replay may not show the base"""
    outside_files: tuple[Dependency, ...]
    """what the project's code has read outside of the repository and of its packages; absolute paths"""


@dataclass(frozen=True, slots=True)
class BaseAnswer:
    """What came of it."""

    facts: Facts | None = None
    failure: str = ""
    """why there are none, as a sentence"""
    must_be_alone: bool = False
    """it has to be requested again, when the change has been examined"""
    is_new_project: bool = False
    comment_texts: tuple[tuple[str, str], ...] = ()
    inputs: BaseInputs | None = None
    """None if a later run could not use the answer"""
    trouble: GateError | None = None
    """of this run, not of the base's code: the whole run ends with it"""
