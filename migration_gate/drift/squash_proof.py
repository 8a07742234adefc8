"""Shows whether a squash leaves the catalog that the revisions left which it replaces."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from migration_gate.analysis.history_change import HistoryChange, Squash, compare_histories
from migration_gate.drift.changed_objects import ChangedObject, find_changes, noun_of, table_of, texts_of
from migration_gate.facts import Facts, ObjectChange, Replay, Snapshot, SquashProof, Step
from migration_gate.lazy_dataclass import dataclass


def prove_squash(facts: Facts) -> Facts:
    """The facts; where the change squashes revisions, with every object that differs after it."""
    change = compare_histories(facts)
    if change is None or change.squash is None or change.base.facts is None:
        return facts
    if not (facts.replay.is_complete and change.base.facts.replay.is_complete):
        return facts
    proof = min(_list_proofs(facts.replay, change, change.squash), key=_rank_proof, default=None)
    return replace(facts, base=replace(change.base, squash_proof=proof))


def _rank_proof(proof: SquashProof) -> tuple[bool, int]:
    """The best one is without differences, the next one with few that are certain."""
    return bool(proof.differences), sum(1 for item in proof.differences if item.is_known)


def _list_proofs(replay: Replay, change: HistoryChange, squash: Squash) -> Iterator[SquashProof]:
    """A proof for each revision that may be the last one of the squash: further new ones may follow it."""
    assert change.base.facts is not None  # noqa: S101 - tells mypy
    before = change.base.facts.replay.catalog
    for state in _list_states(replay, squash):
        yield SquashProof(state.revision, tuple(_compare(before, state, replay)))


@dataclass(frozen=True, slots=True)
class _State:
    """A catalog after the squash."""

    revision: str
    """the last one of the squash"""
    catalog: Snapshot
    last_step: int | None = None
    """the step after which the catalog should have been read; None if it was"""


def _list_states(replay: Replay, squash: Squash) -> Iterator[_State]:
    """The catalogs that may be the one after the squash."""
    if squash.survivors:
        yield _find_state_before_survivors(replay, squash)
        return
    replacements = {revision.id for revision in squash.replacements}
    for step in replay.steps:
        if step.revision in replacements:
            yield _find_state_after(replay, step)


def _find_state_before_survivors(replay: Replay, squash: Squash) -> _State:
    """The catalog with the revisions of the base that follow the squash: they ran at the base as well."""
    kept = {revision.id for revision in squash.survivors}
    parents = {parent for revision in squash.survivors for parent in revision.parents}
    last_ids = [item.id for item in squash.replacements if item.id in parents]
    last_id = next(iter(last_ids), squash.replacements[-1].id)
    last_step = max((step.number for step in replay.steps if step.revision in kept), default=0)
    if last_step == _last_number(replay):
        return _State(last_id, replay.catalog)
    read = _read_state_after(replay, last_step, {*kept, *(item.id for item in squash.replacements)})
    return _State(last_id, replay.catalog, last_step) if read is None else _State(last_id, read)


def _read_state_after(replay: Replay, number: int, revisions: Collection[str]) -> Snapshot | None:
    """The catalog after a step, if it was read and nothing but these revisions had run by then."""
    if any(step.revision not in revisions for step in replay.steps if step.number <= number):
        return None
    states = {step.number: step for step in replay.steps}
    after = states[number].after if number in states else None
    following = states.get(number + 1)
    return following.before if after is None and following is not None else after


def _find_state_after(replay: Replay, step: Step) -> _State:
    if step.number == _last_number(replay):
        return _State(step.revision, replay.catalog)
    if step.after is not None:
        return _State(step.revision, step.after)
    return _State(step.revision, replay.catalog, step.number)


def _last_number(replay: Replay) -> int:
    return max((step.number for step in replay.steps), default=0)


def _compare(before: Snapshot, state: _State, replay: Replay) -> Iterator[ObjectChange]:
    now, last_step = state.catalog, state.last_step
    later = _list_later_objects(replay, last_step) if last_step is not None else frozenset()
    for changed in find_changes(before, now):
        before_text, after_text = texts_of(changed, before, now)
        yield ObjectChange(
            object=str(changed.item),
            noun=noun_of(changed.item),
            before=before_text,
            after=after_text,
            is_known=later.isdisjoint(_name_object(changed)),
        )


def _list_later_objects(replay: Replay, last_step: int) -> frozenset[str]:
    """`schema.name` of what revisions after a step change."""
    names = set()
    for command in replay.ddl_commands:
        if command.step > last_step:
            state = command.table or command.object
            names.add(f"{state.schema}.{state.name}" if state is not None else command.identity)
            names.add(command.identity)
    return frozenset(names)


def _name_object(changed: ChangedObject) -> frozenset[str]:
    item = changed.item
    names = {str(item), getattr(item, "full_name", str(item))}
    table = table_of(item)
    return frozenset(names | {table} if table is not None else names)
