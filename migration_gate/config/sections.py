"""The parts of the configuration: each a mapping with keys of its own, their types, defaults and meanings."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from migration_gate.config.pydantic_plugins import keep_plugins_out
from migration_gate.config.size_text import SizeText, format_size, parse_size

keep_plugins_out()
Action = Literal["cascade", "set null", "set default", "restrict", "no action"]
Level = Literal["error", "warning", "note", "off"]
FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")
"""`package.module:function`"""


def _number_as_text(value: object) -> object:
    """A number as text: TOML and YAML distinguish 17 from "17", and `postgres: 17` means the text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def as_list(value: object) -> object:
    """One value instead of a list of one."""
    return value if value is None or isinstance(value, list | tuple) else [value]


def split_servers(value: object) -> object:
    """`16, 17` as a list without repetitions. The URL of a server may hold commas, and stands alone."""
    if value is None:
        return None
    texts: list[object] = []
    for item in value if isinstance(value, list | tuple) else [value]:
        if isinstance(item, str) and "://" not in item:
            texts.extend(part.strip() for part in item.split(","))
        else:
            texts.append(item)
    if any(text == "" for text in texts):
        raise ValueError("holds a server without a name")
    return tuple({str(text): text for text in texts}.values())


def _demand_text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value.strip()


def _lower_case(value: object) -> object:
    return value.lower().replace("_", " ") if isinstance(value, str) else value


def _check_level(value: object) -> object:
    """`off` is false for readers of YAML 1.1."""
    return "off" if value is False else _lower_case(value)


def read_size_text(value: object) -> object:
    """`48 GB, 120 million rows` as rows and bytes; what is no plain text or number is left to the model."""
    text = _number_as_text(value)
    if not isinstance(text, str) or isinstance(value, bool):
        return value
    size = parse_size(text)
    return {key: number for key, number in (("rows", size.rows), ("bytes", size.bytes)) if number is not None}


def _read_rows(value: object) -> object:
    """`120 million` as a number."""
    text = _number_as_text(value)
    if not isinstance(text, str) or isinstance(value, bool):
        return value
    size = parse_size(text)
    if size.rows is None or size.bytes is not None:
        raise ValueError(f"is `{text}`, and has to be a number of rows such as `120 million`")
    return size.rows


def _read_bytes(value: object) -> object:
    """`48 GB` as a number; a plain number is one of bytes."""
    text = _number_as_text(value)
    if not isinstance(text, str) or isinstance(value, bool):
        return value
    size = parse_size(f"{text} B" if text.strip().isdigit() else text)
    if size.bytes is None or size.rows is not None:
        raise ValueError(f"is `{text}`, and has to be a number of bytes such as `48 GB`")
    return size.bytes


def _check_limit(value: str) -> str:
    if value != "off":
        parse_size(value)
    return value


def _check_function(value: str) -> str:
    if not FUNCTION.fullmatch(value):
        raise ValueError(f"is `{value}`, and has to be `module:function`")
    return value


def accept_text_as(key: str) -> BeforeValidator:
    """Accept plain text where a mapping is expected, as the mapping's `key`."""
    return BeforeValidator(
        lambda value: value if isinstance(value, dict | BaseModel | None) else {key: value},
        json_schema_input_type=str | dict[str, Any],
    )


Text = Annotated[str, BeforeValidator(_number_as_text, json_schema_input_type=str | int | float)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(as_list, json_schema_input_type=str | list[str])]
Actions = Annotated[
    tuple[Annotated[Action, BeforeValidator(_lower_case, json_schema_input_type=Action)], ...],
    BeforeValidator(as_list, json_schema_input_type=Action | list[Action]),
]
CheckLevel = Annotated[Level, BeforeValidator(_check_level, json_schema_input_type=Level)]
RollbackScope = Annotated[
    Literal["change", "all", "off"],
    BeforeValidator(_check_level, json_schema_input_type=Literal["change", "all", "off"]),
]
Seconds = Annotated[float, Field(gt=0)]
SizeLimit = Annotated[
    str,
    BeforeValidator(
        lambda value: "off" if value is False else _number_as_text(value), json_schema_input_type=str | int
    ),
    AfterValidator(_check_limit),
]
"""the least size that is not small, or off"""


class Keys(BaseModel):
    """Refuses keys that it does not know, and accepts kebab-case for the ones it does."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        defer_build=True,  # most are used as a part of another one only, which has them built in
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_kebab_case(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        names: dict[object, object] = {}
        for key, inner_value in value.items():
            name = key.replace("-", "_") if isinstance(key, str) else key
            if name in names:
                raise ValueError(f"holds `{name}` twice, spelled with - and with _")
            names[name] = inner_value
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
    def _demand_exactly_one(self) -> PrepareKeys:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("must hold exactly one of sql, sql_file, python and run")
        return self


class RehearsalKeys(Keys):
    """`rehearsal:`."""

    sql_file: Text | None = Field(
        default=None, description="path of a file of the repository with SQL that inserts rows"
    )
    python: Annotated[Text, AfterValidator(_check_function)] | None = Field(
        default=None,
        description="a function, `module:function`, which is given a connection of env.py's and inserts rows",
    )


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
    stamp: Text = Field(default="heads", description="the Alembic revision of those models")

    @model_validator(mode="after")
    def _demand_exactly_one(self) -> StartFromKeys:
        if (self.dump is None) == (self.create_all is None):
            raise ValueError("must hold exactly one of dump and create_all")
        if self.dump is not None and "stamp" in self.model_fields_set:
            raise ValueError("holds stamp, which belongs to create_all: a dump has its own version table")
        return self


class LimitsKeys(Keys):
    """`limits:`, in seconds."""

    run: Seconds = Field(default=600.0, description="for the whole replay of a project")
    statement: Seconds = Field(default=120.0, description="for one SQL statement")
    import_: Seconds = Field(default=120.0, alias="import", description="for importing the project")
    install: Seconds = Field(default=900.0, description="for installing the project's packages")


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
    reason: Annotated[Text, AfterValidator(_demand_text)] = Field(description="why it is accepted")
    until: date | None = Field(default=None, description="the last day on which it holds, as 2027-01-31")


class TableSizeKeys(Keys):
    """One table of `tables:`; plain text is one of the two, or both."""

    rows: Annotated[int, BeforeValidator(_read_rows, json_schema_input_type=str | int)] | None = Field(
        default=None, description="how many rows it has: a number, or `120 million`"
    )
    bytes: Annotated[int, BeforeValidator(_read_bytes, json_schema_input_type=str | int)] | None = Field(
        default=None, description="how large it is without its indexes: a number of bytes, or `48 GB`"
    )

    @model_validator(mode="after")
    def _demand_one(self) -> TableSizeKeys:
        if self.rows is None and self.bytes is None:
            raise ValueError("must hold rows, bytes or both")
        return self

    def __str__(self) -> str:
        return format_size(SizeText(self.rows, self.bytes))


TableSizeValue = Annotated[
    TableSizeKeys, BeforeValidator(read_size_text, json_schema_input_type=str | int | TableSizeKeys)
]
SECTIONS: dict[str, type[Keys]] = {
    "alembic": AlembicKeys,
    "target": TargetKeys,
    "limits": LimitsKeys,
    "raw_sql": RawSqlKeys,
    "rehearsal": RehearsalKeys,
    "owners": OwnersKeys,
    "start_from": StartFromKeys,
}
"""keys whose value is a mapping with keys of its own"""


def key_meanings(model: type[Keys]) -> dict[str, str]:
    """Each key as it is written, and its meaning."""
    return {field.alias or name: field.description or "" for name, field in model.model_fields.items()}
