"""Commits for the gate, and leaves the session with the settings that the project's code made for it."""

from __future__ import annotations

import re
from typing import Any, Mapping

from .catalog_snapshot import NO_ACTIVE_TRANSACTION, execute_unseen
from .error_report import describe_error

COMMIT = "commit and chain /* migration_gate */"
SESSION_SETTINGS = """
select name, setting from pg_catalog.pg_settings
where source = 'session' and setting is distinct from reset_val and left(name, 14) <> 'migration_gate'
"""
"""that a new session would not have"""
READ_SETTING = "select current_setting('%s', true)"
SET_LOCAL = re.compile(r"\bset\s+local\s+\"?([\w.]+)|\bset_config\s*\(\s*'([\w.]+)'", re.IGNORECASE)
CUSTOM_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class LocalSettings:
    """Settings that the project's code makes for a transaction, which a COMMIT of ours must not end."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {"role": None}
        """of those that pg_settings does not list"""

    def remember(self, statement: str, parameters: Any) -> None:
        """Remember the names of settings that a statement of env.py's sets for its transaction."""
        for match in SET_LOCAL.finditer(statement):
            self._names[match[1] or match[2]] = None
        if "set_config" in statement:
            for value in _list_values(parameters):
                if isinstance(value, str) and CUSTOM_NAME.fullmatch(value):
                    self._names[value] = None

    def commit(self, connection: Any) -> None:
        """Commit what is open, and go on in a transaction of the same kind, with the same settings."""
        before = self._read(connection)
        try:
            execute_unseen(connection, COMMIT)
        except Exception as error:
            if describe_error(error).sqlstate != NO_ACTIVE_TRANSACTION:
                raise
            return  # nothing is open
        after = self._read(connection)
        for name, setting in before.items():
            if after.get(name) != setting:
                quoted = setting.replace("'", "''")
                execute_unseen(connection, "select set_config('%s', '%s', true)" % (name, quoted))

    def _read(self, connection: Any) -> dict[str, str]:
        settings = dict(read_settings(connection))
        for name in self._names:
            ((value,),) = execute_unseen(connection, READ_SETTING % name)
            if value is not None:
                settings[name] = str(value)
        return settings


def read_settings(connection: Any) -> list[tuple[str, str]]:
    """What the session or its transaction has set; pg_settings lists no custom ones."""
    return [(row[0], row[1]) for row in execute_unseen(connection, SESSION_SETTINGS)]


def _list_values(parameters: Any) -> list[Any]:
    """The values of one execution's parameters."""
    if isinstance(parameters, Mapping):
        return list(parameters.values())
    return list(parameters) if isinstance(parameters, (list, tuple)) else []
