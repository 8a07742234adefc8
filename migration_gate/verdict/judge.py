"""From findings to verdicts: who found it, how much it weighs, and whether the user accepts it.

Pure: the caller brings the facts, the settings, the text of the files (`files` says which) and today's date.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain

from migration_gate import check
from migration_gate.check import Check, Finding, Severity
from migration_gate.config.settings import Allowance, Settings
from migration_gate.facts import Facts, Location
from migration_gate.verdict import allow, unused_allow
from migration_gate.verdict.allow import AllowComment
from migration_gate.verdict.outcome import SEVERITY_RANK, Verdict

JUDGE_CHECKS: tuple[Check, ...] = (unused_allow,)
"""what only the judge can see"""


def files_with_comments(facts: Facts) -> tuple[str, ...]:
    """The files whose comments matter: revisions, models and changes outside migrations."""
    history, models = facts.replay.history, facts.replay.models
    places = chain(
        (r.location.file for r in history.revisions),
        (f.path for f in history.files),
        (model.location.file for model in models.locations),
        (change.location.file for change in facts.tree.schema_changes),
    )
    return tuple(dict.fromkeys(places))


def judge_findings(
    facts: Facts,
    settings: Settings,
    checks: Iterable[Check],
    texts: Mapping[str, str] | None = None,
    today: date | None = None,
) -> tuple[Verdict, ...]:
    """Every finding of every check as a verdict, worst first; `texts` are files by their path in findings."""
    checks = tuple(checks)
    comments = allow.find_allow_comments(texts or {})
    verdicts = [v for one in checks for v in _signed(one, one.check(facts), settings)]
    used: set[Allowance] = set()
    judged: list[Verdict] = []
    for verdict in verdicts:
        accepted = _accepted(verdict, settings, comments, today)
        used.update(accepted)
        judged.append(replace(verdict, allowed=accepted[0]) if accepted else verdict)
    order = {check.check_name(one): number for number, one in enumerate((*checks, *JUDGE_CHECKS))}
    # A replay that ended early looked at a part only: silence proves nothing about the rest.
    whole = facts.replay.failure is None and facts.replay.history.error is None
    entries = (*settings.allowances, *(c.as_allowance() for c in comments if not c.wrong))
    said = chain(
        (
            unused_allow.unreadable_comment(c.where, c.wrong, Location(c.file, c.line))
            for c in comments
            if c.wrong
        ),
        _unused(entries, order, used if whole else None, today),
    )
    judged.extend(_signed(JUDGE_CHECKS[0], said, settings))
    judged.sort(key=lambda v: (v.allowed is not None, SEVERITY_RANK[v.severity], order[v.check]))
    return tuple(replace(verdict, project=settings.name) for verdict in judged)


def choose_severity(name: str, finding: Finding, own: Severity, settings: Settings) -> Severity | None:
    """What the settings say, else the finding, else its check; None when it is off.

    `check/kind` is taken as it stands; `check` alone never makes a finding weigh more than it says itself.
    """
    chosen = dict(settings.checks)
    if finding.kind and (exact := f"{name}/{finding.kind}") in chosen:
        return chosen[exact]
    wanted = chosen.get(name, own)
    if wanted is None or finding.severity is None:
        return wanted
    return max(wanted, finding.severity, key=SEVERITY_RANK.__getitem__)


def _signed(one: Check, findings: Iterable[Finding], settings: Settings) -> Iterator[Verdict]:
    """The findings of one check, each once, with their ids."""
    name, seen, numbers = check.check_name(one), set(), Counter[str]()
    for finding in findings:
        key = (finding.kind, finding.object, finding.message, finding.location, finding.evidence)
        if key in seen:
            continue
        seen.add(key)
        text = "\0".join((name, finding.kind or "", finding.object))
        short = hashlib.sha256(text.encode()).hexdigest()[:10]
        numbers[short] += 1
        # Numbered before anything is left out, so that a severity does not renumber the rest.
        identifier = short if numbers[short] == 1 else f"{short}-{numbers[short]}"
        if weight := choose_severity(name, finding, one.SEVERITY, settings):
            yield Verdict(name, weight, finding, identifier, settings.name)


def _accepted(
    verdict: Verdict, settings: Settings, comments: tuple[AllowComment, ...], today: date | None
) -> tuple[Allowance, ...]:
    """Everything that allows this finding: all of it is in use, not only the first."""
    name, finding = verdict.check, verdict.finding
    entries = (entry for entry in settings.allowances if allow.allowance_covers(entry, name, finding, today))
    spoken = (comment.as_allowance() for comment in comments if allow.comment_covers(comment, name, finding))
    return (*entries, *spoken)


def _unused(
    entries: Iterable[Allowance],
    known: Collection[str],
    used: Collection[Allowance] | None,
    today: date | None,
) -> Iterator[Finding]:
    """Every entry that holds for nothing; `used` is None where that cannot be known."""
    for entry in entries:
        if entry.check.partition("/")[0] not in known:
            yield unused_allow.unknown_check(entry, known)
        elif allow.has_expired(entry, today):
            yield unused_allow.expired_entry(entry)
        elif used is not None and entry not in used:
            yield unused_allow.unused_entry(entry)
