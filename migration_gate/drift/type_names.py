"""What is known of types by the names that Postgres prints for them."""

from __future__ import annotations

import re

from migration_gate.sql.identifiers import qualified_name

WHOLE_NUMBER_TYPES = frozenset({"smallint", "integer", "bigint"})
NUMBER_TYPES = WHOLE_NUMBER_TYPES | {"numeric", "double precision", "real"}
TEXT_TYPES = frozenset({"text", "character varying", "pg_catalog.text"})
_WITH_LENGTH = re.compile(r"^(.*?)\(([0-9, ]+)\)(.*)$")


def list_spellings(schema: str, name: str) -> tuple[str, str]:
    """How a column may name a type of the project's: as Postgres prints it, and without any quotes."""
    return qualified_name(schema, name), f"{schema}.{name}"


def type_without_length(type_name: str) -> str:
    """The type without its length or precision: `character varying[]` for `character varying(9)[]`."""
    match = _WITH_LENGTH.match(type_name)
    name = match[1] + match[3] if match else type_name
    return "character" if name == "bpchar" else name


def has_length(type_name: str) -> bool:
    """Whether a length or precision is given."""
    return _WITH_LENGTH.match(type_name) is not None


def fits_length(length: int, type_name: str) -> bool:
    """Whether a text of so many characters fits into the type."""
    match = _WITH_LENGTH.match(type_name)
    return match is None or length <= int(match[2])


def is_text_type(type_name: str) -> bool:
    """Whether it holds text as it is; `character` does not, because it pads with blanks."""
    return type_without_length(type_name) in TEXT_TYPES


def is_text_array_type(type_name: str) -> bool:
    """Whether it is an array of such a type."""
    return type_name.endswith("[]") and is_text_type(type_name[:-2])
