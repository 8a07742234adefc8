"""Runs every fix before it is shown: the difference must be gone, nothing new, and its downgrade restores.

All fixes run together first, as the one revision that they make. Only if something goes wrong is each
suspect run alone, and what fails is not offered: the difference then says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from migration_gate.analysis.coverage_proof import RevisionCoverage
from migration_gate.facts import Difference, Replay
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.fix_outcome import (
    OutcomeCheck,
    describe_excess,
    difference_key,
    find_suspects,
    is_decision,
    refuse_fix,
)
from migration_gate.replay.fix_trial import OpenTrial, TrialFailed, needs_copy
from migration_gate.replay.lone_fixes import find_dependent_fixes
from migration_gate.replay.revision_interpreter import has_statements

MAX_ROUNDS = 4
"""how often all fixes are run together, each time without those that failed"""
FOLLOWS_ANOTHER = "it changes together with another object"


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
    check = OutcomeCheck(replay, frozenset(map(difference_key, known)))
    verification = _Verification(open_trial, check)
    ready = tuple(item for item in differences if item.upgrade)
    try:
        revision = verification.run_together(ready, verification.find_fixes_that_fail_alone)
        needs = find_dependent_fixes(open_trial, revision.fixes, check)
        combined = verification.leave_out_decisions(revision.fixes)
    except TrialFailed as error:
        return refuse_all(differences, str(error))
    described = (_describe_fix(item, revision.refused, needs, combined) for item in differences)
    return VerifiedFixes(tuple(described), combined)


def refuse_all(differences: tuple[Difference, ...], reason: str) -> VerifiedFixes:
    """Without a way to run them no fix is ready."""
    refused = (
        refuse_fix(item, f"it could not be run: {reason}") if item.upgrade else item for item in differences
    )
    return VerifiedFixes(tuple(refused), (), (f"the fixes could not be run before they are shown: {reason}",))


def _describe_fix(
    difference: Difference,
    refused: Mapping[Difference, str],
    needs: Mapping[Difference, str],
    combined: Collection[Difference],
) -> Difference:
    """The difference with what was found out about its fix.

    `refused`: why fixes failed; `needs`: why they run with the others only; `combined` make up the one
    revision.
    """
    if difference in refused:
        return refuse_fix(difference, refused[difference])
    follows_another = bool(difference.upgrade) and not has_statements(difference.upgrade)
    need = needs.get(difference, FOLLOWS_ANOTHER if follows_another else "")
    if need and difference not in combined:
        return refuse_fix(difference, f"{need}, and what it depends on is left to you")
    if follows_another:
        return replace(difference, upgrade="", downgrade="", fixed_by_others=True)
    return replace(difference, runs_only_with=needs.get(difference, ""))


class _OneRevision(NamedTuple):
    """Fixes that ran together, both ways."""

    fixes: tuple[Difference, ...]
    """none if they never did"""
    refused: dict[Difference, str]
    """those that failed, with the reason"""


@dataclass(frozen=True, slots=True)
class _Verification:
    """Runs the fixes of a replay together."""

    open_trial: OpenTrial
    check: OutcomeCheck

    def run_together(
        self,
        fixes: tuple[Difference, ...],
        blame: Callable[[list[str], tuple[Difference, ...]], dict[Difference, str]],
    ) -> _OneRevision:
        """Run all; and again without those that fail. `blame` says which cause problems that name no fix."""
        refused: dict[Difference, str] = {}
        for _ in range(MAX_ROUNDS):
            if not fixes:
                break
            with self.open_trial(any(map(needs_copy, fixes))) as trial:
                failures = self.check.run_both_ways(trial, fixes)
            if not failures.are_any:
                return _OneRevision(fixes, refused)
            refused |= failures.reasons or blame(failures.problems, fixes)
            fixes = tuple(item for item in fixes if item not in refused)
        return _OneRevision((), refused)

    def find_fixes_that_fail_alone(
        self, problems: list[str], fixes: tuple[Difference, ...]
    ) -> dict[Difference, str]:
        """The suspects that fail alone as well, with the reason; if none does, all suspects."""
        suspects = find_suspects(problems, tuple(item for item in fixes if has_statements(item.upgrade)))
        reasons = {item: self._describe_problem(item) for item in suspects}
        failed = {item: reason for item, reason in reasons.items() if reason}
        return failed or dict.fromkeys(suspects, f"with the others {describe_excess(problems)}")

    def _describe_problem(self, difference: Difference) -> str:
        """What one fix does wrong, both ways; '' for one that only does not run without the others."""
        with self.open_trial(needs_copy(difference)) as trial:
            if trial.run(difference.upgrade):
                return ""
            return self.check.describe_problem_alone(trial, difference)

    def leave_out_decisions(self, together: tuple[Difference, ...]) -> tuple[Difference, ...]:
        """Those that take nothing away and are no rename, and that run without what does.

        Nor those of a table whose model is an installed package's: its migrations have to be corrected.
        Where `target` leaves out revisions, one of them may make what is missing.
        """
        may_come = bool(RevisionCoverage(self.check.replay).missing)
        undisputed = tuple(
            item
            for item in together
            if not is_decision(item)
            and not (may_come and item.database is None)
            and not _is_of_package(self.check.replay, item)
        )
        if len(undisputed) == len(together):
            return together
        return self.run_together(undisputed, _blame_suspects).fixes


def _is_of_package(replay: Replay, difference: Difference) -> bool:
    """Whether a package's own migrations differ from its own model; the project may be installed, too."""
    model = replay.models.find_location(difference.table)
    if model is None or difference.location is None or model.installed_package is None:
        return False
    is_own = model.installed_package == replay.models.own_package
    return not is_own and difference.location.installed_package == model.installed_package


def _blame_suspects(problems: list[str], fixes: tuple[Difference, ...]) -> dict[Difference, str]:
    """All suspects: they ran with what was left out, so they only depend on it."""
    return dict.fromkeys(find_suspects(problems, fixes), describe_excess(problems))
