"""Revisions of the base whose SQL, or whose trace in the catalog, is another one with the change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from migration_gate.analysis.generated_values import mask_random_parts
from migration_gate.analysis.history_change import HistoryChange, KeptRevision, find_text
from migration_gate.analysis.revision_code import count_constants, normalize_code, uses_generator
from migration_gate.analysis.revision_inputs import ChangedInputs, find_changed_inputs
from migration_gate.analysis.sql_comparison import SqlDifference, StatementPair, compare_sql
from migration_gate.facts import DdlCommand, Replay, Revision, Statement


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
            statements.setdefault(step.revision, []).extend(step.statements)
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
    revision = pair.now
    difference = compare_sql(before.statements[revision.id], now.statements[revision.id])
    old_commands, new_commands = before.commands.get(revision.id, []), now.commands.get(revision.id, [])
    commands_differ = old_commands != new_commands
    names_differ = commands_differ and _name_commands(old_commands) != _name_commands(new_commands)
    states_differ = (
        commands_differ and not has_difference and _list_states(old_commands) != _list_states(new_commands)
    )
    if difference is None and not names_differ and not states_differ:
        return None
    texts = _Texts(find_text(change.before, pair.before), find_text(change.now, revision))
    inputs = find_changed_inputs(texts.now, revision.location.file, _list_other_files(change, now.replay))
    if difference is not None:
        if _is_chance(difference, texts, inputs) or (texts.are_same and not inputs and has_difference):
            return None
        return EditedRevision(revision, not texts.are_same, inputs.files, difference.pairs)
    if texts.are_same and not inputs:
        return None  # it follows from what ran before
    gone = _name_commands(old_commands) - _name_commands(new_commands)
    added = _name_commands(new_commands) - _name_commands(old_commands)
    return EditedRevision(
        revision, not texts.are_same, inputs.files, (), tuple(gone.elements()), tuple(added.elements())
    )


@dataclass(frozen=True)
class _Texts:
    """The file of a revision at the base and now."""

    before: str
    now: str

    @cached_property
    def are_same(self) -> bool:
        """Whether the code is the same; an unknown text counts as such."""
        if not self.before or not self.now or self.before == self.now:
            return True
        return normalize_code(self.before) == normalize_code(self.now)

    def have(self, value: str) -> bool:
        """Whether the value is written in one of the texts."""
        return any(value and value in constant for constant in self._constants)

    @cached_property
    def _constants(self) -> Counter[str]:
        return count_constants(self.before) + count_constants(self.now)

    @cached_property
    def have_same_constants(self) -> bool:
        return count_constants(self.before) == count_constants(self.now)


def _is_chance(difference: SqlDifference, texts: _Texts, inputs: ChangedInputs) -> bool:
    """Whether the same code may have made the difference: random values, the time, the order of a set."""
    is_unchanged = texts.are_same and not inputs
    if difference.values is None:
        return difference.is_name or (is_unchanged and difference.is_order)
    if is_unchanged:
        return True
    if all(
        value.looks_generated and not texts.have(value.before) and not texts.have(value.now)
        for value in difference.values
    ):
        return True
    return texts.have_same_constants and uses_generator(texts.now)


def _list_other_files(change: HistoryChange, replay: Replay) -> list[str]:
    """The changed files that are no revisions."""
    revision_files = {revision.location.file for revision in change.now.revisions}
    return [path for path in replay.changed_files if path not in revision_files]


def _name_commands(commands: list[DdlCommand]) -> Counter[str]:
    return Counter(mask_random_parts(f"{command.tag} {command.identity}".strip()) for command in commands)


def _list_states(commands: list[DdlCommand]) -> list[object]:
    """What the commands left behind, without what is another one in each database."""
    return [
        (
            command.tag,
            mask_random_parts(command.identity),
            command.columns,
            [replace(item, oid=0) for item in command.constraints],
            [replace(item, oid=0) for item in command.indexes],
            command.table,
            replace(command.object, oid=0) if command.object is not None else None,
            command.dropped,
        )
        for command in commands
    ]
