"""Every key of the configuration, with its type, default and meaning: the only place that lists them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Action = Literal["cascade", "set null", "set default", "restrict", "no action"]
Level = Literal["error", "warning", "note", "off"]


def _plain(value: object) -> object:
    """TOML and YAML tell 17 from "17"; whoever writes `postgres: 17` means the text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _several(value: object) -> object:
    """One value may stand without its list."""
    return value if value is None or isinstance(value, list | tuple) else [value]


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value.strip()


def _lower(value: object) -> object:
    return value.lower().replace("_", " ") if isinstance(value, str) else value


def _level(value: object) -> object:
    """YAML's older readers make `off` false."""
    return "off" if value is False else _lower(value)


def under(key: str) -> BeforeValidator:
    """Accept plain text where a mapping is expected, as the mapping's `key`."""
    return BeforeValidator(
        lambda value: value if isinstance(value, dict | BaseModel | None) else {key: value},
        json_schema_input_type=str | dict[str, Any],
    )


Text = Annotated[str, BeforeValidator(_plain, json_schema_input_type=str | int | float)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_several, json_schema_input_type=str | list[str])]
Actions = Annotated[
    tuple[Annotated[Action, BeforeValidator(_lower, json_schema_input_type=Action)], ...],
    BeforeValidator(_several, json_schema_input_type=Action | list[Action]),
]
CheckLevel = Annotated[Level, BeforeValidator(_level, json_schema_input_type=Level)]
Seconds = Annotated[float, Field(gt=0)]


class Keys(BaseModel):
    """Refuses keys that it does not know, and accepts kebab-case for the ones it does."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _snake(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        names: dict[object, object] = {}
        for key, each in value.items():
            name = key.replace("-", "_") if isinstance(key, str) else key
            if name in names:
                raise ValueError(f"holds `{name}` twice, spelled with - and with _")
            names[name] = each
        return names


class AlembicKeys(Keys):
    """`alembic:` as a mapping."""

    config: Text | None = Field(
        default=None, description="path of alembic.ini, pyproject.toml or their folder"
    )
    section: Text = Field(default="alembic", description="the section of alembic.ini to read")


class PrepareKeys(Keys):
    """One step of `prepare:`; plain text is SQL."""

    sql: Text | None = Field(default=None, description="SQL text")
    sql_file: Text | None = Field(default=None, description="path of a file with SQL")
    python: Text | None = Field(default=None, description="path of a file, run by the project's interpreter")
    run: Text | None = Field(default=None, description="a shell command")

    @model_validator(mode="after")
    def _one(self) -> PrepareKeys:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("must hold exactly one of sql, sql_file, python and run")
        return self


class TargetKeys(Keys):
    """`target:` as a mapping."""

    revision: Texts = Field(default=("heads",), description="what to upgrade to")
    x: Texts = Field(default=(), description="Alembic's -x arguments")


class StartFromKeys(Keys):
    """`start_from:`."""

    dump: Text | None = Field(
        default=None, description="path of a dump, plain SQL or pg_dump's custom format"
    )
    create_all: Text | None = Field(default=None, description="git revision whose models are created")
    stamp: Text = Field(default="heads", description="the Alembic revision that those models stand at")

    @model_validator(mode="after")
    def _one(self) -> StartFromKeys:
        if (self.dump is None) == (self.create_all is None):
            raise ValueError("must hold exactly one of dump and create_all")
        if self.dump is not None and "stamp" in self.model_fields_set:
            raise ValueError("holds stamp, which belongs to create_all: a dump brings its own version table")
        return self


class LimitsKeys(Keys):
    """`limits:`, in seconds."""

    run: Seconds = Field(default=600.0, description="for the whole replay of a project")
    statement: Seconds = Field(default=120.0, description="for one SQL statement")
    import_: Seconds = Field(default=60.0, alias="import", description="for importing the project")


class RawSqlKeys(Keys):
    """`raw_sql:`."""

    allow: Texts = Field(default=(), description="gitignore patterns of `.sql` files that may stay")


class OwnersKeys(Keys):
    """`owners:`."""

    columns: Texts = Field(
        default=("owner_id", "ownerId"), description="names of the columns that hold an owner"
    )
    tables: Texts = Field(default=(), description="glob patterns of tables that must have an owner")
    exempt: Texts = Field(default=(), description="glob patterns of tables, or table.column, that need none")
    references: Text | None = Field(
        default=None, description="the table of owners, which each must reference"
    )
    every_reference: bool = Field(
        default=False, description="each table that references `references` is owned"
    )
    on_delete: Actions = Field(
        default=("cascade",), description="the ON DELETE actions that are right for an owner"
    )


class AllowKeys(Keys):
    """One accepted finding."""

    check: Text = Field(description="a check, or check/kind")
    object: Text = Field(default="*", description="glob pattern over what the finding is about")
    reason: Annotated[Text, AfterValidator(_said)] = Field(description="why it is accepted")
    until: date | None = Field(default=None, description="the last day on which it holds, as 2027-01-31")


def _target(value: object) -> object:
    return value if isinstance(value, dict | TargetKeys | None) else {"revision": value}


class ProjectKeys(Keys):
    """What can be set for one project, in the order in which people look for it."""

    alembic: Annotated[AlembicKeys, under("config")] | None = Field(
        default=None,
        description="where Alembic's configuration is; found unless set",
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
        "a virtual environment near the project unless set",
        examples=[".venv/bin/python"],
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
        tuple[Annotated[PrepareKeys, under("sql")], ...],
        BeforeValidator(_several, json_schema_input_type=str | list[str | PrepareKeys]),
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
    postgres: Text = Field(
        default="auto",
        description="auto, local, embedded, a major version, an image, or the URL of a server",
        examples=["postgis/postgis:17-3.5"],
    )
    network: bool = Field(
        default=False, description="let the project's code reach the network", examples=[True]
    )
    limits: LimitsKeys = Field(
        default=LimitsKeys(), description="time limits, in seconds", examples=[{"run": 900}]
    )
    snapshots: Text = Field(
        default="none",
        pattern=r"^(none|all|[0-9]+)$",
        description="which revisions get a catalog before and after: none, all, or a number of the newest",
        examples=[5],
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
        description="the weight of a check, or of check/kind: error, warning, note or off",
        examples=[{"unindexed-owner": "off", "drift/comment": "warning"}],
    )
    allow: tuple[AllowKeys, ...] = Field(
        default=(),
        description="findings that are accepted, each with its reason",
        examples=[[{"check": "drift", "object": "audit_*", "reason": "made by hand", "until": "2027-01-31"}]],
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

    projects: dict[str, NamedProjectKeys] = Field(
        default={},
        description="several projects in one repository: a name, and any of these keys, which win over the "
        "ones above; `path` is its folder",
        examples=[{"api": {"path": "services/api"}, "billing": {"path": "services/billing"}}],
    )


SECTIONS: dict[str, type[Keys]] = {
    "alembic": AlembicKeys,
    "target": TargetKeys,
    "limits": LimitsKeys,
    "raw_sql": RawSqlKeys,
    "owners": OwnersKeys,
    "start_from": StartFromKeys,
}
"""keys whose value is a mapping with keys of its own"""


def names(model: type[Keys]) -> dict[str, str]:
    """Each key as it is written, and its meaning."""
    return {field.alias or name: field.description or "" for name, field in model.model_fields.items()}
