"""The reports on one project that was replayed on several servers, as one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migration_gate.check import Evidence, check_name
from migration_gate.lazy_dataclass import dataclass
from migration_gate.verdict import unused_allow
from migration_gate.verdict.judge import sort_verdicts
from migration_gate.verdict.outcome import SEVERITY_RANK, ProjectReport, Verdict
from migration_gate.wording import join_words

SERVER_CHECK = "version-difference"
"""looks at all servers at once"""


@dataclass(frozen=True, slots=True)
class _ServerVerdicts:
    """What was found on one server."""

    server: str
    """`PostgreSQL 17.12`"""
    verdicts: tuple[Verdict, ...]
    is_complete: bool
    """whether the history came to its end: else what is not found there says nothing"""

    @classmethod
    def from_report(cls, report: ProjectReport) -> _ServerVerdicts:
        replay = report.facts.replay
        return cls(f"PostgreSQL {replay.postgres_version}", report.verdicts, replay.is_complete)

    def has(self, verdict: Verdict) -> bool:
        """Whether the same was found there: by the same check, of the same kind, about the same object."""
        return any(own.id == verdict.id for own in self.verdicts)


def join_server_reports(reports: Sequence[ProjectReport], check_names: list[str]) -> ProjectReport:
    """The report on the first server, with the findings of all.

    What one server alone showed says so. A problem on any of them is the problem of the project.
    """
    first = reports[0]
    if len(reports) == 1:
        return first
    problem = next((report for report in reports if report.problem), None)
    if problem:
        return problem
    servers = [_ServerVerdicts.from_report(report) for report in reports]
    replay = first.facts.replay
    note = f"replayed and checked on {join_words([server.server for server in servers], quote='')}"
    return replace(
        first,
        verdicts=tuple(sort_verdicts(_join_verdicts(servers), check_names)),
        facts=replace(first.facts, replay=replace(replay, notes=(*replay.notes, note))),
        seconds=sum(report.seconds for report in reports),
    )


def _join_verdicts(servers: Sequence[_ServerVerdicts]) -> list[Verdict]:
    """Each verdict once, as it is on the server where it is worst, with those on which it was found."""
    worst: dict[str, Verdict] = {}
    for server in servers:
        for verdict in server.verdicts:
            if not _is_used_elsewhere(verdict, servers):
                worst[verdict.id] = min(worst.get(verdict.id, verdict), verdict, key=_rank_verdict)
    return [_name_servers(verdict, servers) for verdict in worst.values()]


def _rank_verdict(verdict: Verdict) -> tuple[bool, bool, int]:
    """The lower, the worse."""
    return verdict.allowed is not None, verdict.is_spared, SEVERITY_RANK[verdict.severity]


def _name_servers(verdict: Verdict, servers: Sequence[_ServerVerdicts]) -> Verdict:
    """The verdict, which says on which servers it was found where it was not on all."""
    having = [server.server for server in servers if server.has(verdict)]
    lacking = [server.server for server in servers if server.is_complete and not server.has(verdict)]
    if not lacking or verdict.check == SERVER_CHECK:
        return verdict
    finding = verdict.finding
    found_on, not_on = join_words(having, quote=""), join_words(lacking, quote="")
    where = Evidence("servers", f"on {found_on}, and not on {not_on}")
    message = f"{finding.message} (on {found_on} alone)"
    return replace(verdict, finding=replace(finding, message=message, evidence=(*finding.evidence, where)))


def _is_used_elsewhere(verdict: Verdict, servers: Sequence[_ServerVerdicts]) -> bool:
    """Whether it is an allowance without a finding that has one on another server."""
    return verdict.check == check_name(unused_allow) and not all(server.has(verdict) for server in servers)
