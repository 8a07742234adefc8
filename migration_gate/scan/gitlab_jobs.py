"""The jobs of GitLab's CI that run the gate, and includes of its component."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from migration_gate.facts import GateRun, GateTrigger, Location
from migration_gate.scan.workflow_values import (
    describe_node,
    find_line,
    find_reference,
    find_value,
    is_gate_command,
    list_entries,
    list_items,
    read_mapping,
    read_text,
    read_texts,
)

CONDITION_KEYS = ("rules", "only", "except", "when")
INCLUDED = re.compile(r"(?:^|[/ ])migration-gate(?:[@/.]|$)")
SCRIPTS = ("before_script", "script", "after_script")


def list_gitlab_runs(path: str, text: str) -> Iterator[GateRun]:
    """The runs of one file."""
    document = read_mapping(text)
    jobs = dict(list_entries(document))
    for name, job in jobs.items():
        if name == "include":
            yield from _list_includes(path, job)
        elif not name.startswith(".") and (script := _find_script(job, jobs)):
            yield GateRun(
                name,
                Location(path, find_line(job) - 1),
                triggers=(GateTrigger(""),),
                conditions=tuple(_list_conditions(job, jobs)),
                is_optional=_is_optional(job) or "|| true" in script,
                reference=find_reference(_read_image(job, jobs)) or find_reference(script),
                inputs=(script,),
            )


def _list_includes(path: str, node: yaml.Node) -> Iterator[GateRun]:
    """`include:` of a component, a project or a file that is named after the gate."""
    for item in list_items(node) or (node,):
        text = describe_node(item)
        if INCLUDED.search(text):
            yield GateRun("include", Location(path, find_line(item)), reference=find_reference(text))


def _find_script(job: yaml.Node, jobs: dict[str, yaml.Node]) -> str:
    """The script of a job, or of what it extends, if it runs the gate; else ''."""
    for node in _with_templates(job, jobs):
        for key in SCRIPTS:
            lines = read_texts(find_value(node, key))
            if any(map(is_gate_command, lines)) or is_gate_command("\n".join(lines)):
                return " ".join(" ".join(lines).split())
    return ""


def _with_templates(job: yaml.Node, jobs: dict[str, yaml.Node]) -> Iterator[yaml.Node]:
    """The job and the jobs that it extends, the nearest first."""
    pending, seen = [job], set[int]()
    while pending:
        node = pending.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        pending += [jobs[name] for name in read_texts(find_value(node, "extends")) if name in jobs]
        merged = find_value(node, "<<")
        pending += [*list_items(merged)] or ([merged] if merged is not None else [])


def _list_conditions(job: yaml.Node, jobs: dict[str, yaml.Node]) -> Iterator[str]:
    for key in CONDITION_KEYS:
        nodes = (find_value(node, key) for node in _with_templates(job, jobs))
        value = next((node for node in nodes if node is not None), None)
        if value is not None and describe_node(value) not in ("always", "on_success"):
            yield f"{key}: {describe_node(value)}"


def _is_optional(job: yaml.Node) -> bool:
    node = find_value(job, "allow_failure")
    return node is not None and read_text(node).lower() != "false"


def _read_image(job: yaml.Node, jobs: dict[str, yaml.Node]) -> str:
    for node in _with_templates(job, jobs):
        image = find_value(node, "image")
        if image is not None:
            return describe_node(image)
    return ""
