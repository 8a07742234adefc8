"""Finds what is wrong after fixes were run: differences that remain, new ones, losses, failing downgrades."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import field, replace
from typing import TypeAlias

from migration_gate.analysis.drift_messages import is_drop
from migration_gate.analysis.evaluated_defaults import is_evaluated_default
from migration_gate.drift.model_comparison import compare_after_trial
from migration_gate.facts import Difference, Replay, Snapshot
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.catalog_losses import describe_changes, find_lost_objects
from migration_gate.replay.fix_trial import FixTrial
from migration_gate.replay.revision_interpreter import has_statements

DifferenceKey: TypeAlias = tuple[str, str, str]
SHOWN_PROBLEMS = 3


def difference_key(difference: Difference) -> DifferenceKey:
    """What a difference is about; the same before and after a fix."""
    return difference.kind, difference.object, difference.object_noun


def is_decision(difference: Difference) -> bool:
    """Whether a person has to decide on it: its fix takes something away, or it may be a rename."""
    return is_drop(difference) or bool(difference.rename_hint)


def refuse_fix(difference: Difference, reason: str) -> Difference:
    """The difference without lines, and why it has none."""
    return replace(difference, upgrade="", downgrade="", fix_refused=reason)


@dataclass(slots=True)
class FixFailures:
    """What went wrong when fixes were run."""

    reasons: dict[Difference, str] = field(default_factory=dict)
    """by the difference whose fix failed"""
    problems: list[str] = field(default_factory=list)
    """what is wrong afterwards, whichever fix caused it"""

    @property
    def are_any(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.reasons or self.problems)

    def add(self, difference: Difference, when: str, words: str) -> None:
        """A reason, if there are words for one; the first of a fix counts."""
        if words:
            self.reasons.setdefault(difference, f"{when}: {words}")

    def add_remaining(self, difference: Difference, after: Difference) -> None:
        """What is still there after its fix."""
        if has_statements(difference.upgrade):
            self.add(difference, "the difference remains", describe_both_sides(after))
        else:
            self.add(difference, "it changes together with another object", "that change is not offered")


@dataclass(frozen=True, slots=True)
class OutcomeCheck:
    """Runs fixes in a trial, and looks at what they leave behind."""

    replay: Replay
    known: frozenset[DifferenceKey]
    """what differed before"""

    def list_inherited_tables(self) -> frozenset[str]:
        """`schema.name` of the tables from which tables inherit that are no partitions of them."""
        tables = self.replay.catalog.tables
        return frozenset(name for table in tables if not table.partition_bound for name in table.inherits)

    def run_both_ways(self, trial: FixTrial, fixes: Sequence[Difference]) -> FixFailures:
        """Run all upgrades and compare with the models; then all downgrades, and compare with the replay."""
        failures = FixFailures()
        upgrades = trial.run_each([difference.upgrade for difference in fixes])
        for difference, problem in zip(fixes, upgrades, strict=True):
            failures.add(difference, "Postgres refuses it", problem)
        applied = [item for item in fixes if item not in failures.reasons]
        self.compare_with_models(trial.read_snapshot(), applied, failures)
        if failures.are_any:
            return failures
        applied.reverse()
        downgrades = trial.run_each([difference.downgrade for difference in applied])
        for difference, problem in zip(applied, downgrades, strict=True):
            failures.add(difference, "its downgrade fails", problem)
        failures.problems += describe_changes(self.replay, trial.read_snapshot())
        return failures

    def describe_problem_alone(self, trial: FixTrial, difference: Difference) -> str:
        """What is wrong after the upgrade of one fix, which has run, and its downgrade; '' for nothing."""
        failures = FixFailures()
        self.compare_with_models(trial.read_snapshot(), (difference,), failures)
        if failures.problems:
            return describe_excess(failures.problems)
        if failures.reasons:
            return failures.reasons[difference]
        return describe_downgrade_problem(trial, difference.downgrade, self.replay)

    def compare_with_models(
        self, after: Snapshot, applied: Sequence[Difference], failures: FixFailures
    ) -> None:
        """Add what remains, what is new, and what is lost."""
        removed = {difference_key(item): item for item in applied}
        for item in compare_after_trial(replace(self.replay, catalog=after)):
            if item.kind == "unmanaged" or _is_of_model_alone(item):
                continue
            fixed = removed.get(difference_key(item))
            if fixed is None and difference_key(item) not in self.known:
                failures.problems.append(describe_difference(item))
            elif fixed is not None and not _is_gone(fixed, item):
                failures.add_remaining(fixed, item)
        failures.problems += list_losses(find_lost_objects(self.replay.catalog, after))


def _is_gone(leftover: Difference, after: Difference) -> bool:
    """Whether a leftover was dropped: the models' database has it still, because it began as a copy."""
    return not leftover.models and not after.database


def _is_of_model_alone(difference: Difference) -> bool:
    """Whether only the model can be corrected: its default was evaluated once."""
    return is_evaluated_default(difference.models) and not is_evaluated_default(difference.database)


def find_new_differences(
    differences: Iterable[Difference], known: Collection[DifferenceKey]
) -> Iterator[Difference]:
    """Those that are not known, and that models can express."""
    for item in differences:
        if item.kind != "unmanaged" and difference_key(item) not in known:
            yield item


def find_suspects(problems: Iterable[str], applied: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """The fixes whose table or object a problem names, which may have caused it; all if none is named."""
    text = "\n".join(problems)
    suspects = tuple(item for item in applied if any(name in text for name in _list_names(item)))
    return suspects or applied


def _list_names(difference: Difference) -> Iterator[str]:
    """How problems name the object and its table, in backticks."""
    yield f"`{difference.object}"
    if difference.table is not None:
        name = difference.table.removeprefix("public.")
        yield from (f"`{name}`", f"`{name}.", f" on {name}`")


# Words for what is wrong.


def describe_difference(difference: Difference) -> str:
    """What a problem says of a difference that was not there before."""
    return f"{difference.kind} of `{difference.object}`: {describe_both_sides(difference)}"


def list_losses(lost_objects: Iterable[str]) -> Iterator[str]:
    """Words for objects that are there no more; see `find_lost_objects`."""
    return (f"{item} would be lost" for item in lost_objects)


def describe_excess(problems: Sequence[str]) -> str:
    """A clause; '' if there is no problem."""
    return f"it changes more than it should: {shorten_list(problems)}" if problems else ""


def describe_downgrade_problem(trial: FixTrial, downgrade: str, replay: Replay) -> str:
    """Run the lines; why they failed, or in what the catalog is not as the replay left it; '' for nothing."""
    if problem := trial.run(downgrade):
        return f"its downgrade fails: {problem}"
    changes = describe_changes(replay, trial.read_snapshot())
    return f"its downgrade does not restore everything: {shorten_list(changes)}" if changes else ""


def shorten_list(items: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    shown = "; ".join(items[:SHOWN_PROBLEMS])
    return shown if len(items) <= SHOWN_PROBLEMS else f"{shown}; and {len(items) - SHOWN_PROBLEMS} more"


def describe_both_sides(difference: Difference) -> str:
    """The database and the models in one line."""
    return (
        f"{difference.database or 'nothing'} in the database, {difference.models or 'nothing'} in the models"
    )
