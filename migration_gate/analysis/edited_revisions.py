"""Revisions of the base whose SQL, or whose trace in the catalog, is another one with the change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import groupby

from migration_gate.analysis.generated_values import mask_random_parts
from migration_gate.analysis.history_change import HistoryChange, KeptRevision, find_text
from migration_gate.analysis.revision_code import count_constants, normalize_code, uses_generator
from migration_gate.analysis.revision_inputs import ChangedInputs, find_changed_inputs
from migration_gate.analysis.sql_comparison import SqlDifference, StatementPair, ValuePair, compare_sql
from migration_gate.facts import DdlCommand, Replay, Revision, Statement
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class EditedRevision:
    """A revision that does something else than at the base."""

    revision: Revision
    """as it is now"""
    is_own: bool
    """its own text was edited"""
    causes: tuple[str, ...] = ()
    """the files from which the difference comes, if it is not its own; none if that is not known"""
    pairs: tuple[StatementPair, ...] = ()
    """the statements that differ"""
    commands_before: tuple[str, ...] = ()
    """what it did to the catalog at the base, and does no more; given if no statement differs"""
    commands_now: tuple[str, ...] = ()

    @property
    def has_equal_statements(self) -> bool:
        """Whether the differing statements have the same text, and other values."""
        return not any(
            pair.before is None or pair.now is None or pair.before.sql != pair.now.sql for pair in self.pairs
        )


@dataclass(frozen=True)
class _Run:
    """One replay, by revision."""

    replay: Replay

    @cached_property
    def order(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.revision for step in self.replay.steps))

    @cached_property
    def statements(self) -> Mapping[str, list[Statement]]:
        statements: dict[str, list[Statement]] = {}
        for step in self.replay.steps:
            statements.setdefault(step.revision, []).extend(step.list_run())
        return statements

    @cached_property
    def commands(self) -> Mapping[str, list[DdlCommand]]:
        revisions = {step.number: step.revision for step in self.replay.steps}
        commands: dict[str, list[DdlCommand]] = {}
        for command in self.replay.ddl_commands:
            if command.step in revisions:
                commands.setdefault(revisions[command.step], []).append(command)
        return commands


def find_edited(change: HistoryChange, replay: Replay) -> Iterator[EditedRevision]:
    """The revisions of the base that do something else now, in the order of the replay.

    What follows from an earlier difference, and what differs by chance in each run, is left out.
    """
    if change.base.facts is None:
        return
    before, now = _Run(change.base.facts.replay), _Run(replay)
    has_difference = False
    kept = {pair.now.id: pair for pair in change.kept}
    for number, revision in enumerate(now.order):
        pair = kept.get(revision)
        has_difference = has_difference or before.order[number : number + 1] != (revision,)
        if pair is None or revision not in before.statements:
            continue
        edited = _compare_revision(change, pair, before, now, has_difference=has_difference)
        if edited is not None:
            has_difference = True
            yield edited


def _compare_revision(
    change: HistoryChange, pair: KeptRevision, before: _Run, now: _Run, *, has_difference: bool
) -> EditedRevision | None:
    """What the revision does otherwise; `has_difference` if an earlier one does, too."""
    revision = pair.now
    difference = compare_sql(before.statements[revision.id], now.statements[revision.id])
    effect = _Effect(before.commands.get(revision.id, []), now.commands.get(revision.id, []))
    if difference is None and not effect.is_other(compares_states=not has_difference):
        return None
    text = find_text(change.now, revision)
    inputs = find_changed_inputs(text, revision.location.file, _list_other_files(change, now.replay))
    code = _Code(find_text(change.before, pair.before), text, inputs)
    if code.is_unchanged and (difference is None or has_difference):
        return None  # it follows from what ran before
    edited = EditedRevision(revision, not code.has_same_text, code.inputs.files)
    if difference is None:
        gone, added = effect.gone.elements(), effect.added.elements()
        return replace(edited, commands_before=tuple(gone), commands_now=tuple(added))
    return None if _is_chance(difference, code) else replace(edited, pairs=difference.pairs)


@dataclass(frozen=True)
class _Effect:
    """What a revision did to the catalog, at the base and now."""

    before: list[DdlCommand]
    now: list[DdlCommand]

    @cached_property
    def gone(self) -> Counter[str]:
        """What it does no more, by name."""
        return _name_commands(self.before) - _name_commands(self.now)

    @cached_property
    def added(self) -> Counter[str]:
        """What it did not do at the base, by name."""
        return _name_commands(self.now) - _name_commands(self.before)

    def is_other(self, *, compares_states: bool) -> bool:
        """Whether it did something else, or left another state behind if these are compared."""
        if self.before == self.now:
            return False
        if self.gone or self.added:
            return True
        return compares_states and _list_states(self.before) != _list_states(self.now)


@dataclass(frozen=True)
class _Code:
    """The text of a revision at the base and now, and what else changed of that on which it depends."""

    before: str
    now: str
    inputs: ChangedInputs

    @property
    def is_unchanged(self) -> bool:
        """Whether the same code ran with the same inputs."""
        return self.has_same_text and not self.inputs

    @cached_property
    def has_same_text(self) -> bool:
        """Whether its own text is the same, but for its layout; an unknown text counts as such."""
        if not self.before or not self.now or self.before == self.now:
            return True
        return normalize_code(self.before) == normalize_code(self.now)

    def has_written(self, value: str) -> bool:
        """Whether the value stands in one of the texts."""
        return any(value and value in constant for constant in self._constants)

    @cached_property
    def _constants(self) -> Counter[str]:
        return count_constants(self.before) + count_constants(self.now)

    @cached_property
    def has_same_constants(self) -> bool:
        """Whether the same values stand in both texts."""
        return count_constants(self.before) == count_constants(self.now)


def _is_chance(difference: SqlDifference, code: _Code) -> bool:
    """Whether the same code may have made the difference: random values, the time, the order of a set."""
    if difference.values is None:
        return difference.is_name or (code.is_unchanged and difference.is_order)
    if code.is_unchanged or all(_is_generated(value, code) for value in difference.values):
        return True
    return code.has_same_constants and uses_generator(code.now)


def _is_generated(value: ValuePair, code: _Code) -> bool:
    """Whether a value looks as if it was made while the revision ran, and is not written in it."""
    return value.looks_generated and not (code.has_written(value.before) or code.has_written(value.now))


def _list_other_files(change: HistoryChange, replay: Replay) -> list[str]:
    """The changed files that are no revisions."""
    revision_files = {revision.location.file for revision in change.now.revisions}
    return [path for path in replay.changed_files if path not in revision_files]


def _name_commands(commands: list[DdlCommand]) -> Counter[str]:
    return Counter(mask_random_parts(f"{command.tag} {command.identity}".strip()) for command in commands)


def _list_states(commands: list[DdlCommand]) -> list[object]:
    """What the commands left behind, without what is another one in each database.

    Of indexes that are made one after the other, in whatever order, the last leaves the state of its table.
    """
    states: list[object] = []
    for makes_index, run in groupby(commands, key=lambda command: command.tag == "CREATE INDEX"):
        if makes_index:
            last_by_table = {command.oid: command for command in run}
            states += sorted(map(_describe_state, last_by_table.values()), key=repr)
        else:
            names = ((command, mask_random_parts(command.identity)) for command in run)
            states += [(command.tag, name, _describe_state(command)) for command, name in names]
    return states


def _describe_state(command: DdlCommand) -> tuple[object, ...]:
    return (
        command.columns,
        [replace(item, oid=0) for item in command.constraints],
        [replace(item, oid=0) for item in command.indexes],
        command.table,
        replace(command.object, oid=0) if command.object is not None else None,
        command.dropped,
    )
