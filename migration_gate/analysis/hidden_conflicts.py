"""Statements that created nothing, because another object had the name: IF NOT EXISTS, or a caught error."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from migration_gate.analysis.description_differences import PartDifference, find_part_differences
from migration_gate.analysis.skipped_origin import find_creator
from migration_gate.analysis.step_location import SoughtPart, is_text_of, locate_command, locate_query
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import ColumnState, Replay, SkippedCreation, Statement, Step, display_name
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import quote_identifier
from migration_gate.wording import count_noun

MAX_PARTS = 8
"""differing parts that the evidence shows"""
NOT_KNOWN = "whether it is alike is not known"


@dataclass(frozen=True, slots=True)
class _Conflict:
    """One object that a statement did not create, and in what the existing one differs."""

    skipped: SkippedCreation
    column: str | None
    differences: tuple[PartDifference, ...]
    """empty if it is not known what the statement would have created"""

    @property
    def name(self) -> str:
        """As reports show it."""
        skipped = self.skipped
        if self.column is not None:
            return f"{display_name(skipped.schema or '', skipped.table or '')}.{self.column}"
        if skipped.kind in ("trigger", "policy", "constraint"):
            return f"{display_name(skipped.schema or '', skipped.table or '')}.{skipped.name}"
        return display_name(skipped.schema or "public", skipped.name)

    @property
    def noun(self) -> str:
        """What the statement calls it."""
        skipped = self.skipped
        description = skipped.wanted or skipped.existing
        return description.kind if skipped.kind in ("type", "view") else skipped.kind

    @property
    def identity(self) -> object:
        """Equal for one statement in one place: a loop over schemas runs it in each."""
        skipped = self.skipped
        return (skipped.kind, skipped.table, skipped.name, self.column, self.differences, skipped.query)


def group_hidden_conflicts(replay: Replay) -> Mapping[int, list[Finding]]:
    """The conflicts of the whole replay, by the number of the step that did not create what it asked for."""
    steps = {step.number: step for step in replay.steps}
    conflicts: dict[tuple[str, object], list[_Conflict]] = defaultdict(list)
    for skipped in replay.skipped_creations:
        step = steps.get(skipped.step)
        if step is not None:
            for conflict in _find_conflicts(replay, step, skipped):
                conflicts[step.revision, conflict.identity].append(conflict)
    findings: dict[int, list[Finding]] = defaultdict(list)
    for first, *others in conflicts.values():
        step = steps[first.skipped.step]
        finding = _describe_conflict(replay, step, first)
        if others:
            schemas = count_noun(len(others), "more schema")
            finding = replace(finding, evidence=(*finding.evidence, Evidence("also", f"in {schemas}")))
        findings[step.number].append(finding)
    return findings


def is_alike(skipped: SkippedCreation) -> bool:
    """Whether what has the name is what the statement would have created."""
    return skipped.wanted is not None and not find_part_differences(skipped.wanted, skipped.existing)


def _find_conflicts(replay: Replay, step: Step, skipped: SkippedCreation) -> Iterator[_Conflict]:
    """One for each column that a statement adds, else one."""
    if skipped.is_gone or _is_right_in_the_end(skipped):
        return
    if skipped.wanted is None:
        yield from _find_unknown_conflict(replay, skipped)
        return
    differences = tuple(
        difference
        for difference in find_part_differences(skipped.wanted, skipped.existing)
        if not _is_settled_in_step(replay, step, skipped, difference)
    )
    if skipped.kind == "column":
        yield from _split_by_column(skipped, differences)
    elif differences:
        yield _Conflict(skipped, None, differences)


def _is_right_in_the_end(skipped: SkippedCreation) -> bool:
    """Whether a later statement gave the existing object what was wanted."""
    if skipped.wanted is None or skipped.final is None:
        return False
    return not find_part_differences(skipped.wanted, skipped.final)


def _find_unknown_conflict(replay: Replay, skipped: SkippedCreation) -> Iterator[_Conflict]:
    """The conflict of a statement that Postgres could not run elsewhere: nothing can be compared."""
    if skipped.problem is None or _was_just_created(replay, skipped):
        return
    columns = skipped.existing.columns if skipped.kind == "column" else ()
    yield _Conflict(skipped, columns[0].name if columns else None, ())


def _split_by_column(skipped: SkippedCreation, differences: Sequence[PartDifference]) -> Iterator[_Conflict]:
    """One ALTER TABLE may add several columns: a conflict for each that differs."""
    by_column: dict[str | None, list[PartDifference]] = defaultdict(list)
    for difference in differences:
        by_column[difference.column].append(difference)
    for name, differences_of_column in by_column.items():
        column = name or skipped.existing.columns[0].name
        yield _Conflict(skipped, column, tuple(differences_of_column))


def _was_just_created(replay: Replay, skipped: SkippedCreation) -> bool:
    """Whether an ALTER TABLE may have added the columns itself: the log had no such column before."""
    if skipped.kind != "column":
        return False
    names = {column.name for column in skipped.existing.columns}
    # The last command before it is the ALTER TABLE itself.
    states = [
        command.columns
        for command in replay.ddl_commands[: skipped.commands_before]
        if command.oid == skipped.oid and command.columns
    ]
    return len(states) < 2 or not names & {column.name for column in states[-2]}


def _is_settled_in_step(
    replay: Replay, step: Step, skipped: SkippedCreation, difference: PartDifference
) -> bool:
    """Whether the same revision provides for the column itself, so that the end is the same either way."""
    if difference.column is None:
        return False
    if difference.is_extra:
        return any(difference.column in statement.sql for statement in _statements_after(step, skipped))
    states = _list_later_states(replay, skipped, difference.column)
    return any(_describe_state(state) == difference.wanted for state in states)


def _list_later_states(replay: Replay, skipped: SkippedCreation, column: str) -> Iterator[ColumnState]:
    """The states that the same step gave to the column after the statement."""
    for command in replay.ddl_commands[skipped.commands_before :]:
        if command.step == skipped.step and command.oid == skipped.oid:
            yield from (state for state in command.columns if state.name == column)


def _statements_after(step: Step, skipped: SkippedCreation) -> Sequence[Statement]:
    for number, statement in enumerate(step.statements):
        if is_text_of(statement.sql, skipped.query):
            return step.statements[number:]
    return step.statements


def _describe_state(column: ColumnState) -> str:
    """The column as descriptions of objects have it."""
    text = f"{quote_identifier(column.name)} {column.type}"
    if not column.nullable:
        text += " NOT NULL"
    return text if column.default is None else f"{text} DEFAULT {column.default}"


def _describe_conflict(replay: Replay, step: Step, conflict: _Conflict) -> Finding:
    skipped = conflict.skipped
    message = f"`{step.revision}` left out the {conflict.noun} `{conflict.name}`: "
    message += (
        "another one of that name was there" if conflict.differences else f"one was there, and {NOT_KNOWN}"
    )
    is_certain = any(not difference.is_extra for difference in conflict.differences)
    return Finding(
        object=f"{step.revision} {conflict.name}",
        message=message,
        location=locate_query(replay, step, skipped.query),
        revision=step.revision,
        evidence=(*_list_evidence(conflict), Evidence("made by", _describe_creator(replay, conflict))),
        fix=_suggest_fix(conflict),
        kind="hidden-conflict",
        severity=None if is_certain else Severity.WARNING,
    )


def _list_evidence(conflict: _Conflict) -> Iterator[Evidence]:
    if not conflict.differences:
        yield Evidence("there", _describe_existing(conflict))
        yield Evidence("unknown", f"Postgres could not create it elsewhere: {conflict.skipped.problem}")
        return
    shown = conflict.differences[:MAX_PARTS]
    more = len(conflict.differences) - len(shown)
    ending = f"; {more} more" if more else ""
    prefix = f"{quote_identifier(conflict.column)} " if conflict.column is not None else ""
    yield Evidence("wanted", "; ".join(part.wanted.removeprefix(prefix) for part in shown) + ending)
    yield Evidence("there", "; ".join(part.existing.removeprefix(prefix) for part in shown) + ending)


def _describe_existing(conflict: _Conflict) -> str:
    existing = conflict.skipped.existing
    columns = (f"{quote_identifier(column.name)} {column.definition}" for column in existing.columns)
    return existing.definition or "; ".join([*columns, *existing.constraints][:MAX_PARTS]) or existing.kind


def _describe_creator(replay: Replay, conflict: _Conflict) -> str:
    command = find_creator(replay, conflict.skipped, conflict.column)
    identifier = replay.find_revision_of_step(command.step) if command is not None else None
    revision = replay.history.find_revision(identifier)
    if revision is None:
        return "something that ran before the first revision"
    if command is not None and command.step == conflict.skipped.step:
        return f"this revision itself, `{revision}`, by an earlier statement"
    location = locate_command(replay, command, _sought_part(conflict)) if command is not None else None
    return f"revision `{revision}` ({location or revision.location}), before this one"


def _sought_part(conflict: _Conflict) -> SoughtPart:
    skipped = conflict.skipped
    return SoughtPart(skipped.kind, conflict.column or skipped.name, skipped.table or skipped.name)


def _suggest_fix(conflict: _Conflict) -> str:
    noun = conflict.noun
    if conflict.skipped.kind == "column":
        return "Alter the column that is there (`op.alter_column`), or add this one under a name of its own."
    return f"Create it without IF NOT EXISTS, under its own name, or alter the {noun} that is there."
