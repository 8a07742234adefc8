"""Runs of the gate in CI that are gone, or happen less often, or no longer fail, since the base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.analysis.loosened_settings import Loosening
from migration_gate.analysis.pattern_coverage import list_uncovered
from migration_gate.facts import GateRun, GateTrigger
from migration_gate.wording import join_words

DEFAULT_TYPES = {"pull_request": ("opened", "synchronize", "reopened")}
"""which activities of an event start a workflow that does not say"""
ON_DEMAND = frozenset({"workflow_dispatch", "repository_dispatch", "schedule"})
"""events that no change starts"""
UNPINNED = "no version of its own"


def find_loosened_runs(base: Sequence[GateRun], change: Sequence[GateRun]) -> Iterator[Loosening]:
    """Each run of the base beside the run of the change that stands for it."""
    partners = _pair_runs(base, change)
    for number, older in enumerate(base):
        newer = partners.get(number)
        if newer is None:
            yield _describe_gone(older, next((run for run in change if _is_same_job(older, run)), None))
        else:
            yield from _compare_runs(older, newer)


def _describe_gone(older: GateRun, other: GateRun | None) -> Loosening:
    """A run of the base that nothing stands for; `other` is one that its job still has."""
    file = older.location.file
    name = f"{file} {older.name}"
    if other is None:
        message = f"`{file}` no longer runs the gate in `{older.name}`"
        return Loosening("workflow", name, message, None, "runs it", "does not")
    was = ", ".join(older.inputs) or "without options"
    message = f"`{file}` runs the gate in `{older.name}` once less"
    return Loosening("workflow", f"{name} number", message, other.location, was, "nothing")


def _pair_runs(base: Sequence[GateRun], change: Sequence[GateRun]) -> dict[int, GateRun]:
    """By the place of a run of the base: alike and in the same job, else that job, the same file, or any."""
    remaining = list(change)
    partners: dict[int, GateRun] = {}
    for is_same in (_is_same_run, _is_same_job, _is_same_file, _is_any):
        for number, older in enumerate(base):
            newer = next((run for run in remaining if is_same(older, run)), None)
            if number not in partners and newer is not None:
                remaining.remove(newer)
                partners[number] = newer
    return partners


def _is_same_run(older: GateRun, newer: GateRun) -> bool:
    return _is_same_job(older, newer) and (older.reference, older.inputs) == (newer.reference, newer.inputs)


def _is_same_job(older: GateRun, newer: GateRun) -> bool:
    return (older.location.file, older.name) == (newer.location.file, newer.name)


def _is_same_file(older: GateRun, newer: GateRun) -> bool:
    return older.location.file == newer.location.file


def _is_any(_older: GateRun, _newer: GateRun) -> bool:
    return True


def _compare_runs(older: GateRun, newer: GateRun) -> Iterator[Loosening]:
    name = f"{newer.location.file} {newer.name}"
    for part, message in _compare_triggers(older, newer):
        text = f"`{newer.location.file}` runs the gate in `{newer.name}` {message}"
        yield Loosening("workflow", f"{name} {part}", text, newer.location)
    yield from _compare_conditions(older, newer, name)
    if newer.is_optional and not older.is_optional:
        text = f"`{newer.location.file}` goes on when the gate in `{newer.name}` fails"
        yield Loosening("workflow", f"{name} failure", text, newer.location)
    if older.reference != newer.reference:
        was, becomes = older.reference or UNPINNED, newer.reference or UNPINNED
        versions = " to ".join(name if name == UNPINNED else f"`{name}`" for name in (was, becomes))
        text = f"the gate in `{newer.name}` of `{newer.location.file}` went from {versions}"
        yield Loosening("pin", name, text, newer.location, was, becomes, is_certain=False)
    yield from _compare_inputs(older, newer, name)


def _compare_inputs(older: GateRun, newer: GateRun, name: str) -> Iterator[Loosening]:
    """Inputs or options that differ: they may be stricter, so that is only said."""
    gone = [text for text in older.inputs if text not in newer.inputs]
    added = [text for text in newer.inputs if text not in older.inputs]
    if gone or added:
        was, becomes = ", ".join(gone) or "nothing", ", ".join(added) or "nothing"
        text = f"`{newer.location.file}` gives the gate in `{newer.name}` other options"
        yield Loosening("workflow", f"{name} options", text, newer.location, was, becomes, is_certain=False)


def _compare_triggers(older: GateRun, newer: GateRun) -> Iterator[tuple[str, str]]:
    """Events that are gone, or have narrower limits, in words that follow `runs the gate in ... `."""
    by_event = {trigger.event: trigger for trigger in newer.triggers}
    for trigger in older.triggers:
        if trigger.event in ON_DEMAND:
            continue
        if trigger.event not in by_event:
            yield trigger.event, f"no longer for `{trigger.event}`"
        else:
            yield from _compare_limits(trigger, by_event[trigger.event])


def _compare_limits(older: GateTrigger, newer: GateTrigger) -> Iterator[tuple[str, str]]:
    event = newer.event
    default = DEFAULT_TYPES.get(event, ())
    lists = (
        ("paths", older.paths, newer.paths),
        ("branches", older.branches, newer.branches),
        ("types", older.types or default, newer.types or default),
    )
    for key, patterns, new_patterns in lists:
        if message := _describe_narrower(patterns, new_patterns):
            yield f"{event}.{key}", f"for fewer {key} of `{event}`: {message}"
    ignored = (
        ("paths-ignore", older.ignored_paths, newer.ignored_paths),
        ("branches-ignore", older.ignored_branches, newer.ignored_branches),
    )
    for key, patterns, new_patterns in ignored:
        if added := list_uncovered(new_patterns, patterns):
            yield f"{event}.{key}", f"for less of `{event}`: `{key}` also has {join_words(added)}"


def _describe_narrower(older: Sequence[str], newer: Sequence[str]) -> str:
    """How a list of patterns is narrower; an empty one stands for everything. '' if it is not."""
    if not newer:
        return ""
    if not older:
        return f"only {join_words(newer)}"
    kept = [pattern for pattern in older if not pattern.startswith("!")]
    if gone := list_uncovered(kept, newer):
        return f"no longer {join_words(gone)}"
    excepted = [pattern for pattern in newer if pattern.startswith("!") and pattern not in older]
    return f"now with {join_words(excepted)}" if excepted else ""


def _compare_conditions(older: GateRun, newer: GateRun, name: str) -> Iterator[Loosening]:
    """Conditions that were not there. Whether another text of one is narrower, nobody can tell."""
    added = [condition for condition in newer.conditions if condition not in older.conditions]
    if added:
        text = f"`{newer.location.file}` runs the gate in `{newer.name}` only if {join_words(added)}"
        gone = [condition for condition in older.conditions if condition not in newer.conditions]
        was = " and ".join(gone) or "no condition"
        is_certain = len(newer.conditions) > len(older.conditions)
        yield Loosening("workflow", f"{name} if", text, newer.location, was, " and ".join(added), is_certain)
