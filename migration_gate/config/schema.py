"""Every key of the configuration, with its type, default and meaning: the only place that lists them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from migration_gate.config.sections import (
    AlembicKeys,
    AllowKeys,
    CheckLevel,
    Keys,
    LimitsKeys,
    OwnersKeys,
    PrepareKeys,
    RawSqlKeys,
    RehearsalKeys,
    RollbackScope,
    SizeLimit,
    StartFromKeys,
    TableSizeValue,
    TargetKeys,
    Text,
    Texts,
    accept_text_as,
    as_list,
    split_servers,
)


def _target(value: object) -> object:
    return value if isinstance(value, dict | TargetKeys | None) else {"revision": value}


class ProjectKeys(Keys):
    """What can be set for one project, in the order in which people look for it."""

    alembic: Annotated[AlembicKeys, accept_text_as("config")] | None = Field(
        default=None,
        description="where Alembic's configuration is; by default it is looked for",
        examples=["backend/alembic.ini"],
    )
    flask_app: Text | None = Field(
        default=None,
        description="the application, as FLASK_APP names it, for Flask-Migrate",
        examples=["wsgi:app"],
    )
    hook: Text | None = Field(
        default=None,
        description="path of a Python file that leaves an `alembic.config.Config` in `cfg`",
        examples=["ci/alembic_config.py"],
    )
    python: Text | None = Field(
        default=None,
        description="the project's interpreter: a path, or a command such as python3.12; "
        "by default a virtual environment near the project",
        examples=[".venv/bin/python"],
    )
    install: Text | None = Field(
        default=None,
        description="how the project's packages are installed, where it has no environment: auto (from its "
        "lock file, else its requirements), off, or a command of yours; auto in the container, off elsewhere",
        examples=["pip install -r deploy/requirements.txt"],
    )
    python_version: Text | None = Field(
        default=None,
        description="the Python to install for: a version or a range; by default what the project requires",
        examples=["3.12"],
    )
    groups: Texts = Field(
        default=(),
        description="groups of dependencies to install beside the main ones",
        examples=[["migrations"]],
    )
    extras: Texts = Field(default=(), description="extras of the project to install", examples=[["postgres"]])
    without: Texts = Field(
        default=(),
        description="packages not to install: those that cannot be built, and that the models do without",
        examples=[["python-ldap"]],
    )
    cache: Text | None = Field(
        default=None,
        description="the folder in which environments are kept; `.migration-gate-cache` at the top of the "
        "repository in CI and in the container, this user's cache elsewhere",
        examples=[".migration-gate-cache"],
    )
    working_directory: Text | None = Field(
        default=None, description="the folder in which env.py and the migrations run", examples=["backend"]
    )
    env: dict[str, Text] = Field(
        default={},
        description="environment variables for the project; {host}, {port}, {user}, {password} and {db} "
        "stand for the ephemeral server",
        examples=[{"DATABASE_URL": "postgresql+asyncpg://{user}:{password}@{host}:{port}/{db}"}],
    )
    env_file: Texts = Field(
        default=(),
        description="dotenv files to read variables from; later ones win, `env` wins over all",
        examples=[".env.ci"],
    )
    prepare: Annotated[
        tuple[Annotated[PrepareKeys, accept_text_as("sql")], ...],
        BeforeValidator(as_list, json_schema_input_type=str | list[str | PrepareKeys]),
    ] = Field(
        default=(),
        description="what to do in the empty database before the first revision",
        examples=[["CREATE EXTENSION postgis", {"sql_file": "ci/schemas.sql"}, {"run": "python seed.py"}]],
    )
    target: Annotated[
        TargetKeys, BeforeValidator(_target, json_schema_input_type=str | list[str] | TargetKeys)
    ] = Field(default=TargetKeys(), description="what to upgrade to", examples=["main@head"])
    x: Texts = Field(default=(), description="Alembic's -x arguments", examples=[["tenant=demo"]])
    start_from: StartFromKeys | None = Field(
        default=None,
        description="where a history begins that does not begin with an empty database",
        examples=[{"create_all": "v1.0", "stamp": "3f2a9c"}],
    )
    postgres: Annotated[Texts, BeforeValidator(split_servers, json_schema_input_type=str | list[str])] = (
        Field(
            default=("auto",),
            min_length=1,
            description="auto, local, embedded, a major version, an image, or the URL of a server; of "
            "several, each is replayed on and checked, and what differs between them is reported",
            examples=["postgis/postgis:17-3.5", [16, 17]],
        )
    )
    network: bool = Field(
        default=False, description="let the project's code reach the network", examples=[True]
    )
    limits: LimitsKeys = Field(
        default=LimitsKeys(), description="time limits, in seconds", examples=[{"run": 900}]
    )
    base: Text | None = Field(
        default=None,
        description="the git revision that a change is compared with; by default what the CI's event names, "
        "else what is shared with the branch of origin",
        examples=["main"],
    )
    scope: Literal["change", "all"] = Field(
        default="change",
        description="which findings block: change, those that are new or worse than at the base, or all; "
        "without a base all do",
    )
    baseline: Text | None = Field(
        default=None,
        description="the file with the findings that were there before, which do not block where no base is "
        "known; `.migration-gate-baseline` in the project's folder by default",
        examples=["ci/migration-gate.baseline"],
    )
    policy: Literal["change", "base"] = Field(
        default="change",
        description="whose settings judge a change: change, its own, or base, those of its base, with which "
        "it cannot allow or lower anything for itself; it also holds if the file at the base says base",
        examples=["base"],
    )
    watch: Texts = Field(
        default=(),
        description="gitignore patterns, from the top of the repository, of further files whose change "
        "concerns the project, for `migration-gate projects --changed`",
        examples=[["libs/models/"]],
    )
    snapshots: Text = Field(
        default="changed",
        pattern=r"^(changed|none|all|[0-9]+)$",
        description="which revisions get a catalog before and after: changed (against `base`), none, all, "
        "or a number of the newest",
        examples=[5],
    )
    rollback: RollbackScope = Field(
        default="change",
        description="which revisions are downgraded and upgraded again when the history has run: those of "
        "the change (against `base`), all, or none (off); all takes about 0.1 s a revision, and as long "
        "again at the base, if its history is replayed by itself",
        examples=["all"],
    )
    observe: RollbackScope = Field(
        default="change",
        description="of which revisions the gate observes the locks, and the work that is done under them: "
        "those of the change (against `base`), all (each by itself, against the state before it), or none "
        "(off)",
        examples=["all"],
    )
    rehearsal: RehearsalKeys = Field(
        default=RehearsalKeys(),
        description="rows of the project's own, with which the new revisions are rehearsed beside generated "
        "ones (see `observe`): they are made at the base, before the first new revision",
        examples=[{"sql_file": "ci/rows.sql"}, {"python": "ci.rows:add_rows"}],
    )
    checkpoint: Literal["auto", "scratch", "off"] = Field(
        default="auto",
        description="whether a run may begin from the state at the base's heads that an earlier one kept: "
        "auto; scratch replays everything, and compares that with what is kept; off keeps nothing",
        examples=["off"],
    )
    squawk: bool = Field(
        default=False,
        description="whether squawk (`squawk-cli`) is asked about the SQL of the observed revisions, too: "
        "a note names what the gate did not confirm, or does not look at",
        examples=[True],
    )
    tables: dict[str, TableSizeValue] = Field(
        default={},
        description="how large tables are in production: rows, bytes or both; findings then say how much "
        "work a statement is, and how long that takes at this machine's rate",
        examples=[{"orders": "48 GB, 120 million rows", "sales.items": {"rows": "3 million"}}],
    )
    sizes: Text | None = Field(
        default=None,
        description="the file with the sizes of tables that `migration-gate sizes` writes; `tables` wins "
        "over it",
        examples=[".migration-gate-sizes"],
    )
    small_table: SizeLimit = Field(
        default="10 MB, 100 thousand rows",
        description="below which size a table is small: blocking-change and work-under-lock are one level "
        "less severe where all that a statement goes through is; in both measures, if a table has both. "
        "off: no table is. Of a table whose size is not known nothing is concluded",
        examples=["1 GB"],
    )
    raw_sql: RawSqlKeys = Field(
        default=RawSqlKeys(),
        description="about tracked `.sql` files",
        examples=[{"allow": ["reports/**/*.sql"]}],
    )
    owners: OwnersKeys = Field(
        default=OwnersKeys(),
        description="which columns name the owner of a row",
        examples=[{"columns": ["owner_id", "tenant_id"], "references": "users"}],
    )
    checks: dict[str, CheckLevel] = Field(
        default={},
        description="the severity of a check, or of check/kind: error, warning, note or off",
        examples=[{"unindexed-owner": "off", "drift/comment": "warning"}],
    )
    allow: tuple[AllowKeys, ...] = Field(
        default=(),
        description="findings that are accepted, each with its reason",
        examples=[[{"check": "drift", "object": "audit_*", "reason": "made by hand", "until": "2027-01-31"}]],
    )
    forbid_allow: Texts = Field(
        default=(),
        description="checks, or check/kind, whose findings no entry of `allow` and no comment accepts",
        examples=[["failing-upgrade", "nullable-owner"]],
    )
    fail_on: Literal["error", "warning"] = Field(
        default="error", description="the least severity that fails the run", examples=["warning"]
    )

    @model_validator(mode="after")
    def _one_place(self) -> ProjectKeys:
        if self.hook and self.alembic and self.alembic.config:
            raise ValueError(
                "names both a hook and an Alembic configuration: keep one, as the hook makes its own"
            )
        return self


class NamedProjectKeys(ProjectKeys):
    """One entry of `projects:`."""

    path: Text | None = Field(default=None, description="the project's folder; its other paths start there")


class FileKeys(ProjectKeys):
    """The configuration file."""

    model_config = ConfigDict(title="Migration Gate")

    extends: Text | None = Field(
        default=None,
        description="an organisation's policy: a file, or one in git, at a commit, a tag or a branch. Its "
        "values are defaults; levels of checks, fail_on, scope, policy, forbid_allow, and the columns and "
        "tables of owners cannot be lowered",
    )
    projects: dict[str, NamedProjectKeys] = Field(
        default={},
        description="several projects in one repository: a name, and any of these keys, which win over the "
        "ones above; `path` is its folder",
        examples=[{"api": {"path": "services/api"}, "billing": {"path": "services/billing"}}],
    )
