"""Jobs and steps of GitHub's workflows that run the gate, themselves or by a local workflow or action."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

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

GATE_NAME = re.compile(r"(?:^|[/:])migration-gate(?:[/@:]|$)")
LOCAL = "./"
CALLED = "workflow_call"
ALWAYS = frozenset({"always()", "!cancelled()", "success() || failure()", "true", ""})
"""conditions that keep nothing from running"""
MAX_DEPTH = 4
"""workflows that call each other"""


class GitHubWorkflows:
    """The workflows and local actions of a repository, by path."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._documents: dict[str, yaml.Node | None] = {}

    def list_runs(self, path: str) -> Iterator[GateRun]:
        """The runs that the events of one workflow start."""
        triggers = tuple(_list_triggers(find_value(self._read(path), "on")))
        started = tuple(trigger for trigger in triggers if trigger.event != CALLED)
        if started:
            for run in self._list_jobs(path, MAX_DEPTH):
                yield replace(run, triggers=started)

    def _read(self, path: str) -> yaml.Node | None:
        if path not in self._documents:
            self._documents[path] = read_mapping(self._texts.get(path, ""))
        return self._documents[path]

    def _list_jobs(self, path: str, depth: int) -> Iterator[GateRun]:
        """The runs of all jobs, without triggers."""
        if depth == 0:
            return
        for name, job in list_entries(find_value(self._read(path), "jobs")):
            uses = read_text(find_value(job, "uses"))
            runs = (
                self._list_called(path, name, job, uses, depth) if uses else self._list_steps(path, name, job)
            )
            for run in runs:
                yield _limit_run(run, job)

    def _list_called(self, path: str, name: str, job: yaml.Node, uses: str, depth: int) -> Iterator[GateRun]:
        """The run of a job that calls a workflow: the gate's own, or one of this repository."""
        location = Location(path, find_line(job))
        if GATE_NAME.search(uses):
            yield GateRun(name, location, reference=find_reference(uses), inputs=_list_inputs(job))
        elif uses.startswith(LOCAL):
            for run in self._list_jobs(posixpath.normpath(uses), depth - 1):
                yield replace(run, name=name, location=location)

    def _list_steps(self, path: str, name: str, job: yaml.Node) -> Iterator[GateRun]:
        for step in list_items(find_value(job, "steps")):
            if run := self._read_step(path, name, step):
                yield _limit_run(run, step)

    def _read_step(self, path: str, name: str, step: yaml.Node) -> GateRun | None:
        """The run of a step, if it runs the gate."""
        uses, script = read_text(find_value(step, "uses")), read_text(find_value(step, "run"))
        location = Location(path, find_line(step))
        if GATE_NAME.search(uses) or (uses.startswith(LOCAL) and self._is_gate_action(uses)):
            return GateRun(name, location, reference=find_reference(uses), inputs=_list_inputs(step))
        if is_gate_command(script):
            return GateRun(
                name,
                location,
                is_optional=re.search(r"\|\|\s*(true|:|exit 0)", script) is not None,
                reference=find_reference(script),
                inputs=(" ".join(script.split()),),
            )
        return None

    def _is_gate_action(self, uses: str) -> bool:
        """Whether a local action runs the gate."""
        folder = posixpath.normpath(uses)
        for name in ("action.yml", "action.yaml"):
            text = self._texts.get(posixpath.normpath(posixpath.join(folder, name)), "")
            if re.search(r"uses:\s*\S*migration-gate[@/:]|image:.*migration-gate", text) or is_gate_command(
                text
            ):
                return True
        return False


def _list_triggers(node: yaml.Node | None) -> Iterator[GateTrigger]:
    """`on: push`, `on: [push]`, or a mapping of events to what limits them."""
    if not isinstance(node, yaml.MappingNode):
        yield from (GateTrigger(event) for event in read_texts(node))
        return
    for event, limits in list_entries(node):
        yield GateTrigger(
            event,
            paths=read_texts(find_value(limits, "paths")),
            ignored_paths=read_texts(find_value(limits, "paths-ignore")),
            branches=read_texts(find_value(limits, "branches")),
            ignored_branches=read_texts(find_value(limits, "branches-ignore")),
            types=read_texts(find_value(limits, "types")),
        )


def _limit_run(run: GateRun, node: yaml.Node) -> GateRun:
    """The run with what a job or step around it says."""
    condition = read_text(find_value(node, "if"))
    plain = condition.removeprefix("${{").removesuffix("}}").strip()
    optional = read_text(find_value(node, "continue-on-error"))
    return replace(
        run,
        conditions=run.conditions if plain in ALWAYS else (*run.conditions, plain),
        is_optional=run.is_optional or optional.lower() not in ("", "false"),
    )


def _list_inputs(node: yaml.Node) -> tuple[str, ...]:
    """`fail-on: error` for each input; none that is secret is shown: an expression stays one."""
    return tuple(f"{name}: {describe_node(value)}" for name, value in list_entries(find_value(node, "with")))
