"""What to do about values, defaults and keys of another type than Postgres wants."""

from __future__ import annotations

import re

from migration_gate.analysis.op_code import quote_python
from migration_gate.facts import Failure, Replay
from migration_gate.sql.identifiers import quote_identifier
from migration_gate.wording import code_block

_TEXT_TYPES = frozenset({"text", "character varying", "character", "name"})
_WRITTEN = re.compile(r'column "(.+)" is of type (.+) but (default )?expression is of type (.+)$')
_NOT_CAST = re.compile(
    r'^(?P<default>default for )?column "(?P<column>.+)" cannot be cast automatically to type (?P<type>.+)$'
)
_KEY_OF_TWO_TYPES = re.compile(r'Key columns "(.+)" and "(.+)" are of incompatible types: (.+) and (.+)\.')
_NO_OPERATOR_CLASS = re.compile(r'data type (.+) has no default operator class for access method "(\w+)"')


def convert_values(failure: Failure, replay: Replay) -> str | None:
    """For a type change that needs to be told how, a value of another type, or a key of two types."""
    written = _WRITTEN.search(failure.message)
    if written is not None:
        return _correct_value(written[1], written[2], written[4], is_default=bool(written[3]))
    key = _KEY_OF_TWO_TYPES.search(failure.detail or "")
    if key is not None:
        return (
            f"A foreign key joins columns of one type: `{key[1]}` is {key[3]}, and `{key[2]}` is {key[4]}. "
            "Give one of them the type of the other before."
        )
    refused = _NOT_CAST.search(failure.message)
    return _say_how(refused) if refused is not None else None


def name_operator_class(failure: Failure, replay: Replay) -> str | None:
    """For an index that has to be told how the values of a type are searched."""
    match = _NO_OPERATOR_CLASS.search(failure.message)
    if match is None:
        return None
    return (
        f"`{match[1]}` has no operator class of its own for {match[2]}: name one with `postgresql_ops=`, "
        "or make an index of another kind."
    )


def _say_how(refused: re.Match[str]) -> str:
    """For a column whose values or default Postgres does not convert by itself."""
    using = quote_python(f"{quote_identifier(refused['column'])}::{refused['type']}")
    change = f"op.alter_column(..., postgresql_using={using})"
    if refused["default"] is None:
        return f"Postgres does not convert these values by itself. Say how:{code_block(change)}"
    code = "\n".join(
        ("op.alter_column(..., server_default=None)", change, "op.alter_column(..., server_default=...)")
    )
    return (
        "Postgres does not convert the column's default. Take it away before, and set it "
        f"anew:{code_block(code)}"
    )


def _correct_value(column: str, wanted: str, given: str, *, is_default: bool) -> str:
    """For a statement that writes a value, or sets a default, which Postgres does not convert."""
    if wanted == "boolean" and given == "integer":
        return f"`{column}` is a boolean, and PostgreSQL makes none of a number: write `true` or `false`."
    given_value = f"The statement gives `{column}` ({wanted}) a value of type {given}"
    if is_default:
        given_value = f"The default of `{column}` ({wanted}) is of type {given}"
    bare_wanted, bare_given = wanted.partition("(")[0], given.partition("(")[0]
    is_number_of_boolean = (bare_wanted, bare_given) == ("integer", "boolean")
    if bare_given in _TEXT_TYPES or bare_wanted in _TEXT_TYPES or is_number_of_boolean:
        return f"{given_value}: write `CAST(... AS {wanted})`."
    return f"{given_value}: write one of its own type."
