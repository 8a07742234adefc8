"""Settings from MIGRATION_GATE_* variables, and which variables are not passed to the project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from migration_gate.config.config_keys import Key, nest_values
from migration_gate.config.schema import ProjectKeys
from migration_gate.config.sections import SECTIONS, key_meanings
from migration_gate.errors import Misconfigured
from migration_gate.wording import suggest_name

PREFIX = "MIGRATION_GATE_"
IMAGE_VARIABLE = "MIGRATION_GATE_IMAGE"
"""set in our container image: the project's packages are not there, so they are installed"""
RESERVED = frozenset({
    "MIGRATION_GATE_CONFIG", IMAGE_VARIABLE, "MIGRATION_GATE_ALLOW_UNTRUSTED_CODE", "MIGRATION_GATE_MATRIX",
    "MIGRATION_GATE_CASES", "MIGRATION_GATE_CORPUS", "MIGRATION_GATE_CORPUS_RECIPES",
    "MIGRATION_GATE_DOCKER_KIT",
})  # fmt: skip
"""no settings: the configuration file, the container image, whose code may run, what the tests need"""
PLAIN = {"alembic": "config", "target": "revision"}
"""the key that plain text stands for, where a mapping may be given"""
LISTS = frozenset({
    ("env_file",), ("groups",), ("extras",), ("without",), ("watch",), ("forbid_allow",),
    ("target", "revision"),
    ("raw_sql", "allow"), ("owners", "columns"), ("owners", "tables"), ("owners", "exempt"),
    ("owners", "on_delete"),
})  # fmt: skip
"""values that are split at commas"""


def in_image() -> bool:
    """Whether this is the gate's own container image."""
    return bool(os.environ.get(IMAGE_VARIABLE))


def is_private(name: str) -> bool:
    """Whether a variable belongs to the runner or to us, and must not reach the project."""
    return name == "GITHUB_TOKEN" or name.startswith(("INPUT_", "ACTIONS_", PREFIX))


def variable_name(key: Key) -> str:
    """The variable that sets a key: `MIGRATION_GATE_OWNERS__COLUMNS`."""
    if key and key[0] == "env":
        return f"{PREFIX}ENV__" + "__".join(map(str, key[1:]))
    if key and PLAIN.get(str(key[0])) == key[-1]:
        key = key[:1]
    parts = [str(part).replace("-", "_").replace("/", "__").upper() for part in key if isinstance(part, str)]
    return PREFIX + "__".join(parts)


def read_variables(environ: Mapping[str, str]) -> dict[str, object]:
    """The values of all MIGRATION_GATE_* variables, nested as in a file; an empty one is not set."""
    values: dict[tuple[str, ...], object] = {}
    for name, text in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in RESERVED and text.strip():
            key = _key_of_variable(name)
            values[key] = _parse_value(name, key, text)
    return nest_values(values)


def _key_of_variable(name: str) -> tuple[str, ...]:
    """The key that a variable sets; raises Misconfigured when there is none."""
    first, *inner_parts = name.removeprefix(PREFIX).split("__")
    top = first.lower()
    key = _find_key(top, inner_parts) if top in key_meanings(ProjectKeys) else None
    if key is None:
        raise Misconfigured(
            f"`{name}` is not a variable of ours.", where=name, advice=_advise_on_name(name, top)
        )
    return key


def _find_key(top: str, inner_parts: list[str]) -> tuple[str, ...] | None:
    """The key below a known top-level key; None if it has no such key."""
    match top, inner_parts:
        case (("env" | "checks"), []):
            return None
        case "env", _:  # a variable of the project's: its name may hold two underscores
            return top, "__".join(inner_parts)
        case "checks", _:
            return top, "/".join(part.lower().replace("_", "-") for part in inner_parts)
        case _, []:
            return (top, PLAIN[top]) if top in PLAIN else (top,)
        case _, [inner_part] if _is_key_of_section(top, inner_part.lower()):
            return top, inner_part.lower()
        case _:
            return None


def _is_key_of_section(section: str, name: str) -> bool:
    return section in SECTIONS and name in key_meanings(SECTIONS[section])


def _advise_on_name(name: str, top: str) -> str:
    if top == "projects":
        return "Name projects in `.migration-gate.yml`."
    names = [*_known_variables(), *RESERVED]
    return suggest_name(name, names, "Unset it, or see `migration-gate schema` for the settings.")


def _known_variables() -> Iterator[str]:
    for name in key_meanings(ProjectKeys):
        yield variable_name((name,))
        for inner in key_meanings(SECTIONS[name]) if name in SECTIONS else ():
            yield variable_name((name, inner))


def _parse_value(name: str, key: tuple[str, ...], text: str) -> object:
    """Text, a list where the key holds one, or JSON where the text begins with `[` or `{`."""
    if key[0] == "env":
        return text
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise Misconfigured(
                f"`{name}` begins like JSON, but is not: {error}.",
                where=name,
                advice="Fix its quotes and commas.",
            ) from error
    if key in LISTS or key[-1] == "x":
        separator = "\n" if "\n" in text or key[-1] == "x" else ","
        return [part.strip() for part in text.split(separator) if part.strip()]
    return text
