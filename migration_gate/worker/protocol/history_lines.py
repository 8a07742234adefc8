"""Lines on the revision graph, and on the contexts in which env.py runs it."""

from __future__ import annotations

from typing import Literal, Optional

from ..deferred_methods import dataclass
from .reported_error import ErrorReport


@dataclass(frozen=True)
class RevisionScript:
    """One revision as Alembic reads it."""

    id: str
    parents: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    message: str
    file: str
    """real path"""
    line: int
    """of `upgrade()`, 1 if there is none"""


@dataclass(frozen=True)
class ScriptsFound:
    """Where the revisions are."""

    locations: tuple[str, ...]
    """real paths of the folders with revisions"""
    folder: str
    """real path of env.py's folder"""
    kind: Literal["scripts"] = "scripts"


@dataclass(frozen=True)
class HistoryRead:
    """The revision graph."""

    revisions: tuple[RevisionScript, ...]
    """newest first; empty if it could not be read"""
    heads: tuple[str, ...]
    bases: tuple[str, ...]
    error: Optional[ErrorReport] = None
    """why Alembic could not read it"""
    kind: Literal["history"] = "history"


@dataclass(frozen=True)
class ContextConfigured:
    """env.py runs migrations with a new context; one env.py may do so several times."""

    number: int
    """from 1"""
    driver: str
    version_table: str
    version_table_schema: Optional[str]
    default_schema: str
    """where a table without a schema is"""
    starting_heads: tuple[str, ...] = ()
    """what its version table held before its first revision"""
    has_metadata: bool = True
    """it has a target_metadata"""
    kind: Literal["context"] = "context"


@dataclass(frozen=True)
class RevisionsPlanned:
    """The revisions that lead to one target."""

    revisions: tuple[str, ...]
    """in the order in which they will run"""
    kind: Literal["plan"] = "plan"


@dataclass(frozen=True)
class StepKeyword:
    """What env.py gives to the functions of the revisions: `context.run_migrations(engine_name="events")`."""

    name: str
    value: Optional[str]
    """None if it is no text"""


@dataclass(frozen=True)
class StepKeywords:
    """Everything that the functions of the revisions are given in one context."""

    keywords: tuple[StepKeyword, ...]
    is_judged: bool
    """for a database that has the models which this run compares"""


@dataclass(frozen=True)
class EarlierRevisionsRan:
    """The revisions that are not new have run; the rest of the plan follows when the gate has answered.

    Where something is in the way of a COMMIT, nothing is waited for.
    """

    revisions: tuple[str, ...]
    """those that have run, in their order"""
    obstacle: str = ""
    """why a later run could not begin here, as a clause; '' if it can"""
    is_committed: bool = True
    """what they did, which can be copied; the worker waits"""
    step_keywords: tuple[StepKeywords, ...] = ()
    """so far"""
    files_read: tuple[str, ...] = ()
    """absolute paths of what the project's code has opened, folders too; where a later run may begin here"""
    modules: tuple[str, ...] = ()
    """absolute paths of the imported modules that are no installed package's, there too"""
    kind: Literal["earlier_revisions"] = "earlier_revisions"


@dataclass(frozen=True)
class ContextFinished:
    """All revisions of one context ran; where its tables are by now."""

    number: int
    version_table: str
    version_table_schema: Optional[str]
    default_schema: str
    search_path: str
    """of the session, before the first revision"""
    kind: Literal["context_finished"] = "context_finished"


@dataclass(frozen=True)
class HistoryFinished:
    """env.py ran to its end, and every step of it: the replayed database does not change any more."""

    tables: tuple[str, ...]
    """`schema.name` of the tables in target_metadata, sorted"""
    skipped_contexts: int = 0
    """that env.py configured, and did not run"""
    step_keywords: tuple[StepKeywords, ...] = ()
    """each once; those of other databases too"""
    files_read: tuple[str, ...] = ()
    """absolute paths of what the project's code has opened, if the gate may keep what comes of the run"""
    modules: tuple[str, ...] = ()
    """absolute paths of the code that ran and is no installed package's, there too"""
    module_folders: tuple[str, ...] = ()
    """absolute paths of the folders in which modules were looked for, there too"""
    kind: Literal["history_finished"] = "history_finished"
