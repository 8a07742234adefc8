"""Keys of the configuration: `("owners", "columns")` is `owners.columns`."""

from __future__ import annotations

from collections.abc import Mapping

Key = tuple[str | int, ...]
"""names of mappings and numbers of list items, from the top of the file"""


def format_key(key: Key) -> str:
    """`owners.columns`, `allow[2].until`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def with_underscores(key: Key) -> Key:
    """The key as it is known: files may write `-` for `_`."""
    return tuple(part.replace("-", "_") if isinstance(part, str) else part for part in key)


def nest_values(values: Mapping[tuple[str, ...], object]) -> dict[str, object]:
    """Values by their key, nested as in a configuration file. No key may be the start of another one."""
    nested: dict[str, object] = {}
    for key, value in values.items():
        mapping = nested
        for part in key[:-1]:
            inner = mapping.setdefault(part, {})
            assert isinstance(inner, dict)  # noqa: S101 - no key is the start of another one
            mapping = inner
        mapping[key[-1]] = value
    return nested
