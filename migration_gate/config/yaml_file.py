"""Reads a configuration file in YAML into plain values with the line of each."""

from __future__ import annotations

from pathlib import Path

import yaml

from migration_gate.config.config_file import ConfigFile, read_text
from migration_gate.config.config_keys import Key, format_key, with_underscores
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass

MAX_VALUES = 20_000
"""values in one file; aliases in YAML can multiply a few lines into millions"""
MAX_DEPTH = 20


def read_yaml(file: Path, name: str) -> ConfigFile:
    """A YAML file. Every scalar but null stays text: `off`, `0012` and `1.10` are not converted."""
    text = read_text(file, name)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        message = f"This is not YAML: {error.problem or error.context}."
        raise Misconfigured(message, where=where, advice=_yaml_advice(text, where)) from error
    except yaml.YAMLError as error:
        message = f"`{name}` is not YAML: {str(error).splitlines()[0]}."
        raise Misconfigured(message, where=name, advice="Fix the file.") from error
    if node is None:
        return ConfigFile({}, {}, name, file.parent)
    lines: dict[Key, int] = {}
    values = _YamlBuilder(name, lines).build_value(node, ())
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise Misconfigured(
            "The configuration is not a mapping of keys to values.",
            where=f"{name}:{node.start_mark.line + 1}",
            advice="Write one `key: value` a line, such as `postgres: 17`.",
        )
    return ConfigFile(values, lines, name, file.parent)


def _yaml_advice(text: str, where: str) -> str:
    number = where.rpartition(":")[2]
    lines = text.splitlines()
    if number.isdigit() and int(number) <= len(lines) and "\t" in lines[int(number) - 1]:
        return "Indent with spaces: YAML refuses tabs."
    return "Fix the indentation, or put the value in quotes."


@dataclass
class _YamlBuilder:
    """Turns YAML nodes into values, and notes the line of each key in `lines`."""

    name: str
    lines: dict[Key, int]
    built: int = 0

    def build_value(self, node: yaml.Node, key: Key) -> object:
        self.built += 1
        if self.built > MAX_VALUES or len(key) > MAX_DEPTH:
            raise Misconfigured(
                f"`{self.name}` unfolds to more than a configuration can hold.",
                where=f"{self.name}:{node.start_mark.line + 1}",
                advice="Take out the YAML aliases (`*name`) that repeat or contain themselves.",
            )
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self._build_item(item, (*key, number)) for number, item in enumerate(node.value)]
        return None if node.tag == "tag:yaml.org,2002:null" else node.value

    def _build_item(self, node: yaml.Node, key: Key) -> object:
        self.lines.setdefault(key, node.start_mark.line + 1)
        return self.build_value(node, key)

    def _build_mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, object]:
        values: dict[str, object] = {}
        seen: dict[str, int] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, yaml.ScalarNode):
                raise Misconfigured(
                    "A key must be plain text.", where=f"{self.name}:{line}", advice="Quote it."
                )
            name = str(name_node.value)
            if name in seen:
                path = format_key((*key, name))
                raise Misconfigured(
                    f"`{path}` is written twice: here and on line {seen[name]}.",
                    where=f"{self.name}:{line}",
                    advice="Keep one of the two.",
                )
            seen[name] = line
            inner_key = with_underscores((*key, name))
            self.lines.setdefault(inner_key, line)
            values[name] = self.build_value(value_node, inner_key)
        return values
