"""Findings in the files of an installed package, such as a plug-in's migrations: nobody here edits those."""

from __future__ import annotations

from dataclasses import replace

from migration_gate.check import Finding, Severity
from migration_gate.facts import Facts, Location
from migration_gate.wording import join_words

STOPS_THE_RUN = frozenset({"failing-upgrade", "broken-history", "several-heads", "unchecked"})
"""checks whose findings block wherever they are: what comes behind them was not seen"""
_SHOWN_EVIDENCE = 2
"""pieces of evidence that are kept"""


def mark_installed(check: str, finding: Finding, facts: Facts) -> Finding:
    """The finding with the package in whose file it is, and with advice that does not edit that file.

    It is returned as it is where its file is the project's own, also where the project itself is installed.
    It blocks no more where only the package's authors could change it.
    """
    package = _find_other_package(finding, facts)
    if package is None:
        return finding
    has_own_fix = _has_own_fix(check, finding, facts)
    return replace(
        finding,
        message=f"{finding.message} (in the installed package `{package}`)",
        fix=finding.fix if has_own_fix else _describe_fix(check, finding, package, facts),
        evidence=finding.evidence if has_own_fix else finding.evidence[:_SHOWN_EVIDENCE],
        severity=_soften(finding.severity) if is_of_others(check, finding, facts) else finding.severity,
    )


def is_of_others(check: str, finding: Finding, facts: Facts) -> bool:
    """Whether only the authors of an installed package can do something, and the run goes on without it."""
    if _find_other_package(finding, facts) is None or check in STOPS_THE_RUN:
        return False
    return not _has_own_fix(check, finding, facts)


def find_package(location: Location | None) -> str | None:
    """The installed package that a file belongs to."""
    return location.installed_package if location is not None else None


def _find_other_package(finding: Finding, facts: Facts) -> str | None:
    """The installed package in whose file it is, if that is not the project itself."""
    package = find_package(finding.location)
    return None if package == facts.replay.models.own_package else package


def _has_own_fix(check: str, finding: Finding, facts: Facts) -> bool:
    """Whether the project can mend what a package's revision did."""
    return check == "drift" and _is_of_own_model(finding, facts)


def _is_of_own_model(finding: Finding, facts: Facts) -> bool:
    """Whether a drift is a difference from a model that is no installed package's."""
    location = _find_model(finding, facts)
    if location is not None:
        package = location.installed_package
        return package == facts.replay.models.own_package or package not in _list_plug_ins(facts)
    return not any(piece.label == "models" and piece.text == "nothing" for piece in finding.evidence)


def _list_plug_ins(facts: Facts) -> set[str | None]:
    """The installed packages that bring revisions; one without may be the project, which was installed."""
    revisions = facts.replay.history.revisions
    return {revision.location.installed_package for revision in revisions} - {None}


def _find_model(finding: Finding, facts: Facts) -> Location | None:
    """Where the model of the table is that a drift is about."""
    tables = [item.table for item in facts.replay.differences if item.object == finding.object]
    return next(filter(None, map(facts.replay.models.find_location, tables)), None)


def _soften(severity: Severity | None) -> Severity:
    return severity if severity is Severity.NOTE else Severity.WARNING


def _describe_fix(check: str, finding: Finding, package: str, facts: Facts) -> str:
    if check == "drift" and _find_model(finding, facts) is None:
        return (
            f"The migrations of `{package}` make it. Import the models of `{package}` in env.py, or have "
            "`include_object` leave out its tables."
        )
    advice = f"Nobody here can edit it: report it to the authors of `{package}`, or use another version"
    if check in STOPS_THE_RUN:
        return f"{advice}."
    return f"{advice}. Until then, allow {check} for {join_words([finding.object])} with that reason."
