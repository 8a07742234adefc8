"""What the gate sends to a worker: the order, and the request for the models when the history has run."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import field
from typing import Any, Literal, Optional, Union

from ..deferred_methods import dataclass

ConfigKind = Literal["ini", "toml", "flask", "hook"]
CommandKind = Literal["python", "run"]
"""a Python file for the worker's interpreter, or a shell command"""
TaskKind = Literal["replay", "models", "bootstrap", "trial"]
"""replay: run the history; models: run env.py without a step and create the models; bootstrap: only create
the models and stamp them; trial: run env.py without a step, and plan the steps"""
Direction = Literal["upgrade", "downgrade"]
DATABASE_RESTORED = b"restored\n"
"""what the gate answers to `DatabaseUsed`"""
STATE_KEPT = b"kept\n"
"""what the gate answers to `EarlierRevisionsRan`, whether or not it has copied the state"""


@dataclass(frozen=True)
class ServerAddress:
    """Where the ephemeral server is, and how a connection proves that it has reached it."""

    directory: str
    """folder of the server's Unix socket"""
    port: int
    user: str
    password: str
    token: str
    """the server's `cluster_name`; '' on a server of the user's, where a database's comment is the proof"""
    database: str
    """to connect to for CREATE DATABASE"""
    version: int
    """server_version_num: 150018"""
    comment_prefix: str
    """what the comment of a database of this run starts with; the name follows"""


@dataclass(frozen=True)
class ConfigSource:
    """How to get the project's `alembic.config.Config`."""

    kind: ConfigKind
    section: str
    file: Optional[str] = None
    flask_app: Optional[str] = None
    hook: Optional[str] = None
    script_location: str = ""
    """set if the one in the file does not lead there from the worker's folder"""


@dataclass(frozen=True)
class PrepareCommand:
    """What the user wants to run before the first revision."""

    kind: CommandKind
    text: str


@dataclass(frozen=True)
class EarlierRun:
    """Revisions that an earlier run has run: the database is as it left it then."""

    revisions: tuple[str, ...]
    """in their order"""
    starting_heads: tuple[str, ...]
    """what the version table held before the first of them"""


@dataclass(frozen=True)
class Order:
    """All that one worker is told."""

    task: TaskKind
    environment: dict[str, str]
    """variables to set: the server's address for libpq, and the project's settings"""
    server: ServerAddress
    database: str
    """the database to replay into"""
    models_database: str
    """the copy in which the models are created; the gate makes it when the history has run"""
    config: ConfigSource
    sys_path: tuple[str, ...]
    """folders to put in front"""
    later_sys_path: tuple[str, ...]
    """folders to add at the end"""
    target: tuple[str, ...]
    """what to upgrade to, one after the other"""
    x_arguments: tuple[str, ...]
    """of Alembic's -x"""
    prepare: tuple[PrepareCommand, ...]
    catalog_query: str
    """prints a catalog as JSON"""
    snapshots: str
    """which revisions get a snapshot before and after: none, all, changed, or the number of newest ones"""
    rollback: str
    """which revisions are rolled back when the history has run: change, all or off"""
    observe: str
    """which revisions' locks are observed: change, all or off"""
    changed_files: tuple[str, ...]
    """real paths of the files that the change adds or edits"""
    pending_files: tuple[str, ...]
    """of these, all but revisions that stand at the base"""
    log_after_step: bool
    """the server has no event triggers of ours: call the DDL log after each step"""
    stamp: str
    """the revision that a bootstrap writes into the version table"""
    new_files: tuple[str, ...] = ()
    """real paths of the files that the change adds: their revisions run last, as far as the graph allows"""
    relocation: tuple[str, ...] = ()
    """the top of the checkout for which the packages are installed, and of the one that is replayed; empty if
    they are the same"""
    judged_address: str = ""
    """`host:port/database` of the one of several databases that this run judges; '' if there is one"""
    other_databases: dict[str, str] = field(default_factory=dict)
    """databases on the server for the addresses of the others"""
    keeps_state: bool = False
    """the gate wants a copy of the server when the revisions that are not new have run"""
    keeps_facts: bool = False
    """the gate may keep what comes of the run, and wants to know which files that depends on"""
    copies_base: bool = False
    """the gate wants a copy of the database then"""
    earlier_run: Optional[EarlierRun] = None
    """None if the database is empty"""
    sends_ahead: bool = False
    """statements of older revisions may be sent before the one before is answered: see `step_pipeline`"""


@dataclass(frozen=True)
class ContextPlace:
    """Where the names without a schema are, for one context of env.py."""

    search_path: str
    default_schema: str


@dataclass(frozen=True)
class ModelsRequest:
    """The history has run, and its database was copied: the models are to be created in the copy."""

    places: tuple[ContextPlace, ...]
    """of each context of the replay"""
    tables: tuple[str, ...]
    """`schema.name` of the tables that target_metadata had in the process that ran the revisions"""
    describes_tables: bool = False
    """the gate compares two releases: what their statements name is wanted"""


@dataclass(frozen=True)
class RevisionRun:
    """One function of one revision, which is to be run."""

    revision: str
    direction: Direction
    observed_step: int = 0
    """its number in the replay, if its locks are to be observed"""


@dataclass(frozen=True)
class RunsRequest:
    """The history has run: env.py is to run these functions, in this order, in another database."""

    runs_database: str
    runs: tuple[RevisionRun, ...]
    prepares: bool
    """the database is as it was before `prepare:` ran its files and commands"""
    keeps_session: bool = False
    """env.py stays in its context after them, for the functions of the next request, and what they did is
    committed; a request without functions ends that"""
    rows_function: str = ""
    """`module:function` that adds rows, and is called with env.py's connection instead of any of these"""


Request = Union[ModelsRequest, RunsRequest]
"""what may follow on the order when the history has run"""


def encode_order(order: Union[Order, Request]) -> bytes:
    """A line of JSON; paths that are not UTF-8 survive."""
    return json.dumps(dataclasses.asdict(order)).encode("ascii") + b"\n"


def decode_request(data: bytes) -> Request:
    """What `encode_order` made of a request."""
    fields: dict[str, Any] = json.loads(data)
    if "runs" in fields:
        runs = tuple(RevisionRun(**run) for run in fields["runs"])
        return RunsRequest(**{**fields, "runs": runs})
    places = tuple(ContextPlace(**place) for place in fields["places"])
    return ModelsRequest(places, tuple(fields["tables"]), fields["describes_tables"])


FILE_LISTS = ("changed_files", "pending_files", "new_files")


def decode_order(data: bytes) -> Order:
    """What `encode_order` made. Raises TypeError if the two ends are not of the same version."""
    fields: dict[str, Any] = json.loads(data)
    for name in ("sys_path", "later_sys_path", "target", "x_arguments", *FILE_LISTS, "relocation"):
        fields[name] = tuple(fields[name])
    fields["server"] = ServerAddress(**fields["server"])
    fields["config"] = ConfigSource(**fields["config"])
    fields["prepare"] = tuple(PrepareCommand(**command) for command in fields["prepare"])
    if fields["earlier_run"] is not None:
        earlier = fields["earlier_run"]
        fields["earlier_run"] = EarlierRun(tuple(earlier["revisions"]), tuple(earlier["starting_heads"]))
    return Order(**fields)
