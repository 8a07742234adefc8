"""Storage parameters in what Postgres prints: `WITH (fillfactor='70')`. They change no query's result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_TABLE_DEFAULTS: Mapping[str, str] = {
    "fillfactor": "100",
    "autovacuum_enabled": "true",
    "vacuum_truncate": "true",
    "vacuum_index_cleanup": "auto",
    "user_catalog_table": "false",
}
_INDEX_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "btree": {"fillfactor": "90", "deduplicate_items": "true"},
    "hash": {"fillfactor": "75"},
    "gist": {"fillfactor": "90", "buffering": "auto"},
    "spgist": {"fillfactor": "80"},
    "gin": {"fastupdate": "true"},
    "brin": {"pages_per_range": "128", "autosummarize": "false"},
}
"""what Postgres 15 to 18 take if nothing is given"""
_TRUE, _FALSE = ("on", "yes", "1"), ("off", "no", "0")
_CLAUSE = re.compile(r"(?<=\)) WITH \((\w+='?[^')]*'?(?:, \w+='?[^')]*'?)*)\)")
_METHOD = re.compile(r" USING (\w+) \(")


def without_default_options(options: Iterable[str]) -> tuple[str, ...]:
    """The options of a table (`fillfactor=70`) but for those that say what is so without them."""
    return tuple(option for option in options if not _is_default(option, _TABLE_DEFAULTS))


def without_storage_parameters(definition: str) -> str:
    """The definition of an index or constraint without its storage parameters."""
    return _CLAUSE.sub("", definition)


def without_default_parameters(definition: str) -> str:
    """The same, but only without those that say what is so without them."""
    match = _CLAUSE.search(definition)
    if match is None:
        return definition
    method = _METHOD.search(definition)
    defaults = _INDEX_DEFAULTS.get(method[1] if method else "btree", {})
    kept = [option for option in match[1].split(", ") if not _is_default(option, defaults)]
    clause = f" WITH ({', '.join(kept)})" if kept else ""
    return definition[: match.start()] + clause + definition[match.end() :]


def _is_default(option: str, defaults: Mapping[str, str]) -> bool:
    name, _, value = option.partition("=")
    value = value.strip("'").lower()
    default = defaults.get(name)
    if default in ("true", "false"):
        value = "true" if value in _TRUE else "false" if value in _FALSE else value
    return value == default
