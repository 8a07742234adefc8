"""The columns of the models whose default is a string that Postgres evaluates once, when it is given."""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator

from .env_context import EnvContext, name_tables

MOMENT = re.compile(r"'\s*(?:now|today)\b", re.IGNORECASE)
"""the start of a literal that types of dates and times take for a moment"""


def find_frozen_defaults(contexts: Iterable[EnvContext]) -> Iterator[str]:
    """`schema.table.column` of each. A text column is among them too, whose default is only a text."""
    for table, name in name_tables(contexts):
        for column in table.columns:
            if MOMENT.search(_default_text(column)):
                yield "%s.%s" % (name, column.name)


def _default_text(column: Any) -> str:
    """The server default as SQL, as far as it is a string or a text; '' for constructs, which make calls."""
    default = getattr(column.server_default, "arg", None)
    if isinstance(default, str):
        return "'%s'" % default
    return str(getattr(default, "text", ""))
