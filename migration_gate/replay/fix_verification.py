"""Runs every fix before it is shown: the difference must be gone, nothing new, and its downgrade restores.

All fixes run together first, as the one revision that they make. Only where something goes wrong is each
suspect run alone, and what fails is not offered: the difference then says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TypeAlias

from migration_gate.analysis.drift_messages import is_drop
from migration_gate.analysis.evaluated_defaults import is_evaluated_default
from migration_gate.drift.model_comparison import compare_with_models
from migration_gate.facts import Difference, Replay, Snapshot
from migration_gate.replay.catalog_losses import describe_changes, find_lost_objects
from migration_gate.replay.fix_trial import FixTrial, TrialFailed, disable_ddl_log
from migration_gate.replay.revision_interpreter import has_statements, uses_autocommit

OpenTrial: TypeAlias = Callable[[bool], AbstractContextManager[FixTrial]]
"""opens the replayed database, or a copy of it where lines commit (True)"""
DifferenceKey: TypeAlias = tuple[str, str, str]
SHOWN_PROBLEMS = 3
MAX_ROUNDS = 4
"""how often all fixes are run together, each time without those that failed"""


@dataclass(frozen=True, slots=True)
class VerifiedFixes:
    """All differences, those with a fix that failed without it, and what makes up the one revision."""

    differences: tuple[Difference, ...]
    together: tuple[Difference, ...]
    """those whose fixes ran together both ways, in the order of the upgrade

    Without those that a person has to decide on, and those that need them.
    """
    notes: tuple[str, ...] = ()


def verify_fixes(
    open_trial: OpenTrial,
    replay: Replay,
    differences: tuple[Difference, ...],
    known: tuple[Difference, ...],
) -> VerifiedFixes:
    """Run the fixes of the differences on the replayed database, in which nothing stays.

    `known` are all differences of the replay; whatever else differs afterwards is a fault of the fixes.
    """
    if not any(difference.upgrade for difference in differences):
        return VerifiedFixes(differences, ())
    verification = _Verification(open_trial, replay, differences, frozenset(map(difference_key, known)))
    try:
        together = verification.run_together()
        verification.run_alone(together)
        combined = verification.leave_out_decisions(together)
    except TrialFailed as error:
        return _refuse_all(differences, str(error))
    return VerifiedFixes(
        tuple(verification.describe(difference, combined) for difference in differences),
        combined,
    )


def _refuse_all(differences: tuple[Difference, ...], reason: str) -> VerifiedFixes:
    """Without a way to run them no fix is ready."""
    refused = (
        _refuse(item, f"it could not be run: {reason}") if item.upgrade else item for item in differences
    )
    return VerifiedFixes(tuple(refused), (), (f"the fixes could not be run before they are shown: {reason}",))


def _refuse(difference: Difference, reason: str) -> Difference:
    return replace(difference, upgrade="", downgrade="", fix_refused=reason)


def difference_key(difference: Difference) -> DifferenceKey:
    """What a difference is about; the same before and after a fix."""
    return difference.kind, difference.object, difference.object_noun


def _commits(difference: Difference) -> bool:
    return uses_autocommit(difference.upgrade) or uses_autocommit(difference.downgrade)


@dataclass(slots=True)
class _Failures:
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
        """A reason, where there are words for one; the first of a fix counts."""
        if words:
            self.reasons.setdefault(difference, f"{when}: {words}")

    def add_remaining(self, difference: Difference, after: Difference) -> None:
        """What is still there after its fix."""
        if has_statements(difference.upgrade):
            self.add(difference, "the difference remains", describe_sides(after))
        else:
            self.add(difference, "it changes together with another object", "that change is not offered")


@dataclass(slots=True)
class _Verification:
    """The fixes of one run, and what was found out about them."""

    open_trial: OpenTrial
    replay: Replay
    differences: tuple[Difference, ...]
    known: frozenset[DifferenceKey]
    """what differed before"""
    refused: dict[Difference, str] = field(default_factory=dict)
    runs_only_with: dict[Difference, str] = field(default_factory=dict)

    def describe(self, difference: Difference, combined: tuple[Difference, ...]) -> Difference:
        """The difference with what was found out about its fix; `combined` make up the one revision."""
        if difference in self.refused:
            return _refuse(difference, self.refused[difference])
        follows = bool(difference.upgrade) and not has_statements(difference.upgrade)
        needs = self.runs_only_with.get(difference, "it changes together with another object" * follows)
        if needs and difference not in combined:
            return _refuse(difference, f"{needs}, and what it depends on is left to you")
        if follows:
            return replace(difference, upgrade="", downgrade="", fixed_by_others=True)
        return replace(difference, runs_only_with=self.runs_only_with.get(difference, ""))

    def run_together(self) -> tuple[Difference, ...]:
        """Those whose fixes make one revision; none where they never do."""
        for _ in range(MAX_ROUNDS):
            ready = tuple(item for item in self.differences if item.upgrade and item not in self.refused)
            if not ready:
                break
            with self.open_trial(any(map(_commits, ready))) as trial:
                disable_ddl_log(trial)
                failures = self._try_fixes(trial, ready)
            if not failures.are_any:
                return ready
            self.refused.update(failures.reasons or self._blame_alone(failures.problems, ready))
        return ()

    def leave_out_decisions(self, together: tuple[Difference, ...]) -> tuple[Difference, ...]:
        """Those that take nothing away and are no rename, and that run without what does."""
        ready = tuple(item for item in together if not (is_drop(item) or item.rename_hint))
        if len(ready) == len(together):
            return together
        for _ in range(MAX_ROUNDS):
            if not ready:
                break
            with self.open_trial(any(map(_commits, ready))) as trial:
                disable_ddl_log(trial)
                failures = self._try_fixes(trial, ready)
            if not failures.are_any:
                return ready
            failed = frozenset(failures.reasons) or frozenset(_find_suspects(failures.problems, ready))
            ready = tuple(item for item in ready if item not in failed)
        return ()

    def _try_fixes(self, trial: FixTrial, ready: tuple[Difference, ...]) -> _Failures:
        """Run all upgrades and compare, then all downgrades and compare."""
        failures = _Failures()
        for difference in ready:
            failures.add(difference, "Postgres refuses it", trial.run(difference.upgrade))
        applied = tuple(item for item in ready if item not in failures.reasons)
        self._compare_with_models(trial.read_snapshot(), applied, failures)
        if failures.are_any:
            return failures
        for difference in reversed(applied):
            failures.add(difference, "its downgrade fails", trial.run(difference.downgrade))
        failures.problems += describe_changes(self.replay.catalog, trial.read_snapshot())
        return failures

    def _compare_with_models(
        self, after: Snapshot, applied: tuple[Difference, ...], failures: _Failures
    ) -> None:
        """Add what remains, what is new, and what is lost."""
        removed = {difference_key(item): item for item in applied}
        for item in compare_with_models(replace(self.replay, catalog=after)):
            if item.kind == "unmanaged" or _is_of_model_alone(item):
                continue
            if difference_key(item) in removed:
                if _is_gone(removed[difference_key(item)], item):
                    continue
                failures.add_remaining(removed[difference_key(item)], item)
            elif difference_key(item) not in self.known:
                failures.problems.append(f"{item.kind} of `{item.object}`: {describe_sides(item)}")
        lost = find_lost_objects(self.replay.catalog, after)
        failures.problems += (f"{item} would be lost" for item in lost)

    def _blame_alone(self, problems: list[str], ready: tuple[Difference, ...]) -> dict[Difference, str]:
        """The suspects that fail alone as well, with the reason; where none does, all suspects."""
        suspects = _find_suspects(problems, tuple(item for item in ready if has_statements(item.upgrade)))
        reasons = {item: self._run_one(item) for item in suspects}
        failed = {item: reason for item, reason in reasons.items() if reason}
        summary = f"with the others it changes more than it should: {shorten_list(problems)}"
        return failed or dict.fromkeys(suspects, summary)

    def _run_one(self, difference: Difference) -> str:
        """Run one fix alone, both ways; what it does wrong, and nothing where it only does not run alone."""
        with self.open_trial(_commits(difference)) as trial:
            disable_ddl_log(trial)
            if trial.run(difference.upgrade):
                return ""
            return self._check_alone(trial, difference)

    def _check_alone(self, trial: FixTrial, difference: Difference) -> str:
        """What is wrong after the upgrade of one fix alone, and after its downgrade."""
        failures = _Failures()
        self._compare_with_models(trial.read_snapshot(), (difference,), failures)
        if failures.problems:
            return f"it changes more than it should: {shorten_list(failures.problems)}"
        if failures.reasons:
            return failures.reasons[difference]
        if problem := trial.run(difference.downgrade):
            return f"its downgrade fails: {problem}"
        changes = describe_changes(self.replay.catalog, trial.read_snapshot())
        return f"its downgrade does not restore everything: {shorten_list(changes)}" if changes else ""

    def run_alone(self, together: tuple[Difference, ...]) -> None:
        """Find the fixes that run with the others only; of several, each reader may paste just one.

        Where several are about one table, the catalog is compared as well.
        """
        if len(together) < 2:
            return
        lasting = tuple(item for item in together if has_statements(item.upgrade) and not _commits(item))
        with self.open_trial(False) as trial:
            disable_ddl_log(trial)
            for difference in lasting:
                with trial.rolled_back():
                    problem = trial.run(difference.upgrade) or trial.run(difference.downgrade)
                if not problem and _leaves_key_to_other(difference):
                    problem = "it drops a foreign key that the change of the other column adds again"
                if problem:
                    self.runs_only_with[difference] = problem
            running = tuple(item for item in lasting if item not in self.runs_only_with)
            for batch in _split_by_table(running):
                self._compare_batch(trial, batch)

    def _compare_batch(self, trial: FixTrial, batch: tuple[Difference, ...]) -> None:
        """Look at what fixes of different tables leave behind: all at once, and alone where that is wrong."""
        with trial.rolled_back():
            failures = self._try_fixes(trial, batch)
        if not failures.are_any:
            return
        named = _find_suspects(failures.problems, batch) if failures.problems else ()
        for difference in dict.fromkeys((*failures.reasons, *named)):
            with trial.rolled_back():
                problem = trial.run(difference.upgrade) or self._check_alone(trial, difference)
            if problem:
                self.runs_only_with[difference] = problem


def _leaves_key_to_other(difference: Difference) -> bool:
    """Whether the lines for a type drop or add a foreign key, and those of its other end undo that."""
    drops, adds = ("drop_constraint(" in difference.upgrade, "create_foreign_key(" in difference.upgrade)
    return difference.kind == "type" and drops != adds


def _split_by_table(differences: tuple[Difference, ...]) -> list[tuple[Difference, ...]]:
    """The differences of tables that have several, in groups with at most one of each table."""
    by_table: dict[str, list[Difference]] = defaultdict(list)
    for difference in differences:
        by_table[difference.table or difference.object].append(difference)
    several = [items for items in by_table.values() if len(items) > 1]
    return [tuple(item for item in row if item is not None) for row in zip_longest(*several)]


def _is_gone(leftover: Difference, after: Difference) -> bool:
    """Whether a leftover was dropped: the models' database has it still, because it began as a copy."""
    return not leftover.models and not after.database


def _is_of_model_alone(difference: Difference) -> bool:
    """Whether only the model can be corrected: its default was evaluated once."""
    return is_evaluated_default(difference.models) and not is_evaluated_default(difference.database)


def shorten_list(items: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    shown = "; ".join(items[:SHOWN_PROBLEMS])
    return shown if len(items) <= SHOWN_PROBLEMS else f"{shown}; and {len(items) - SHOWN_PROBLEMS} more"


def describe_sides(difference: Difference) -> str:
    """Both sides in one line."""
    return (
        f"{difference.database or 'nothing'} in the database, {difference.models or 'nothing'} in the models"
    )


def _find_suspects(problems: Iterable[str], applied: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """The differences whose table or object a problem names; all where none does."""
    text = "\n".join(problems)
    suspects = tuple(item for item in applied if any(name in text for name in _names_of(item)))
    return suspects or applied


def _names_of(difference: Difference) -> Iterator[str]:
    yield f"`{difference.object}"
    if difference.table is not None:
        name = difference.table.removeprefix("public.")
        yield from (f"`{name}`", f"`{name}.", f" on {name}`")
