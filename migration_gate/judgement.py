"""Judges the facts of one project, and joins its reports on several databases and servers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from migration_gate import checks, explain
from migration_gate.analysis.engine_bodies import join_revisions
from migration_gate.analysis.loosened_gate_parts import list_added_allowances
from migration_gate.change.base_policy import take_settings_of
from migration_gate.check import check_name
from migration_gate.config.baseline_file import read_baseline_text
from migration_gate.config.settings import Settings
from migration_gate.drift.server_differences import compare_servers
from migration_gate.drift.squash_proof import prove_squash
from migration_gate.facts import Base, Facts
from migration_gate.git.git_command import find_repository_root
from migration_gate.verdict import unused_allow
from migration_gate.verdict.baseline import Baseline, compare_with_baseline, parse_baseline
from migration_gate.verdict.check_coverage import measure_check_coverage
from migration_gate.verdict.comment_files import read_comment_files
from migration_gate.verdict.database_reports import report_allowances_unused_by_all
from migration_gate.verdict.judge import judge_findings
from migration_gate.verdict.lowered_checks import list_lowered_checks
from migration_gate.verdict.new_comments import add_new_comments
from migration_gate.verdict.novelty import find_novelties, spare_old
from migration_gate.verdict.outcome import ProjectReport, Verdict
from migration_gate.verdict.own_level import hold_own_level
from migration_gate.verdict.server_reports import join_server_reports


def judge_facts(facts: Facts, settings: Settings, others: list[ProjectReport]) -> ProjectReport:
    """The verdicts on one project's facts. others: its reports on other servers, to be compared with."""
    if facts.policy_commit:
        settings = take_settings_of(settings, facts.policy_commit).settings
    same = find_same_database(ProjectReport(settings.name, facts), others)
    facts = prove_squash(compare_servers(facts, [report.facts for report in same]))
    comment_files = read_comment_files(facts, find_repository_root(settings.root))
    facts = add_new_comments(facts, comment_files)
    settings = hold_own_level(settings, facts)
    baseline = read_baseline(settings)
    verdicts = judge_findings(facts, settings, checks.ALL, comment_files, date.today(), baseline=baseline)
    novelties = find_novelties(verdicts, facts, judge_base(facts, settings, same, baseline))
    is_base_known = all(verdict.novelty for verdict in novelties.verdicts)
    if baseline is not None and not is_base_known:
        novelties = replace(novelties, verdicts=compare_with_baseline(novelties.verdicts, baseline))
    return ProjectReport(
        settings.name,
        facts,
        spare_old(novelties.verdicts) if settings.scope == "change" else novelties.verdicts,
        settings.fail_on,
        settings.scope,
        check_coverage=measure_check_coverage(facts, checks.ALL, settings),
        baseline=baseline.path if baseline is not None and not is_base_known else "",
        fixed=novelties.fixed,
        new_allowances=list_added_allowances(facts),
        lowered=tuple(list_lowered_checks(settings, explain.known_checks())),
    )


def read_baseline(settings: Settings) -> Baseline | None:
    """The baseline of the project; None if it has none. Raises Misconfigured if it cannot be read."""
    text = read_baseline_text(settings.baseline_file)
    if text is None:
        return None
    top = find_repository_root(settings.root)
    file = settings.baseline_file.resolve()
    path = file.relative_to(top) if file.is_relative_to(top) else file
    return parse_baseline(path.as_posix(), text)


def judge_base(
    facts: Facts, settings: Settings, others: list[ProjectReport], baseline: Baseline | None = None
) -> tuple[Verdict, ...]:
    """The verdicts on the base of the change, by the settings of the change; none if it is not known.

    baseline: that of the change.
    """
    base = facts.base
    if base is None or base.facts is None:
        return ()
    other_bases = [report.facts.base for report in others if report.facts.base is not None]
    base_facts = compare_servers(
        base.facts, [other.facts for other in other_bases if other.facts is not None]
    )
    texts = dict(base.comment_texts)
    older = read_older_baseline(base, baseline)
    verdicts = judge_findings(base_facts, settings, checks.ALL, texts, date.today(), baseline=older)
    if base.gate_files is None or base.gate_files.failure:
        return tuple(verdicts)
    known = {(entry.check, entry.object) for entry in base.gate_files.allowances}
    added = [entry for entry in settings.allowances if (entry.check, entry.object) not in known]
    names = {(check_name(unused_allow), unused_allow.name_entry(entry)) for entry in added}
    return tuple(verdict for verdict in verdicts if (verdict.check, verdict.finding.object) not in names)


def read_older_baseline(base: Base, baseline: Baseline | None) -> Baseline | None:
    """The baseline that the base has: a line that held nothing there is nothing new.

    It is that of the change where the change has none of the gate's files.
    """
    if base.gate_files is None:
        return baseline
    if not base.gate_files.baseline_entries:
        return None
    lines = base.gate_files.baseline_entries
    return parse_baseline(lines[0].location.file, "\n".join(line.text for line in lines))


def join_databases(reports: list[ProjectReport]) -> list[ProjectReport]:
    """The reports on the databases of one project, with one revision for the drift of all."""
    revisions = join_revisions([report.facts.replay.drift_revision for report in reports])
    return [
        replace(
            report,
            facts=replace(report.facts, replay=replace(report.facts.replay, drift_revision=revision)),
        )
        for report, revision in zip(report_allowances_unused_by_all(reports), revisions, strict=True)
    ]


def join_servers(reports: list[ProjectReport], others: list[ProjectReport]) -> list[ProjectReport]:
    """The reports on the databases of one project, with what differs on the other servers."""
    names = [*map(check_name, explain.known_checks())]
    return [join_server_reports([report, *find_same_database(report, others)], names) for report in reports]


def find_same_database(report: ProjectReport, others: list[ProjectReport]) -> list[ProjectReport]:
    """The reports of the other servers on the same database, and their problems."""
    database = report.facts.replay.database
    return [other for other in others if other.problem or other.facts.replay.database == database]
