"""What a report says of the trials of single revisions: locks, rows and rollbacks, tried on how many."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.facts import Base, Replay
from migration_gate.wording import join_words

NO_TABLES = "no table was there before"


def describe_trials(replay: Replay, base: Base | None) -> str:
    """`tried locks, rows and rollback of 2 of them`, with a reason where that is none; '' if none ran."""
    if not replay.coverage.run_revisions or replay.failure is not None:
        return ""
    trials: dict[int, list[str]] = {}
    for name, count, _ in _count_trials(replay):
        trials.setdefault(count, []).append(name)
    words = [f"{join_words(names, quote='')} of {count or 'none'}" for count, names in trials.items()]
    reason = _explain_none(replay, base) if 0 in trials else ""
    return f"tried {', '.join(words)}{f' ({reason})' if reason else ''}"


def _count_trials(replay: Replay) -> Iterator[tuple[str, int, str]]:
    """What is tried, on how many revisions, and whose trial is wanted (`change`, `all`, `off`)."""
    scope = replay.observation.scope
    yield "locks", len(replay.observation.revisions), scope
    # Rows are made at the base: with `all`, too, only the revisions of the change meet them.
    rehearsed = sum(1 for item in replay.rehearsal.revisions if not item.unproven)
    yield "rows", rehearsed, "off" if scope == "off" else "change"
    yield "rollback", sum(1 for item in replay.rollbacks if not item.unproven), replay.rollback_scope


def _explain_none(replay: Replay, base: Base | None) -> str:
    """Why nothing was tried; '' where something was to be tried: what kept it is said elsewhere."""
    scopes = {scope for _, count, scope in _count_trials(replay) if not count}
    if scopes == {"off"}:
        return "as the settings say"
    if "change" not in scopes:
        return ""
    new = _list_new_revisions(replay, base)
    ran = new.intersection(step.revision for step in replay.steps)
    if ran:
        is_told = replay.rehearsal.tables or replay.rehearsal.unproven
        return "" if is_told or not ran.issubset(replay.observation.revisions) else NO_TABLES
    if new:
        return "no new revision ran"
    if base is not None and base.commit:
        return "no revision is new"
    return f"no base, so none is known to be new{_advise(replay)}"


def _advise(replay: Replay) -> str:
    """The settings that would have each revision tried; '' if they are set, or off."""
    scopes = {"observe": replay.observation.scope, "rollback": replay.rollback_scope}
    names = [f"{name}: all" for name, scope in scopes.items() if scope == "change"]
    return f"; {join_words(names)} {'try' if len(names) > 1 else 'tries'} each" if names else ""


def _list_new_revisions(replay: Replay, base: Base | None) -> frozenset[str]:
    """Those of the change that are not the base's, as far as that is known."""
    earlier = base.history if base is not None else None
    changed = frozenset(replay.changed_files)
    is_examined = base is not None and base.facts is not None  # else its files alone say what is new
    files = (
        file for file in replay.history.files if (is_examined or file.path in changed) and file.is_loaded
    )
    names = {file.revision for file in files if file.revision is not None}
    return frozenset(name for name in names if earlier is None or earlier.find_revision(name) is None)
