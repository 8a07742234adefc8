"""The definition of an index as Postgres prints it, in its parts."""

from __future__ import annotations

import re

_HEAD = re.compile(r'^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON (?:ONLY )?')


def remove_index_name(definition: str) -> str:
    """`CREATE UNIQUE INDEX ON public.users USING btree (email)`: what it does, whatever its name.

    ONLY, which Postgres prints for an index of a partitioned table, is removed as well.
    """
    return _HEAD.sub(r"CREATE \1INDEX ON ", definition)
