"""The names in what Postgres says about a failed statement."""

from __future__ import annotations

import re

from migration_gate.facts import Failure
from migration_gate.sql.identifiers import split_qualified_name

NAME = r'"?((?<=")[^"]+|[^"\s()]+(?:\.[^"\s()]+)*)"?'
"""a name in a message of Postgres's, with or without its quotes"""


def find_in_message(pattern: str, failure: Failure) -> str:
    """The first group of the pattern in Postgres's message; empty if it is not there."""
    match = re.search(pattern, failure.message)
    return match[1] if match else ""


def without_schema(name: str) -> str:
    """A name out of a message, where capital letters stand without quotes of their own: `Ord` for `S.Ord`."""
    return name.rpartition(".")[2]


def find_last_name(text: str) -> str:
    """The name of an object in SQL without its schema and its quotes; empty for an empty text."""
    parts = split_qualified_name(text)
    return parts[-1] if parts else ""
