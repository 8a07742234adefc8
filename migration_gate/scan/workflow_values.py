"""YAML of CI files as nodes, which know their line; every scalar is text, so `on:` stays `on`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

GATE_COMMAND = re.compile(
    r"(?:^|[\s;&|(`\"'/])(?:migration-gate|-m\s+migration_gate|migration-gate(?:\[[^\]]*\])?[:@=]+[^\s\"']+)"
    r"[\"']?(?:\s+--?[\w-]+(?:[= ](?!check\b)\S+)?)*\s+check(?![\w-])"
)
"""`migration-gate check`, also with options before `check`, in an image, by uvx, or as a module"""
REFERENCE = re.compile(r"migration-gate(?:/[\w./-]*)?(?:\[[^\]]*\])?(?:==|[@:])\s*([\w][\w.:-]*)")
"""what follows the name: `@<commit>`, `:0.1.0`, `==0.1.0`"""
MAX_BYTES = 1 << 20


def read_mapping(text: str) -> yaml.Node | None:
    """The document; the last one of several, as GitLab's components have them; None if it is no YAML."""
    if len(text) > MAX_BYTES:
        return None
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.BaseLoader))
    except yaml.YAMLError:
        return None
    return documents[-1] if documents else None


def list_entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """The keys of a mapping with their values; nothing of another node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value


def find_value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key of a mapping."""
    return next((value for name, value in list_entries(node) if name == key), None)


def list_items(node: yaml.Node | None) -> tuple[yaml.Node, ...]:
    """The items of a list; nothing of another node."""
    return tuple(node.value) if isinstance(node, yaml.SequenceNode) else ()


def read_text(node: yaml.Node | None) -> str:
    """A scalar as text; '' of another node."""
    return str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""


def read_texts(node: yaml.Node | None) -> tuple[str, ...]:
    """A list of scalars, or one of them; of a mapping its keys."""
    if isinstance(node, yaml.ScalarNode):
        return (read_text(node),) if node.value else ()
    if isinstance(node, yaml.MappingNode):
        return tuple(name for name, _ in list_entries(node))
    return tuple(text for item in list_items(node) if (text := read_text(item)))


def find_line(node: yaml.Node) -> int:
    """The line of a node, counted from 1."""
    return int(node.start_mark.line) + 1


def describe_node(node: yaml.Node | None) -> str:
    """A node as one line of text that is equal for equal values."""
    if isinstance(node, yaml.SequenceNode):
        return f"[{', '.join(map(describe_node, node.value))}]"
    if isinstance(node, yaml.MappingNode):
        return f"{{{', '.join(f'{name}: {describe_node(value)}' for name, value in list_entries(node))}}}"
    return read_text(node)


def is_gate_command(text: str) -> bool:
    """Whether a script runs the gate; comments do not."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return GATE_COMMAND.search(re.sub(r"\\\n\s*", " ", code)) is not None


def find_reference(text: str) -> str:
    """The version of the gate that a text names; '' if it names none."""
    match = REFERENCE.search(text)
    return match[1].rstrip(".:") if match else ""
