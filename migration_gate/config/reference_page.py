"""Renders `docs/configuration.md` from the models that read the configuration, so that the two agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic_core import PydanticUndefined

from migration_gate.config.gate_variables import variable_name
from migration_gate.config.schema import FileKeys
from migration_gate.config.sections import SECTIONS, AllowKeys, Keys, PrepareKeys

INTRODUCTION = """\
# Configuration

Made by `make docs` from the model that reads the configuration. No setting is needed where the gate finds
the project by itself; `migration-gate doctor` prints what it found, and where each value comes from.

Settings are in `.migration-gate.yml` (or `.migration-gate.yaml`), or in `[tool.migration-gate]` of
`pyproject.toml`, in the folder that is checked or the nearest one above it, up to the top of the repository.
Only one such file is allowed. The command line overrides the environment, the environment overrides the file.
A mapping is merged key by key; a list is replaced.

In the environment a key is `MIGRATION_GATE_` and its name in capitals, with two underscores before an inner
key: `MIGRATION_GATE_POSTGRES=17`, `MIGRATION_GATE_OWNERS__COLUMNS=owner_id,tenant_id`,
`MIGRATION_GATE_ENV__SECRET_KEY=x`. Lists are split at commas (`x` at line ends); a value that begins with
`[` or `{` is read as JSON. An empty variable is not set.

Relative paths start at the file's folder (in a project with a `path`, there; in the environment, at the
folder that is checked; on the command line, at the current folder). Keys may be written with `-` for `_`.
Unknown keys are refused, with their line and the most similar known key.

## Who guards the settings

A change that loosens the settings of its base (a check that is off, a new allowance, a wider pattern, a
filter in env.py, a workflow that no longer runs the gate) is a finding of `loosened-gate`, a warning unless
`checks:` says otherwise; its own level is that of the base where that is stricter, and no new allowance
covers it. Every report lists the allowances that the change adds, and what is off or lowered.

With `policy: base` the change is judged by the settings of its base: checks, allowances, `fail_on`,
`scope`, `owners`, `raw_sql`, `forbid_allow` and the sizes of tables; a comment that came with the change
allows nothing. It holds if the workflow says so (the action's input, `MIGRATION_GATE_POLICY`,
`--policy`), else if the file at the base does, else if the change's own file does: a branch cannot take it
back. What the workflow itself sets holds in any case.

`extends` names an organisation's policy: a path, or
`git+https://host/organisation/repository@revision#path` (`git+ssh://` as well), fetched by git with the
rights at hand. Use the full id of a commit: it cannot move, and once fetched it needs no network; of a
branch or a tag the report says which commit it was. A policy sets `checks`, `allow`, `forbid_allow`,
`fail_on`, `scope`, `policy`, `owners`, `raw_sql`, `snapshots`, `rollback`, `observe`, `small_table`,
`limits`, `network` and `postgres`. Its values are defaults. Levels of checks, `fail_on`, `scope` and
`policy` can only be raised, `owners.columns`, `owners.tables` and `forbid_allow` only get more: anything
lower, also from the environment or the command line, ends the run with status 2. Entries of `allow` hold
beside those of the policy.
"""
INNER: dict[str, type[Keys]] = {**SECTIONS, "prepare": PrepareKeys, "allow": AllowKeys}
TABLE_HEAD = "| key | type | default | meaning |\n| --- | --- | --- | --- |"
WORDS = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
    "null": "",
}
"""for the types of JSON; null is only the default of what is not set"""


def render_page() -> str:
    """The whole page, as Markdown."""
    return "\n".join(_page_parts())


def _page_parts() -> Iterator[str]:
    yield INTRODUCTION
    properties = FileKeys.model_json_schema()["properties"]
    yield TABLE_HEAD
    for name, field in FileKeys.model_fields.items():
        default = _default_cell(field.get_default(call_default_factory=True))
        key, meaning = f"[`{name}`](#{name})", _escape_pipes(field.description)
        yield f"| {key} | {_type_cell(properties[name])} | {default} | {meaning} |"
    for name, field in FileKeys.model_fields.items():
        yield f"\n## {name}\n\n{_capital_sentence(field.description)}"
        if name not in ("projects", "checks", "env", "extends"):
            yield f"Variable: `{variable_name((name,))}`."
        if name in INNER:
            yield "\n" + "\n".join(_section_table(INNER[name]))
        for example in field.examples or ():
            text = yaml.safe_dump({name: example}, sort_keys=False, width=100, allow_unicode=True)
            yield f"\n```yaml\n{text}```"


def _section_table(model: type[Keys]) -> Iterator[str]:
    properties = model.model_json_schema()["properties"]
    yield TABLE_HEAD
    for name, field in model.model_fields.items():
        written = field.alias or name
        undefined = field.default is PydanticUndefined
        default = "required" if undefined else _default_cell(field.default)
        meaning = _escape_pipes(field.description)
        yield f"| `{written}` | {_type_cell(properties[written])} | {default} | {meaning} |"


def _default_cell(value: Any) -> str:
    if isinstance(value, Keys):
        return "see below"
    if value is None or value in ((), {}):
        return "-"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{json.dumps(list(value))}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _type_cell(schema: dict[str, Any]) -> str:
    """A property's type in words: `text or list`, `error, warning`."""
    return " or ".join(dict.fromkeys(_type_words(schema)))


def _type_words(schema: dict[str, Any]) -> list[str]:
    if "anyOf" not in schema:
        return [word] if (word := _type_word(schema)) else []
    words = [word for choice in schema["anyOf"] for word in _type_words(choice)]
    # Numbers are accepted where text is meant: 17 for "17".
    return [word for word in words if word != "number"] if "text" in words else words


def _type_word(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return "mapping"
    if schema.get("format") == "date":
        return "date"
    return WORDS[schema.get("type", "object")]


def _escape_pipes(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def _capital_sentence(text: str | None) -> str:
    text = text or ""
    return f"{text[:1].upper()}{text[1:]}."
