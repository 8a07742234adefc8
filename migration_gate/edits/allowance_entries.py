"""Writes an entry of `allow:` into the text of a configuration file; everything else stays as it is.

The new text is read again and compared: it holds the old values and the entry, or nothing is written.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from migration_gate.lazy_dataclass import dataclass

PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*")
WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class EntryNotWritten(Exception):
    """The text has a form to which nothing can be added safely."""


@dataclass(frozen=True, slots=True)
class AllowanceEntry:
    """What is to be allowed."""

    check: str
    object: str
    reason: str
    until: str = ""

    def as_mapping(self) -> dict[str, str]:
        """The keys that the entry has, in the order in which they are written."""
        values = {"check": self.check, "object": self.object, "reason": self.reason, "until": self.until}
        return {key: value for key, value in values.items() if value}


def add_yaml_entry(text: str, entry: AllowanceEntry, project: str = "") -> str:
    """The text of a YAML file with the entry, in `projects: <project>:` if that has its own list.

    Raises EntryNotWritten.
    """
    document = yaml.compose(text, Loader=yaml.BaseLoader) if text.strip() else None
    holder = _choose_holder(document, project)
    if document is None or holder is None:
        new_text = _append_block(text, entry, 0)
    else:
        new_text = _add_to_mapping(text, holder, entry)
    _verify(_load_yaml(text), _load_yaml(new_text), entry, project)
    return new_text


def _load_yaml(text: str) -> object:
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes only texts
    except yaml.YAMLError as error:
        raise EntryNotWritten(str(error).splitlines()[0]) from error


def _choose_holder(document: yaml.Node | None, project: str) -> yaml.Node | None:
    """The mapping whose `allow` counts for the project: its own, if it has one."""
    own = _find(_find(document, "projects"), project) if project else None
    return own if _find(own, "allow") is not None else document


def _find(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


def _add_to_mapping(text: str, holder: yaml.Node, entry: AllowanceEntry) -> str:
    allow = _find(holder, "allow")
    if allow is None:
        return _append_block(text, entry, holder.start_mark.column)
    if isinstance(allow, yaml.SequenceNode) and allow.flow_style:
        return _add_to_flow_list(text, allow, entry)
    if isinstance(allow, yaml.SequenceNode):
        # A list stands at the column of its first dash.
        return _insert_after(text, _last_line(allow), _format_item(entry, allow.start_mark.column))
    if isinstance(allow, yaml.ScalarNode) and not allow.value:  # `allow:` with nothing
        return _insert_after(text, allow.start_mark.line, _format_item(entry, holder.start_mark.column + 2))
    raise EntryNotWritten("`allow` is no list")


def _last_line(node: yaml.Node) -> int:
    """The last line of a node's text, counted from 0: the end of a block includes what follows it."""
    while isinstance(node, yaml.SequenceNode | yaml.MappingNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end = node.end_mark
    is_at_line_start = end.column == 0 and end.line > node.start_mark.line
    return int(end.line) - is_at_line_start


def _add_to_flow_list(text: str, allow: yaml.SequenceNode, entry: AllowanceEntry) -> str:
    """A list in brackets; an empty one becomes a list of lines."""
    start, end = allow.start_mark.index, allow.end_mark.index
    item = json.dumps(entry.as_mapping(), ensure_ascii=False)
    inner = text[start + 1 : end - 1]
    if not allow.value:
        indent = _line_indent(text, start) + 2
        return f"{text[:start].rstrip(' ')}\n{_format_item(entry, indent).rstrip()}{text[end:]}"
    separator = "" if inner.rstrip().endswith(",") else ","
    return f"{text[:start]}[{inner.rstrip()}{separator} {item}]{text[end:]}"


def _line_indent(text: str, index: int) -> int:
    line = text[text.rfind("\n", 0, index) + 1 :]
    return len(line) - len(line.lstrip(" "))


def _insert_after(text: str, line: int, block: str) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[line].endswith("\n"):
        lines[line] += "\n"
    return "".join((*lines[: line + 1], block, *lines[line + 1 :]))


def _append_block(text: str, entry: AllowanceEntry, column: int) -> str:
    """`allow:` at the end of the file, where only a mapping at the top has its end."""
    if column:
        raise EntryNotWritten("the project has no list of its own")
    start = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{start}allow:\n{_format_item(entry, 2)}"


def _format_item(entry: AllowanceEntry, column: int) -> str:
    lines = [f"{key}: {_quote(value)}" for key, value in entry.as_mapping().items()]
    indent = " " * column
    return f"{indent}- {lines[0]}\n" + "".join(f"{indent}  {line}\n" for line in lines[1:])


def _quote(value: str) -> str:
    """A scalar of YAML; JSON's strings are YAML's as well."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value
    is_plain = PLAIN.fullmatch(value) and value.lower() not in WORDS
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def add_toml_entry(text: str, entry: AllowanceEntry, project: str = "") -> str:
    """The same for `[tool.migration-gate]` of a pyproject.toml: a table `[[tool.migration-gate.allow]]`.

    Raises EntryNotWritten.
    """
    try:
        old = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EntryNotWritten(str(error)) from error
    table = old.get("tool", {}).get("migration-gate", {})
    own = table.get("projects", {}).get(project, {}) if project else {}
    is_own = "allow" in own
    prefix = f"tool.migration-gate.projects.{_toml_key(project)}" if is_own else "tool.migration-gate"
    lines = "".join(f"{key} = {_toml_value(key, value)}\n" for key, value in entry.as_mapping().items())
    start = text if not text or text.endswith("\n") else f"{text}\n"
    new_text = f"{start}\n[[{prefix}.allow]]\n{lines}"
    try:
        new = tomllib.loads(new_text)
    except tomllib.TOMLDecodeError:
        new_text = _add_to_toml_list(text, entry)
        new = tomllib.loads(new_text)
    _verify(table, new["tool"]["migration-gate"], entry, project)
    return new_text


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[\w-]+", name) else json.dumps(name)


def _toml_value(key: str, value: str) -> str:
    return value if key == "until" else json.dumps(value, ensure_ascii=False)


def _add_to_toml_list(text: str, entry: AllowanceEntry) -> str:
    """`allow = [...]`, which no table can follow: the item goes before its last bracket."""
    values = ", ".join(f"{key} = {_toml_value(key, value)}" for key, value in entry.as_mapping().items())
    for match in re.finditer(r"^[ \t]*allow[ \t]*=[ \t]*\[", text, re.MULTILINE):
        for bracket in re.finditer(r"\]", text[match.end() :]):
            for new_text in _insert_item(text, match.end() + bracket.start(), f"{{ {values} }}"):
                if _has_item(new_text, entry):
                    return new_text
    raise EntryNotWritten("`allow` has a form to which nothing can be added")


def _insert_item(text: str, bracket: int, item: str) -> Iterator[str]:
    """The text with the item before a bracket: on a line of its own if the bracket has one."""
    start, end = text[:bracket], text[bracket:]
    above, line_end, before = start.rpartition("\n")
    if line_end and not before.strip():
        last_line = above.rpartition("\n")[2]
        indent = last_line[: len(last_line) - len(last_line.lstrip())]
        yield f"{above}\n{indent}{item},\n{before}{end}"
    yield f"{start}{item}{end}"
    yield f"{start}, {item}{end}"


def _has_item(text: str, entry: AllowanceEntry) -> bool:
    """Whether it is TOML in which some list ends with the entry; `_verify` looks at the rest."""
    try:
        table = tomllib.loads(text).get("tool", {}).get("migration-gate", {})
    except tomllib.TOMLDecodeError:
        return False
    lists = [table.get("allow"), *(item.get("allow") for item in table.get("projects", {}).values())]
    last_items = (items[-1] for items in lists if items)
    return any({key: str(value) for key, value in item.items()} == entry.as_mapping() for item in last_items)


def _verify(old: object, new: object, entry: AllowanceEntry, project: str) -> None:
    """Raise EntryNotWritten if more is different than the one entry at the end of the list."""
    older, newer = _split_allow(old, project), _split_allow(new, project)
    added = {key: str(value) for key, value in dict(newer[1][-1]).items()} if newer[1] else {}
    if older[0] != newer[0] or newer[1][:-1] != older[1] or added != entry.as_mapping():
        raise EntryNotWritten("the entry would change more than itself")


def _split_allow(values: object, project: str) -> tuple[object, Sequence[Mapping[str, object]]]:
    """The values without the list that counts for the project, and that list."""
    top = _as_mapping(values)
    projects = _as_mapping(top.get("projects"))
    own = _as_mapping(projects.get(project)) if project else {}
    if "allow" in own:
        return {**top, "projects": {**projects, project: _without_allow(own)}}, own["allow"] or []
    return _without_allow(top), top.get("allow") or []


def _as_mapping(value: object) -> dict[str, Any]:
    """The value; empty if it is no mapping."""
    return value if isinstance(value, dict) else {}


def _without_allow(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name != "allow"}
