"""Settings from MIGRATION_GATE_* variables, and which variables are nobody's business but ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from migration_gate.config.config_file import Key
from migration_gate.config.schema import ProjectKeys
from migration_gate.config.sections import SECTIONS, key_meanings
from migration_gate.errors import Misconfigured
from migration_gate.wording import suggest_name

PREFIX = "MIGRATION_GATE_"
IMAGE_VARIABLE = "MIGRATION_GATE_IMAGE"
"""set in our container image: the project's packages are not there, so they are installed"""
RESERVED = frozenset({
    "MIGRATION_GATE_CONFIG", IMAGE_VARIABLE, "MIGRATION_GATE_ALLOW_UNTRUSTED_CODE", "MIGRATION_GATE_MATRIX",
    "MIGRATION_GATE_CORPUS", "MIGRATION_GATE_CORPUS_RECIPES", "MIGRATION_GATE_DOCKER_KIT",
})  # fmt: skip
"""read elsewhere: the configuration file to take, where we are, whose code may run, what the tests need"""
PLAIN = {"alembic": "config", "target": "revision"}
"""the key that plain text stands for, where a mapping may be given"""
LISTS = frozenset({
    ("env_file",), ("groups",), ("extras",), ("without",), ("watch",), ("target", "revision"),
    ("raw_sql", "allow"), ("owners", "columns"), ("owners", "tables"), ("owners", "exempt"),
    ("owners", "on_delete"),
})  # fmt: skip
"""values that are split at commas"""


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
    values: dict[str, object] = {}
    for name, text in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in RESERVED and text.strip():
            key = _key(name)
            target = values
            for part in key[:-1]:
                inner = target.setdefault(part, {})
                assert isinstance(inner, dict)  # noqa: S101 - _key never names a mapping and a part of it
                target = inner
            target[key[-1]] = _value(name, key, text)
    return values


def _key(name: str) -> tuple[str, ...]:
    """The key that a variable sets; Misconfigured when there is none."""
    first, *rest = name.removeprefix(PREFIX).split("__")
    top = first.lower()
    known = key_meanings(ProjectKeys)
    if top in known:
        if top == "env" and rest:
            return (top, "__".join(rest))
        if top == "checks" and rest:
            return (top, "/".join(part.lower().replace("_", "-") for part in rest))
        if not rest and top not in ("env", "checks"):
            return (top, PLAIN[top]) if top in PLAIN else (top,)
        if len(rest) == 1 and top in SECTIONS and rest[0].lower() in key_meanings(SECTIONS[top]):
            return (top, rest[0].lower())
    if top == "projects":
        advice = "Name projects in `.migration-gate.yml`."
    else:
        advice = suggest_name(
            name, [*_variables(), *RESERVED], "Unset it, or see `migration-gate schema` for the settings."
        )
    raise Misconfigured(f"`{name}` is not a variable of ours.", where=name, advice=advice)


def _variables() -> Iterator[str]:
    for name in key_meanings(ProjectKeys):
        yield variable_name((name,))
        for inner in key_meanings(SECTIONS[name]) if name in SECTIONS else ():
            yield variable_name((name, inner))


def _value(name: str, key: tuple[str, ...], text: str) -> object:
    """Text, a list where the key holds one, or JSON where the text begins like it."""
    if key[0] == "env":
        return text
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise Misconfigured(
                f"`{name}` begins like JSON, but is not: {error}.",
                where=name,
                advice="Mend its quotes and commas.",
            ) from error
    if key in LISTS or key[-1] == "x":
        separator = "\n" if "\n" in text or key[-1] == "x" else ","
        return [part.strip() for part in text.split(separator) if part.strip()]
    return text
