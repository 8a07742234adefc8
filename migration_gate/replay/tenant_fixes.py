"""Fixes for an env.py that runs each revision in several schemas: lines that name none, tried in each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from migration_gate.analysis.tenant_schemas import (
    find_schema,
    find_tenant_schemas,
    names_schema,
    remove_schema,
)
from migration_gate.facts import Difference, Replay
from migration_gate.replay.fix_outcome import refuse_fix
from migration_gate.replay.fix_trial import FixTrial, OpenTrial, TrialFailed, needs_copy
from migration_gate.replay.fix_verification import VerifiedFixes
from migration_gate.wording import join_words


def fit_tenants(open_trial: OpenTrial, replay: Replay, verified: VerifiedFixes) -> VerifiedFixes:
    """The fixes as they are to be written if env.py runs each revision once for each of its schemas.

    Lines that not every schema needs, or that do not run in each, are not offered.
    """
    schemas = find_tenant_schemas(replay)
    if not schemas or not any(item.upgrade for item in verified.differences):
        return verified
    offered = _find_common_fixes(verified, schemas)
    together = tuple(offered[item] for item in verified.together if item in offered)
    problem = _run_in_schemas(open_trial, schemas, together)
    if problem:
        offered, together = {}, ()
    reason = problem or f"env.py runs each revision in {join_words(schemas)}, and not all of these need it"
    differences = (
        offered[item] if item in offered else _refuse_of_tenant(item, reason, schemas)
        for item in verified.differences
    )
    return replace(verified, differences=tuple(differences), together=together)


def _find_common_fixes(verified: VerifiedFixes, schemas: Sequence[str]) -> dict[Difference, Difference]:
    """The fixes that every schema needs, and those of other schemas, as they are to be written."""
    fitted = {item: _remove_tenant(item, schemas) for item in (*verified.differences, *verified.together)}
    # The same lines for each schema are counted: one difference of each has them.
    counts = Counter(_both_directions(item) for item in {fitted[item] for item in verified.differences})
    return {
        item: fix
        for item, fix in fitted.items()
        if find_schema(item) not in schemas or counts[_both_directions(fix)] == len(schemas)
    }


def _both_directions(difference: Difference) -> tuple[str, str]:
    return difference.upgrade, difference.downgrade


def _remove_tenant(difference: Difference, schemas: Sequence[str]) -> Difference:
    """The difference with lines that name no schema; without lines if they have to name it."""
    schema = find_schema(difference)
    if schema not in schemas or not difference.upgrade:
        return difference
    upgrade, downgrade = (remove_schema(code, schema) for code in _both_directions(difference))
    if schema != "public" and (names_schema(upgrade, schema) or names_schema(downgrade, schema)):
        return difference
    return replace(difference, upgrade=upgrade, downgrade=downgrade)


def _refuse_of_tenant(difference: Difference, reason: str, schemas: Sequence[str]) -> Difference:
    if not difference.upgrade or find_schema(difference) not in schemas:
        return difference
    return refuse_fix(difference, reason)


def _run_in_schemas(open_trial: OpenTrial, schemas: Sequence[str], fixes: Sequence[Difference]) -> str:
    """Run the lines of each schema in it, both ways; what went wrong first."""
    by_schema: dict[str, list[Difference]] = defaultdict(list)
    for item in fixes:
        by_schema[find_schema(item)].append(item)
    try:
        with open_trial(any(map(needs_copy, fixes))) as trial:
            problems = [_run_in_schema(trial, schema, by_schema[schema]) for schema in schemas]
    except TrialFailed as error:
        return f"it could not be run: {error}"
    return next(filter(None, problems), "")


def _run_in_schema(trial: FixTrial, schema: str, fixes: Sequence[Difference]) -> str:
    set_path = sql.SQL("set search_path = {}").format(sql.Identifier(schema)).as_string(None)
    trial.connection.exec_driver_sql(set_path.replace("%", "%%"))
    codes = [item.upgrade for item in fixes] + [item.downgrade for item in reversed(fixes)]
    problems = (trial.run(code) for code in codes)
    return next(filter(None, problems), "")
