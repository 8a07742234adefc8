"""Views that keep a column from being dropped or changed."""

from __future__ import annotations

import re

from migration_gate.autofix.autofix_state import AutofixState
from migration_gate.facts import Column


def warn_of_views(column: Column, state: AutofixState) -> list[str]:
    """A comment that names the views that may use the column; nothing if there is none.

    Postgres refuses another type of such a column, and to drop it. A view that names both the table and the
    column may use it.
    """
    names = [_whole_name(column.table), _whole_name(column.name)]
    views = [
        str(view) for view in state.replayed.views if all(re.search(name, view.definition) for name in names)
    ]
    if not views:
        return []
    them = "it" if len(views) == 1 else "them"
    subject = f"{', '.join(views)} may use {column.table}.{column.name}"
    return [f"# {subject}: drop {them} first, and create {them} again after."]


def _whole_name(name: str) -> str:
    return rf'(?<!\w)"?{re.escape(name)}"?(?!\w)'
