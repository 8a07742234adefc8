"""Runs the rename that may be meant by what one side lacks, and writes what else is to be changed then.

What differs after the rename is read from the server, as any other difference is; then all lines run both
ways, as every fix does before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import NamedTuple

from migration_gate.analysis.tenant_schemas import find_schema, find_tenant_schemas
from migration_gate.autofix.fixes import add_fixes
from migration_gate.autofix.missing_schemas import create_schema, drop_schema, lacks_schema
from migration_gate.autofix.rename_fixes import rename_column, rename_table
from migration_gate.drift.difference import CatalogDifference
from migration_gate.drift.model_comparison import compare_after_trial, compare_with_models, list_differences
from migration_gate.facts import Column, Difference, RenameFix, Replay, Snapshot, Table
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.catalog_losses import find_lost_objects
from migration_gate.replay.dependent_fixes import take_dependents_away
from migration_gate.replay.fix_outcome import (
    DifferenceKey,
    describe_difference,
    describe_downgrade_problem,
    describe_excess,
    difference_key,
    find_new_differences,
    is_decision,
    list_losses,
)
from migration_gate.replay.fix_trial import FixTrial, OpenTrial, TrialFailed
from migration_gate.replay.revision_interpreter import has_statements, uses_autocommit

MAX_RENAMES = 20
"""how many are tried: a run with more of them has another cause than renames"""


class _Pair(NamedTuple):
    """What only the models have, and what only the database has."""

    missing: CatalogDifference
    extra: CatalogDifference


class _Lines(NamedTuple):
    """Lines for both directions."""

    upgrade: list[str]
    downgrade: list[str]


def add_rename_fixes(
    open_trial: OpenTrial, replay: Replay, differences: tuple[Difference, ...], known: Iterable[Difference]
) -> tuple[Difference, ...]:
    """The differences, with the lines of their rename if they have a hint at one.

    `known` are all differences of the replay. If env.py runs each revision in several schemas there are no
    lines: they would name one of these.
    """
    tenants = find_tenant_schemas(replay)
    hinted = {
        difference_key(item) for item in differences if item.rename_hint and find_schema(item) not in tenants
    }
    if not hinted:
        return differences
    keys = frozenset(map(difference_key, known))
    fixes: dict[DifferenceKey, RenameFix] = {}
    try:
        with open_trial(False) as trial:
            for pair in list(_find_pairs(replay, hinted))[:MAX_RENAMES]:
                with trial.rolled_back():
                    fix = _RenameTrial(trial, replay, pair, keys).make_fix()
                fixes |= dict.fromkeys((difference_key(item.difference) for item in pair), fix)
    except TrialFailed:
        return differences
    return tuple(replace(item, rename_fix=fixes.get(difference_key(item))) for item in differences)


def _find_pairs(replay: Replay, hinted: set[DifferenceKey]) -> Iterator[_Pair]:
    """Both sides of every rename, both of them differences that are reported."""
    one_sided = [
        item
        for item in list_differences(replay)
        if item.difference.rename_hint and difference_key(item.difference) in hinted
    ]
    extras = [item for item in one_sided if item.database is not None]
    for missing in one_sided:
        extra = _find_extra(missing, extras) if missing.models is not None else None
        if extra is not None:
            yield _Pair(missing, extra)


def _find_extra(missing: CatalogDifference, extras: Iterable[CatalogDifference]) -> CatalogDifference | None:
    """What the hint of a missing object names."""
    return next((extra for extra in extras if _is_hinted(missing, extra)), None)


def _is_hinted(missing: CatalogDifference, extra: CatalogDifference) -> bool:
    """Whether the hint names this column of the table, or this table, with its schema if that differs."""
    hint = missing.difference.rename_hint
    match missing.models, extra.database:
        case Column(), Column() as column:
            return missing.difference.table == extra.difference.table and hint == column.name
        case Table() as models, Table() as table:
            is_short_name = models.schema == table.schema and hint == table.name
            return is_short_name or hint == table.full_name
        case _:
            return False


@dataclass(frozen=True, slots=True)
class _RenameTrial:
    """One rename, tried on a database in which nothing stays."""

    trial: FixTrial
    replay: Replay
    pair: _Pair
    known: frozenset[DifferenceKey]
    """what differed before"""

    def make_fix(self) -> RenameFix:
        """The lines, or why there are none."""
        rename = _write_rename(self.pair, self.replay)
        if problem := self.trial.run("\n".join(rename.upgrade)):
            return RenameFix(refused=f"Postgres refuses it: {problem}")
        renamed = replace(self.replay, catalog=self.trial.read_snapshot())
        inner = self._rename_columns(renamed)
        if inner.upgrade:
            rename = _Lines([*rename.upgrade, *inner.upgrade], [*inner.downgrade, *rename.downgrade])
            renamed = replace(self.replay, catalog=self.trial.read_snapshot())
        new = tuple(find_new_differences(compare_with_models(renamed), self.known))
        decisions = tuple(filter(is_decision, new))
        alterations = self._write_alterations([item for item in new if item not in decisions], renamed)
        lines = _join_lines(rename, alterations)
        remaining = frozenset(map(difference_key, decisions))
        problem = (
            self._run_alterations(alterations)
            or self._describe_outcome(remaining)
            or describe_downgrade_problem(self.trial, "\n".join(lines.downgrade), self.replay)
        )
        if problem:
            return RenameFix(refused=problem)
        objects = tuple(dict.fromkeys(item.object for item in decisions))
        return RenameFix("\n".join(lines.upgrade), "\n".join(lines.downgrade), objects)

    def _write_alterations(self, new: Iterable[Difference], renamed: Replay) -> tuple[Difference, ...]:
        """The differences that are left after the rename, with the lines that remove them."""
        alterations = add_fixes(new, renamed)
        return take_dependents_away(
            lambda: nullcontext(self.trial.driver_connection), alterations, renamed.catalog
        )

    def _rename_columns(self, renamed: Replay) -> _Lines:
        """Rename the columns of the renamed table that are likely others under a new name."""
        lines = _Lines([], [])
        if not isinstance(self.pair.missing.models, Table):
            return lines
        new = find_new_differences(compare_with_models(renamed), self.known)
        likely = {difference_key(item) for item in new if item.rename_is_likely}
        for pair in _find_pairs(renamed, likely) if likely else ():
            rename = _write_rename(pair, renamed)
            if not self.trial.run("\n".join(rename.upgrade)):
                lines.upgrade.extend(rename.upgrade)
                lines.downgrade[:0] = rename.downgrade
        return lines

    def _run_alterations(self, alterations: Iterable[Difference]) -> str:
        """What keeps the lines that follow the rename from running."""
        for item in alterations:
            if not item.upgrade:
                return f"nothing can be written for the {item.kind} of `{item.object}`"
            if uses_autocommit(item.upgrade):
                return f"the {item.kind} of `{item.object}` takes a transaction of its own"
            if problem := self.trial.run(item.upgrade):
                return f"Postgres refuses the {item.kind} of `{item.object}`: {problem}"
        return ""

    def _describe_outcome(self, remaining: frozenset[DifferenceKey]) -> str:
        """What is wrong after all lines: one of the two is there still, something else differs or is lost."""
        after = self.trial.read_snapshot()
        pair = {difference_key(item.difference) for item in self.pair}
        differences = compare_after_trial(replace(self.replay, catalog=after))
        problems = [
            *map(describe_difference, find_new_differences(differences, (self.known | remaining) - pair)),
            *list_losses(_find_losses(self.replay.catalog, after, self.pair)),
        ]
        return describe_excess(problems)


def _write_rename(pair: _Pair, replay: Replay) -> _Lines:
    """The lines that rename the one object, and that give it its old name back."""
    match pair.extra.database, pair.missing.models:
        case Column() as current, Column() as target:
            return _Lines(rename_column(current, target), rename_column(target, current))
        case Table() as current, Table() as target:
            rename = _Lines(rename_table(current, target), rename_table(target, current))
            if lacks_schema(target.schema, replay.catalog):
                rename.upgrade.insert(0, create_schema(target.schema))
                rename.downgrade.append(drop_schema(target.schema))
            return rename
    return _Lines([], [])


def _find_losses(before: Snapshot, after: Snapshot, pair: _Pair) -> Iterator[str]:
    """What is lost. What belongs to the renamed object has a new name now: the downgrade must restore it."""
    old = pair.extra.difference
    names = (f"`{old.object}`", f"`{old.object}.", f" on {old.object}`")
    yield from (item for item in find_lost_objects(before, after) if not any(name in item for name in names))


def _join_lines(rename: _Lines, alterations: tuple[Difference, ...]) -> _Lines:
    upgrade = [item.upgrade for item in alterations if has_statements(item.upgrade)]
    downgrade = [item.downgrade for item in reversed(alterations) if has_statements(item.downgrade)]
    return _Lines([*rename.upgrade, *upgrade], [*downgrade, *rename.downgrade])
