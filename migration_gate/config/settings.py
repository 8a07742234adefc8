"""The settings of one project, merged and checked, with the origin of every value."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import date
from pathlib import Path
from typing import Literal

from migration_gate.check import Severity
from migration_gate.facts import ObserveScope, Owners, RollbackScope, TableSizes
from migration_gate.lazy_dataclass import dataclass

DEFAULT_ORIGIN = "default"
"""where a value is from that nobody set"""

BASELINE_NAME = ".migration-gate-baseline"
"""of the file with the findings that were there before, in the project's folder"""


@dataclass(frozen=True, slots=True)
class PrepareStep:
    """One thing to do in the ephemeral database before the first revision."""

    kind: str
    """sql (text), sql_file, python (a file, run in the project's interpreter) or run (a shell command)"""
    text: str


@dataclass(frozen=True, slots=True)
class StartFrom:
    """For histories that do not begin with an empty database."""

    dump: Path | None = None
    """plain SQL or pg_dump's custom format; its own version table names its revision"""
    create_all: str | None = None
    """git revision whose models are created"""
    stamp: str = "heads"
    """the Alembic revision of those models"""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable for the project's code."""

    name: str
    value: str
    """{host} {port} {user} {password} {db} are filled in when the worker starts"""


@dataclass(frozen=True, slots=True)
class CheckSeverity:
    """The severity of a check's findings, instead of the check's own."""

    check: str
    """`check` or `check/kind`"""
    severity: Severity | None
    """None if the check is off"""


@dataclass(frozen=True, slots=True)
class ValueOrigin:
    """Where the value of a setting is from."""

    key: str
    """`owners.columns`"""
    origin: str
    """`default`, `.migration-gate.yml:12`, a variable, an option"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A finding that the user accepts, with the reason."""

    check: str
    """`check` or `check/kind`"""
    reason: str
    object: str = "*"
    """glob pattern over `Finding.object`"""
    until: date | None = None
    """the last day on which it holds"""
    where: str = ""
    """`file:line` of the entry or comment"""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one project. Paths are absolute."""

    name: str
    root: Path
    """the folder of the configuration file, else the folder given to `check`"""
    working_directory: Path
    """where env.py and the migrations run"""
    is_named_project: bool = False
    """an entry of `projects:`, which `--project` can name"""
    config_file: Path | None = None
    """the configuration file"""
    is_config_named: bool = False
    """an option or a variable named it"""
    checked_folder: Path | None = None
    """the folder given to `check`, from which it was looked for"""
    project_folder: Path | None = None
    """where the project is looked for: the folder given to `check`, or its `path`"""
    alembic: Path | None = None
    section: str = "alembic"
    flask_app: str | None = None
    hook: Path | None = None
    python: Path | None = None
    install: str = "off"
    """auto, off, or the command that installs the project's packages"""
    python_version: str | None = None
    """a version or a range, as in requires-python"""
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """packages that are not installed"""
    cache: Path | None = None
    """where environments are kept; chosen by `install` unless set"""
    installed: str = ""
    """how this run made the environment of `python`, if it did"""
    import_path_from: Path | None = None
    """another checkout, for which the packages were installed: what they import of it is imported from the
    repository of these settings instead"""
    judged_database: str = ""
    """`host:port/name` of the one of several databases that this run judges; '' where env.py has one"""
    other_databases: tuple[str, ...] = ()
    """the others"""
    env: tuple[Variable, ...] = ()
    """from `env_file` and `env`"""
    prepare: tuple[PrepareStep, ...] = ()
    target: tuple[str, ...] = ("heads",)
    x_arguments: tuple[str, ...] = ()
    """Alembic's -x arguments"""
    start_from: StartFrom | None = None
    postgres: str = "auto"
    further_postgres: tuple[str, ...] = ()
    """other servers on which the same is replayed and checked"""
    network: bool = False
    run_seconds: float = 600.0
    """limit for the whole replay"""
    statement_seconds: float = 120.0
    import_seconds: float = 120.0
    """limit for importing the project"""
    install_seconds: float = 900.0
    """limit for installing its packages"""
    base: str | None = None
    """git revision that the change is compared with; found from the CI's event or the clone's origin"""
    examines_base: bool = True
    """whether the project is examined at the base, too"""
    scope: Literal["change", "all"] = "change"
    """what blocks: change (what is new or worse than at the base) or all"""
    baseline: Path | None = None
    """the file with the findings that were there before; see `baseline_file`"""
    policy: Literal["change", "base"] = "change"
    """whose settings judge the change"""
    watch: tuple[str, ...] = ()
    """gitignore patterns, from the repository's top, of further files whose change concerns the project"""
    snapshots: str = "changed"
    """which revisions get a catalog before and after: changed, none, all, or a number of the newest"""
    rollback: RollbackScope = "change"
    """which revisions are downgraded and upgraded again"""
    observe: ObserveScope = "change"
    """of which revisions the locks and the work are observed"""
    rehearsal_sql: Path | None = None
    """a file with rows of the project's own"""
    rehearsal_function: str | None = None
    """`module:function` that makes rows of the project's own"""
    checkpoint: Literal["auto", "scratch", "off"] = "off"
    """auto: the run may begin from the state that an earlier one has kept; scratch: it replays everything,
    and compares; off: nothing is read or kept"""
    squawk: bool = False
    """whether squawk is asked, too"""
    sizes_file: Path | None = None
    """from which `sizes` was read"""
    sizes: TableSizes = field(default_factory=TableSizes)
    """of production's tables, as far as they are known"""
    raw_sql_allow: tuple[str, ...] = ()
    owners: Owners = field(default_factory=Owners)
    checks: tuple[CheckSeverity, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    forbid_allow: tuple[str, ...] = ()
    """checks, or check/kind, that no allowance covers"""
    policy_note: str = ""
    """what the report says of the policy that the configuration extends"""
    fail_on: Severity = Severity.ERROR
    origins: tuple[ValueOrigin, ...] = ()
    """of every key"""

    @property
    def baseline_file(self) -> Path:
        """The file with the findings that were there before; it need not exist."""
        return self.baseline or (self.project_folder or self.root) / BASELINE_NAME

    def env_by_name(self) -> dict[str, str]:
        """The value of each variable of `env`."""
        return {variable.name: variable.value for variable in self.env}

    def find_origin(self, key: str) -> str:
        """Where the value of a key is from."""
        return next((value.origin for value in self.origins if value.key == key), DEFAULT_ORIGIN)

    def list_server_runs(self) -> tuple[Settings, ...]:
        """The settings once for each server that is named, with the others as further ones."""
        servers = (self.postgres, *self.further_postgres)
        return tuple(
            replace(
                self,
                postgres=server,
                further_postgres=tuple(other for other in servers if other != server),
            )
            for server in servers
        )
