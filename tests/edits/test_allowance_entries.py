"""An entry of `allow:` is added, and everything else of the file stays as it is."""

from __future__ import annotations

import difflib
import tomllib

import pytest
import yaml

from migration_gate.edits.allowance_entries import (
    AllowanceEntry,
    EntryNotWritten,
    add_toml_entry,
    add_yaml_entry,
)

ENTRY = AllowanceEntry("drift/column", "audit_[*].x", "made: by hand # here", "2030-01-31")
YAML_FILES = (
    "",
    "# ours\npostgres: 17",
    "allow:\n- check: a\n  reason: b  # why\n\n# next\npostgres: 17\n",
    "allow:\n    - check: a\n      reason: >\n        long\n        text\n\nfail_on: error\n",
    "allow:\n  - {check: a, reason: b}  # inline\nfail_on: error\n",
    "allow: []  # none yet\nfail_on: error\n",
    "allow: [{check: a, reason: b}]\nfail_on: error\n",
    "fail_on: error\nallow:\n# nothing yet\npostgres: 17\n",
    "projects:\n  api:\n    path: api\n",
    "projects:\n  api:\n    allow:\n    - check: a\n      reason: b\n  jobs:\n    path: jobs\n",
)
TOML_FILES = (
    '[project]\nname = "x"\n',
    '[tool.migration-gate]\npostgres = "17"\n\n[tool.other]\na = 1\n',
    '[[tool.migration-gate.allow]]\ncheck = "a"\nreason = "b"\n\n[tool.other]\na = 1\n',
    '[tool.migration-gate]\nallow = [{check = "a", reason = "b]"}]\n\n[tool.other]\na = [1]\n',
    "[tool.migration-gate]\nallow = []\n",
    '[tool.migration-gate]\nallow = [\n  {check = "a", reason = "b"},  # why\n]\n',
    '[tool.migration-gate]\nallow = [\n    {check = "a", reason = "b ]"},  # why [1]\n]\n\n[tool.other]\n',
    '[tool.migration-gate]\nallow = [\n  {check = "a", reason = "b"}\n]\n',
)


def removed_lines(old: str, new: str) -> list[str]:
    return [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line.startswith("- ")]


@pytest.mark.parametrize("text", YAML_FILES)
def test_an_entry_is_added_to_yaml(text: str) -> None:
    new = add_yaml_entry(text, ENTRY, "api")
    values = yaml.safe_load(new)
    own = (values.get("projects") or {}).get("api", {}).get("allow")
    added = (own or values["allow"])[-1]
    assert {key: str(value) for key, value in added.items()} == ENTRY.as_mapping()
    assert all("allow: [" in line for line in removed_lines(text, new))
    again = yaml.safe_load(add_yaml_entry(new, ENTRY, "api"))
    assert len((again.get("projects") or {}).get("api", {}).get("allow") or again["allow"]) >= 2


@pytest.mark.parametrize("text", TOML_FILES)
def test_an_entry_is_added_to_toml(text: str) -> None:
    new = add_toml_entry(text, ENTRY)
    added = tomllib.loads(new)["tool"]["migration-gate"]["allow"][-1]
    assert {key: str(value) for key, value in added.items()} == ENTRY.as_mapping()
    assert all(line.startswith(("- allow = [", "- ]")) for line in removed_lines(text, new))


def test_an_entry_of_toml_has_a_line_of_its_own_where_the_bracket_has_one() -> None:
    text = '[tool.migration-gate]\nallow = [\n    {check = "a", reason = "b"},  # [1]\n]\n'
    item = '    { check = "c", object = "o", reason = "r" },\n'
    assert add_toml_entry(text, AllowanceEntry("c", "o", "r")) == text.replace("]\n]", f"]\n{item}]")


@pytest.mark.parametrize("text", ["allow: x\n", "allow: [{check: a, reason: b}, # c\n ]\n"])
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(EntryNotWritten):
        add_yaml_entry(text, ENTRY)
