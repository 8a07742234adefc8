"""Finds the fixes that fail if a reader pastes them alone, without the others of the same run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest

from migration_gate.facts import Difference, DifferenceKind
from migration_gate.replay.fix_outcome import OutcomeCheck, find_suspects
from migration_gate.replay.fix_trial import FixTrial, OpenTrial, needs_copy
from migration_gate.replay.revision_interpreter import has_statements, is_one_column_change

_DEPENDENT_KINDS: frozenset[DifferenceKind] = frozenset({"type", "default"})
"""properties of a column of which the one has another text with the other's fix"""
MAX_BATCHES = 40
"""how often the catalog is compared for fixes that run alone: each time the whole catalog is read"""
NOT_TRIED = f"its table has more than {MAX_BATCHES} differences, so what it leaves behind alone was not tried"


def find_dependent_fixes(
    open_trial: OpenTrial, together: Sequence[Difference], check: OutcomeCheck
) -> dict[Difference, str]:
    """The fixes that do not run alone, with the reason; `together` are those that ran as one revision.

    If several are about one table, or others inherit from it, the catalog is compared as well, for forty of
    each table: the others are taken for such. Raises TrialFailed.
    """
    if len(together) < 2:
        return {}
    # One that commits could not be rolled back before the next.
    candidates = [item for item in together if has_statements(item.upgrade) and not needs_copy(item)]
    with open_trial(False) as trial:
        problems = _run_each_alone(trial, candidates)
    inherited = check.list_inherited_tables()
    plain = _find_plain_fixes(together, inherited)
    running = [item for item in candidates if item not in problems and item not in plain]
    batches = _split_by_table(running, inherited)
    problems |= {item: NOT_TRIED for batch in batches[MAX_BATCHES:] for item in batch}
    for batch in batches[:MAX_BATCHES]:
        # A trial of its own: what a transaction rolls back slows down each reading until it ends.
        with open_trial(False) as trial:
            problems |= _compare_batch(trial, batch, check)
    return problems


def _find_plain_fixes(together: Iterable[Difference], inherited: Collection[str]) -> set[Difference]:
    """The fixes that change one property of a column, and none that another fix depends on.

    If they run alone they leave behind what they leave together with others. Without this each difference of
    a wide table would be a look at the whole catalog. `inherited` tables hand a change down to others, which
    another fix may part from them.
    """
    plain = [
        item
        for item in together
        if item.table not in inherited and all(map(is_one_column_change, (item.upgrade, item.downgrade)))
    ]
    dependent = Counter(item.object for item in plain if item.kind in _DEPENDENT_KINDS)
    return {item for item in plain if item.kind not in _DEPENDENT_KINDS or dependent[item.object] == 1}


def _run_each_alone(trial: FixTrial, differences: Sequence[Difference]) -> dict[Difference, str]:
    """Those whose lines do not run without the others, with the reason."""
    problems = {item: _run_alone(trial, item) for item in differences}
    return {item: problem for item, problem in problems.items() if problem}


def _run_alone(trial: FixTrial, difference: Difference) -> str:
    """Why the lines of one fix do not run without the others; '' if they do."""
    problem = trial.try_in_turn(difference.upgrade, difference.downgrade)
    if not problem and _leaves_key_to_other(difference):
        return "it drops a foreign key that the change of the other column adds again"
    return problem


def _leaves_key_to_other(difference: Difference) -> bool:
    """Whether the lines for a type drop or add a foreign key, and those of its other end undo that."""
    drops = "drop_constraint(" in difference.upgrade
    adds = "create_foreign_key(" in difference.upgrade
    return difference.kind == "type" and drops != adds


def _split_by_table(
    differences: Sequence[Difference], inherited: Collection[str]
) -> list[tuple[Difference, ...]]:
    """The differences of tables that have several, in groups with at most one of each table.

    An `inherited` table's only one may concern the differences of others.
    """
    by_table: dict[str, list[Difference]] = defaultdict(list)
    for difference in differences:
        by_table[difference.table or difference.object].append(difference)
    several = [items for table, items in by_table.items() if len(items) > 1 or table in inherited]
    return [tuple(item for item in row if item is not None) for row in zip_longest(*several)]


def _compare_batch(
    trial: FixTrial, batch: tuple[Difference, ...], check: OutcomeCheck
) -> dict[Difference, str]:
    """Look at what fixes of different tables leave behind: all at once, and alone if that is wrong."""
    with trial.rolled_back():
        failures = check.run_both_ways(trial, batch)
    if not failures.are_any:
        return {}
    suspects = find_suspects(failures.problems, batch) if failures.problems else ()
    problems: dict[Difference, str] = {}
    for difference in dict.fromkeys((*failures.reasons, *suspects)):
        with trial.rolled_back():
            problem = trial.run(difference.upgrade) or check.describe_problem_alone(trial, difference)
        if problem:
            problems[difference] = problem
    return problems
