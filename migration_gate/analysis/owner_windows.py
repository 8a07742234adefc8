"""Owner rules that are broken after one revision of a change, and kept again after a later one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from migration_gate.analysis.origin import make_origin, sought_part
from migration_gate.analysis.ownership import OwnerColumn, list_owner_columns
from migration_gate.check import Evidence, Finding, Severity
from migration_gate.facts import Facts, Origin, Replay, Snapshot, Step
from migration_gate.lazy_dataclass import dataclass

KIND = "between-revisions"
"""of the findings about it"""
_COMMITTED = (
    "they are not in one transaction: what `{opened}` left is committed before `{closed}` runs, and rows "
    "can be written in between"
)
_IN_ONE_TRANSACTION = (
    "one transaction held both here, so nobody saw it; it is seen where they are run one by one"
)
_FIX = "Do it in one revision, so that no other session ever sees the table in between{more}."

ColumnKey = tuple[int, int]
"""oid of the table, number of the column"""
BreaksRule = Callable[[OwnerColumn], bool]


@dataclass(frozen=True, slots=True)
class OwnerWindow:
    """A rule about an owner column that did not hold between two revisions of the change."""

    owned: OwnerColumn
    """as it was meanwhile"""
    opened: Step
    """after it, the rule was broken"""
    closed: Step
    """after it, the rule was kept again"""
    is_committed: bool
    """other sessions could see it"""


def find_owner_windows(
    facts: Facts, breaks_rule: BreaksRule, message: str, fix: str = ""
) -> Iterator[Finding]:
    """A finding for each window. `message` is the clause after the column's name, in the past tense."""
    for window in list_owner_windows(facts, breaks_rule):
        opened, closed = window.opened.revision, window.closed.revision
        evidence = _COMMITTED if window.is_committed else _IN_ONE_TRANSACTION
        origin = _find_opening(facts.replay, window)
        yield Finding(
            str(window.owned.column),
            f"`{window.owned.column}` {message} between the revisions `{opened}` and `{closed}`",
            origin.location,
            origin.revision,
            (Evidence("transactions", evidence.format(opened=opened, closed=closed)),),
            _FIX.format(more=fix),
            KIND,
            Severity.WARNING if window.is_committed else Severity.NOTE,
        )


def list_owner_windows(facts: Facts, breaks_rule: BreaksRule) -> Iterator[OwnerWindow]:
    """The windows that the change opens and closes again, one for each column.

    A rule that was broken before the change, or is broken after it, makes none: that is another finding.
    """
    for steps in _group_new_steps(facts):
        states = [step.after for step in steps]
        first = steps[0].before
        tables = _list_altered_tables(facts.replay, steps)
        if first is None or len(steps) < 2 or not tables:
            continue
        broken_before = _find_breaches(facts, first, tables, breaks_rule)
        broken = [_find_breaches(facts, state, tables, breaks_rule) for state in states if state is not None]
        kept_at_end = _list_columns(facts, steps[-1].after, tables) - broken[-1].keys()
        for key in sorted(kept_at_end - broken_before.keys()):
            window = _find_window(key, steps, broken)
            if window is not None:
                yield window


def _find_window(
    key: ColumnKey, steps: Sequence[Step], broken: Sequence[Mapping[ColumnKey, OwnerColumn]]
) -> OwnerWindow | None:
    """The first one of the column."""
    start = next((number for number, breaches in enumerate(broken) if key in breaches), None)
    if start is None:
        return None
    end = next(number for number in range(start, len(broken)) if key not in broken[number])
    return OwnerWindow(broken[start][key], steps[start], steps[end], _is_committed(steps[start : end + 1]))


def _group_new_steps(facts: Facts) -> Iterator[Sequence[Step]]:
    """The steps of the change's revisions in each context, with their snapshots; those at the base are not.

    None of a context where a step lacks its snapshots, and none of the base itself.
    """
    if facts.base is None:
        return
    new_ids = _list_changed_ids(facts.replay) - _list_base_ids(facts)
    groups: dict[int, list[Step]] = defaultdict(list)
    for step in facts.replay.steps:
        if step.revision in new_ids:
            groups[step.context].append(step)
    for steps in groups.values():
        if all(step.after is not None for step in steps):
            yield steps


def _list_changed_ids(replay: Replay) -> frozenset[str]:
    """The revisions whose files the change adds or edits."""
    revisions = replay.history.revisions
    return frozenset(item.id for item in revisions if item.location.file in replay.changed_files)


def _list_base_ids(facts: Facts) -> frozenset[str]:
    """The revisions of the base's own replay; none if that is not known."""
    if facts.base is None or facts.base.facts is None:
        return frozenset()
    return frozenset(revision.id for revision in facts.base.facts.replay.history.revisions)


def _list_altered_tables(replay: Replay, steps: Sequence[Step]) -> frozenset[int]:
    """The oids of the tables on which the steps ran DDL."""
    numbers = {step.number for step in steps}
    commands = replay.ddl_commands
    return frozenset(command.oid for command in commands if command.columns and command.step in numbers)


def _find_breaches(
    facts: Facts, state: Snapshot, tables: frozenset[int], breaks_rule: BreaksRule
) -> dict[ColumnKey, OwnerColumn]:
    """The owner columns of these tables that broke the rule in that state of the catalog."""
    columns = _list_owner_columns(facts, state, tables)
    return {key: owned for key, owned in columns.items() if breaks_rule(owned)}


def _list_columns(facts: Facts, state: Snapshot | None, tables: frozenset[int]) -> frozenset[ColumnKey]:
    return frozenset(_list_owner_columns(facts, state, tables)) if state is not None else frozenset()


def _list_owner_columns(
    facts: Facts, state: Snapshot, tables: frozenset[int]
) -> dict[ColumnKey, OwnerColumn]:
    """Those of these tables, by what identifies a column through renames."""
    names = {(table.schema, table.name): table.oid for table in state.tables if table.oid in tables}
    narrow = Snapshot(
        tables=tuple(table for table in state.tables if table.oid in tables),
        columns=tuple(column for column in state.columns if (column.schema, column.table) in names),
        constraints=tuple(item for item in state.constraints if (item.schema, item.table) in names),
        types=state.types,
    )
    then = replace(facts, replay=replace(facts.replay, catalog=narrow, null_trials=()))
    return {(owned.table.oid, owned.column.number): owned for owned in list_owner_columns(then)}


def _is_committed(steps: Sequence[Step]) -> bool:
    """Whether a transaction ended after the first of the steps and before the last one had run."""
    first, *between, last = steps
    ends = [item for item in first.transactions if item.statements_before >= first.statement_count]
    ends += [item for step in between for item in step.transactions]
    # Alembic's own commit, after the last revision's function, comes when the rule is kept again.
    ends += [item for item in last.transactions if item.statements_before < last.statement_count]
    is_in_transaction = all(step.in_transaction for step in (first, *between))
    return not is_in_transaction or any(item.kind == "commit" for item in ends)


def _find_opening(replay: Replay, window: OwnerWindow) -> Origin:
    """Where the change left the column so: the last command of the opening revision on its table."""
    commands = [
        command
        for command in replay.commands_on(window.owned.table.oid)
        if command.step == window.opened.number and command.columns
    ]
    if commands:
        return make_origin(replay, commands[-1], sought_part(window.owned.column, ("nullable",)))
    revision = replay.history.find_revision(window.opened.revision)
    return Origin(window.opened.revision, revision.location if revision is not None else None)
